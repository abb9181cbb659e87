//! Terminators.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::Switch;

use super::facts::Fails;
use super::fail::Status;
use super::func::Lower;
use super::types::{Shape, to_word};
use crate::Error;
use crate::air::{Term, Type, fault};

impl Lower<'_, '_, '_> {
    pub(super) fn term(&mut self, term: &Term) -> Result<(), Error> {
        match term {
            Term::Jump(to) => {
                self.b.ins().jump(self.blocks[to.index()], &[]);
            }
            Term::Branch { cond, then, or } => {
                let cond = self.operand(*cond, Type::Bool);
                let (then, or) = (self.blocks[then.index()], self.blocks[or.index()]);
                self.b.ins().brif(cond, then, &[], or, &[]);
            }
            Term::Switch {
                ty,
                value,
                cases,
                default,
            } => {
                let value = self.operand(*value, *ty);
                let mut switch = Switch::new();
                let mut seen = std::collections::HashSet::new();
                for &(case, to) in cases {
                    let case = ty.canonical(case as u64);
                    // The first of equal cases counts; `set_entry` panics on a second.
                    if seen.insert(case) {
                        switch.set_entry(u128::from(case), self.blocks[to.index()]);
                    }
                }
                let default = self.blocks[default.index()];
                switch.emit(&mut self.b, value, default);
            }
            Term::Return(value) => self.return_value(*value),
            Term::Throw { value, edge } => {
                let site = self.next_site();
                self.trace(site)?;
                let value = self.operand(*value, Type::Value);
                self.fail(edge, value, Status::Threw)?;
            }
            Term::Raise {
                value,
                status,
                edge,
            } => {
                self.next_site();
                let value = self.operand(*value, Type::Value);
                let status = self.operand(*status, Type::I64);
                let status = self.raised(status);
                self.fail(edge, value, Status::Of(status, Fails::ANY))?;
            }
            Term::Unreachable { edge } => self.fault(fault::UNREACHABLE, edge)?,
        }
        Ok(())
    }

    /// What [`crate::air::raised_status`] gives.
    fn raised(&mut self, status: Value) -> Value {
        let past = self.b.ins().iadd_imm_s(status, -2);
        let good = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, past, 254);
        let threw = self.b.ins().iconst(I64, i64::from(asr_abi::status::THREW));
        self.b.ins().select(good, status, threw)
    }

    fn return_value(&mut self, value: Option<crate::air::Operand>) {
        let typed = match (value, self.air.ret) {
            (Some(value), Some(ty)) => Some((self.operand(value, ty), ty)),
            _ => None,
        };
        match (self.shape, typed) {
            (Shape::Plain, Some((value, _))) => self.b.ins().return_(&[value]),
            (Shape::Plain, None) => self.b.ins().return_(&[]),
            (Shape::Pair, typed) => {
                let ok = self.b.ins().iconst(I64, 0);
                let word = match typed {
                    Some((value, ty)) => to_word(&mut self.b, value, ty),
                    None => ok,
                };
                self.b.ins().return_(&[word, ok])
            }
        };
    }
}
