//! Ends of blocks, and edges.

use std::collections::HashSet;

use super::{Checker, Here};
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::site::raised_status;
use crate::air::types::Type;

impl Checker<'_> {
    pub(super) fn term(&mut self, here: Here<'_>, term: &Term) {
        match term {
            Term::Jump(to) => self.target(here, *to),
            Term::Branch { cond, then, or } => {
                self.operand(here, *cond, Type::Bool);
                self.target(here, *then);
                self.target(here, *or);
            }
            Term::Switch {
                ty,
                value,
                cases,
                default,
            } => {
                self.switch(here, *ty, cases);
                self.operand(here, *value, *ty);
                self.target(here, *default);
            }
            Term::Return(value) => self.returned(here, *value),
            Term::Throw { value, edge } => {
                self.word(here, *value);
                self.edge(here, edge);
            }
            Term::Raise {
                value,
                status,
                edge,
            } => {
                self.word(here, *value);
                self.operand(here, *status, Type::I64);
                if let Operand::Imm(bits) = *status
                    && raised_status(bits) != bits
                {
                    let message = format!("{bits} is no failure; those are 2 to 255");
                    self.error(code::BAD_IMMEDIATE, here.place(), message);
                }
                self.edge(here, edge);
            }
            Term::Unreachable { edge } => self.edge(here, edge),
        }
    }

    fn switch(&mut self, here: Here<'_>, ty: Type, cases: &[(i64, BlockId)]) {
        if !ty.is_int() {
            let message = format!("`switch` works on integers, not on {ty}");
            self.error(code::TYPE_MISMATCH, here.place(), message);
        }
        let mut keys = HashSet::new();
        for &(key, to) in cases {
            self.target(here, to);
            if ty.immediate(key as u64) != key as u64 {
                let message = format!("the case {key} is no {ty}");
                self.error(code::BAD_IMMEDIATE, here.place(), message);
            }
            if !keys.insert(key) {
                let message = format!("the case {key} stands twice; remove one");
                self.error(code::DUPLICATE_CASE, here.place(), message);
            }
        }
    }

    fn returned(&mut self, here: Here<'_>, value: Option<Operand>) {
        match (value, here.func.ret) {
            (None, None) => {}
            (Some(value), Some(ty)) => self.operand(here, value, ty),
            (None, Some(ty)) => {
                let message = format!("the function returns {ty}; write `return` with a value");
                self.error(code::BAD_RETURN, here.place(), message);
            }
            (Some(_), None) => {
                let message = "the function returns nothing; write `return` alone";
                self.error(code::BAD_RETURN, here.place(), message);
            }
        }
    }

    /// Checks where a failure goes, and the locals that receive it.
    pub(super) fn edge(&mut self, here: Here<'_>, edge: &Edge) {
        if let Some((block, local)) = edge.recover {
            self.target(here, block);
            if let Some(local) = local {
                self.word(here, local.into());
            }
        }
        if let Some((block, value, status)) = edge.cleanup {
            self.target(here, block);
            self.word(here, value.into());
            self.operand(here, status.into(), Type::I64);
            if value == status {
                let message = "value and status need a local each";
                self.error(code::TYPE_MISMATCH, here.place(), message);
            }
        }
    }

    /// An exception word, or what is handed back: `value` or `i64`.
    fn word(&mut self, here: Here<'_>, operand: Operand) {
        let Operand::Local(local) = operand else {
            return;
        };
        match self.type_of(here, local) {
            None | Some(Type::Value | Type::I64) => {}
            Some(ty) => {
                let name = &here.func.locals[local.index()].name;
                let message = format!("`%{name}` is {ty}, but value or i64 is wanted here");
                self.error(code::TYPE_MISMATCH, here.place(), message);
            }
        }
    }

    fn target(&mut self, here: Here<'_>, to: BlockId) {
        if to == BlockId(0) {
            let message = "nothing jumps to the entry block; begin a loop with a block of its own";
            self.error(code::ENTRY_TARGET, here.place(), message);
        }
        self.in_range(here, to.index(), here.func.blocks.len(), "block");
    }
}
