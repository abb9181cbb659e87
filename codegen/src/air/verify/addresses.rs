//! Addresses of stack slots do not outlive their function (letter i of rule ABI-30, ABI-27).
//!
//! A local is tainted if it may hold the address of a slot, or a number made of one. Which are, is
//! one answer for the whole function: what is computed from one, what is loaded through one where
//! one was stored, and the address that a callee returns which was lent one. What is tainted is not
//! passed to a task, not returned, not put into a global, not given to a row that keeps the words
//! of its callers, and stored only at addresses that are tainted too: into the function's own
//! slots. Callees may be lent it: they end before, and what they do with a parameter is their own
//! affair, as it is with every address. In an asynchronous function the slots stand in its frame,
//! so that their addresses hold across suspensions, but not longer.

use super::{Checker, Here};
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::module::Function;
use crate::air::types::Type;
use asr_intrinsics::Ty;

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
        // Whatever is stored, for as long as it takes an address to be loaded again.
        let stores = insts().any(|inst| matches!(inst.op, Op::Store { ty, .. } if ty.size() == 8));
        let mut into = vec![Vec::new(); func.locals.len()];
        for inst in insts() {
            if let ([Some(dst), _], true) = (inst.op.dsts(), carries(func, &inst.op, stores)) {
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
fn carries(func: &Function, op: &Op, stores: bool) -> bool {
    match op {
        Op::Copy { .. }
        | Op::Select { .. }
        | Op::Convert { .. }
        | Op::Unary { .. }
        | Op::Binary { .. }
        | Op::Overflow { .. }
        | Op::Chunk { .. } => true,
        Op::Load { ty, .. } => stores && *ty == Type::Ptr,
        op if op.is_call() && !matches!(op, Op::Intrinsic { .. }) => {
            let dst = op.dsts()[0].map(|dst| func.locals[dst.index()].ty);
            dst == Some(Type::Ptr)
        }
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
                    Op::Intrinsic { row, args, .. } => {
                        let params = self
                            .rows
                            .get(row.as_str())
                            .map_or(&[][..], |row| row.params);
                        let mut kept = args
                            .iter()
                            .zip(params)
                            .filter(|(_, param)| matches!(param.ty, Ty::U64 | Ty::I64 | Ty::Value));
                        let kept = kept.any(|(arg, _)| tainted.has(*arg));
                        self.escapes(here, kept, "is given away as a number");
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
