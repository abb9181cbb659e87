//! Addresses of stack slots do not outlive their function (letter i of rule ABI-30, ABI-27).
//!
//! A local is tainted if it may hold the address of a slot, or a number made of one. Which are, is
//! one answer for the whole function. What is tainted is not passed to a task, not returned, not
//! put into a global, and stored only at addresses that are tainted too: into the function's own
//! slots. Callees may be lent it: they end before. In an asynchronous function the slots stand in
//! its frame, so that their addresses hold across suspensions, but not longer.

use super::{Checker, Here};
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::module::Function;
use crate::air::ops::BinOp;

/// The locals that may hold the address of a slot.
struct Tainted(Vec<bool>);

impl Tainted {
    /// `None` if no address of a slot is taken.
    fn of(func: &Function) -> Option<Tainted> {
        let insts = || func.blocks.iter().flat_map(|block| &block.insts);
        let taken = insts().filter_map(|inst| match inst.op {
            Op::SlotAddr { dst, .. } => Some(dst),
            _ => None,
        });
        let mut work: Vec<LocalId> = taken.collect();
        if work.is_empty() {
            return None;
        }
        let mut into = vec![Vec::new(); func.locals.len()];
        for inst in insts() {
            if let ([Some(dst), _], true) = (inst.op.dsts(), carries(&inst.op)) {
                inst.op.for_each_operand(|operand| {
                    if let Operand::Local(local) = operand {
                        into[local.index()].push(dst);
                    }
                });
            }
        }
        let mut tainted = vec![false; func.locals.len()];
        while let Some(local) = work.pop() {
            if !std::mem::replace(&mut tainted[local.index()], true) {
                work.append(&mut into[local.index()]);
            }
        }
        Some(Tainted(tainted))
    }

    fn has(&self, operand: Operand) -> bool {
        matches!(operand, Operand::Local(local) if self.0[local.index()])
    }
}

/// Whether the result may be the address in an operand, or another in the same slot.
fn carries(op: &Op) -> bool {
    use BinOp::{Add, And, Or, Sub, Xor};
    match op {
        Op::Copy { .. } | Op::Select { .. } | Op::Convert { .. } => true,
        Op::Binary { op, .. } => matches!(op, Add | Sub | And | Or | Xor),
        _ => false,
    }
}

impl Checker<'_> {
    pub(super) fn addresses(&mut self, id: FuncId, func: &Function) {
        let Some(tainted) = Tainted::of(func) else {
            return;
        };
        for (b, block) in func.blocks.iter().enumerate() {
            let mut here = Here {
                id,
                func,
                block: BlockId::new(b),
                inst: 0,
            };
            for (n, inst) in block.insts.iter().enumerate() {
                here.inst = n;
                match &inst.op {
                    Op::Spawn { args, .. } | Op::SpawnIndirect { args, .. } => {
                        let passed = args.iter().any(|arg| tainted.has(*arg));
                        self.escapes(here, passed, "goes to a task");
                    }
                    Op::Store { src, addr, .. } => {
                        let kept = tainted.has(*src) && !tainted.has(*addr);
                        self.escapes(here, kept, "is kept in memory");
                    }
                    Op::GlobalSet { src, .. } => {
                        self.escapes(here, tainted.has(*src), "is kept in a global");
                    }
                    _ => {}
                }
            }
            here.inst = block.insts.len();
            if let Term::Return(Some(value)) = block.term {
                self.escapes(here, tainted.has(value), "is returned");
            }
        }
    }

    fn escapes(&mut self, here: Here<'_>, escapes: bool, how: &str) {
        if escapes {
            let message = format!(
                "the address of a stack slot {how}, and may outlive the function; copy what is in \
                 the slot, or allocate"
            );
            self.error(code::ADDRESS_ESCAPES, here.place(), message);
        }
    }
}
