//! Awaits and spawns.

use super::body::Body;
use super::cursor::Step;
use super::inst::Results;
use crate::air::inst::{Op, Operand};
use crate::air::types::Type;

impl Body<'_, '_> {
    pub(super) fn await_(&mut self, results: &Results) -> Step<Op> {
        let dst = self.optional(results)?;
        let (func, args) = self.callee()?;
        Ok(Op::Await { dst, func, args })
    }

    pub(super) fn await_indirect(&mut self, results: &Results) -> Step<Op> {
        let dst = self.optional(results)?;
        let (sig, callee, args) = self.callee_at()?;
        Ok(Op::AwaitIndirect {
            dst,
            sig,
            callee,
            args,
        })
    }

    pub(super) fn spawn(&mut self, results: &Results) -> Step<Op> {
        let dst = self.one(results)?;
        let (func, args) = self.callee()?;
        Ok(Op::Spawn {
            dst,
            region: self.region()?,
            func,
            args,
        })
    }

    pub(super) fn spawn_indirect(&mut self, results: &Results) -> Step<Op> {
        let dst = self.one(results)?;
        let (sig, callee, args) = self.callee_at()?;
        Ok(Op::SpawnIndirect {
            dst,
            region: self.region()?,
            sig,
            callee,
            args,
        })
    }

    /// `in %region`, if it is there.
    fn region(&mut self) -> Step<Option<Operand>> {
        match self.cursor.eat_word("in") {
            true => self.operand(Some(Type::Region)).map(Some),
            false => Ok(None),
        }
    }
}
