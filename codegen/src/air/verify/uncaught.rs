//! Failures that would leave a function not declared `throws` (rule ABI-30 h).
//!
//! Cancellation may leave any function, and so may the recursion fault of a stack check: both are
//! placed by the compiler. So a call of a function that is not declared `throws` needs no edge.
//! Everything else needs a recovery or a cleanup edge.
//!
//! `raise` goes on with a failure. In a function not declared `throws` its status must be
//! CANCELLED: as an immediate, or as a local that is assigned by nothing but cleanup edges beside
//! a recovery edge, which get what the recovery does not take, or of what needs no edge.

use std::collections::HashSet;

use super::Checker;
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::module::Function;
use crate::air::site::{SiteKind, kinds_of};
use crate::air::span::Place;

/// The status CANCELLED.
const CANCELLED: u64 = asr_abi::status::CANCELLED as u64;

impl Checker<'_> {
    pub(super) fn uncaught(&mut self, id: FuncId, func: &Function) {
        if func.throws {
            return;
        }
        let mut tainted = None;
        for (b, block) in func.blocks.iter().enumerate() {
            let place = |n| Place::Inst(id, BlockId::new(b), n);
            for (n, inst) in block.insts.iter().enumerate() {
                if inst.edge.is_none() && self.throws(&inst.op) {
                    self.leaves_undeclared(place(n));
                }
            }
            let place = place(block.insts.len());
            match &block.term {
                Term::Throw { edge, .. } | Term::Unreachable { edge } if edge.is_none() => {
                    self.leaves_undeclared(place);
                }
                Term::Raise { status, edge, .. } if edge.is_none() => {
                    let cancelled = match *status {
                        Operand::Imm(status) => status == CANCELLED,
                        Operand::Local(local) => !tainted
                            .get_or_insert_with(|| self.any_status(func))
                            .contains(&local),
                    };
                    if !cancelled {
                        self.leaves_undeclared(place);
                    }
                }
                _ => {}
            }
        }
    }

    fn leaves_undeclared(&mut self, place: Place) {
        let message = "a failure here would leave the function, which is not declared `throws`; \
                       declare it, or give this a `recover` or `cleanup` edge";
        self.error(code::UNCAUGHT, place, message);
    }

    /// Whether it may fail with something else than what may leave any function.
    fn throws(&self, op: &Op) -> bool {
        match op {
            Op::Call { func, .. } => self.module.funcs[func.index()].throws,
            Op::CallIndirect { sig, .. } | Op::AwaitIndirect { sig, .. } => {
                self.module.sigs[sig.index()].throws
            }
            Op::Await { func, .. } => self.module.funcs[func.index()].throws,
            Op::Spawn { .. } | Op::SpawnIndirect { .. } => true,
            Op::Intrinsic { row, .. } => {
                let row = self.rows.get(row);
                row.is_none_or(|row| row.fails.iter().any(|status| *status != "CANCELLED"))
            }
            Op::CheckStack => false,
            op => matches!(
                kinds_of(op),
                [Some(SiteKind::Fault(_)), _] | [_, Some(SiteKind::Fault(_))]
            ),
        }
    }

    /// The locals that may hold another status than CANCELLED.
    fn any_status(&self, func: &Function) -> HashSet<LocalId> {
        let mut locals: HashSet<_> = (0..func.params as usize).map(LocalId::new).collect();
        let edge = |edge: &Edge, throws: bool, locals: &mut HashSet<LocalId>| {
            locals.extend(edge.recover.and_then(|(_, local)| local));
            if let Some((_, value, status)) = edge.cleanup {
                locals.insert(value);
                if edge.recover.is_none() && throws {
                    locals.insert(status);
                }
            }
        };
        for block in &func.blocks {
            for inst in &block.insts {
                locals.extend(inst.op.dsts().into_iter().flatten());
                edge(&inst.edge, self.throws(&inst.op), &mut locals);
            }
            if let Some(end) = block.term.edge() {
                edge(end, true, &mut locals);
            }
        }
        locals
    }
}
