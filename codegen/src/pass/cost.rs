//! How long code runs between probes, in machine instructions (rule ABI-3).
//!
//! The weights are estimates from above for both targets, cold blocks not counted. What the
//! runtime and foreign functions do is not counted, nor are callees that probe.

use crate::air::{BlockId, Function, Op, Term};

/// Longest way between two probes (rule ABI-3, `probe_gap_max`).
pub(super) const GAP_MAX: u64 = 16_384;

/// Most of the gap that one loop without a probe may take; the rest is for what stands before and
/// behind it.
pub(super) const LOOP_MAX: u64 = 12_288;

/// Machine instructions of an instruction, without what its callee does.
pub(super) fn of_op(op: &Op) -> u64 {
    let args = |args: &[_]| args.len() as u64;
    match op {
        Op::Copy { .. } | Op::Compare { .. } | Op::Load { .. } | Op::Store { .. } => 1,
        Op::Binary { op, .. } if op.can_fault() => 10,
        Op::Unary { .. } | Op::Binary { .. } | Op::Overflow { .. } | Op::Select { .. } => 2,
        Op::Convert { .. } => 6,
        Op::GlobalGet { .. } | Op::GlobalSet { .. } => 2,
        Op::DataAddr { .. } | Op::FuncAddr { .. } | Op::SlotAddr { .. } => 1,
        Op::CheckBounds { .. } | Op::CheckNull { .. } => 2,
        Op::Call { args: a, .. } | Op::CallIndirect { args: a, .. } => 12 + args(a),
        Op::Await { args: a, .. }
        | Op::AwaitIndirect { args: a, .. }
        | Op::Spawn { args: a, .. }
        | Op::SpawnIndirect { args: a, .. } => 24 + args(a),
        Op::CallExtern { args: a, .. } | Op::Intrinsic { args: a, .. } => 8 + args(a),
        Op::Probe { .. } | Op::CheckStack => 3,
        Op::Chunk { .. } => 6,
    }
}

/// Machine instructions of the end of a block.
pub(super) fn of_term(term: &Term) -> u64 {
    match term {
        Term::Switch { cases, .. } => 4 + 2 * (cases.len() as u64).min(64),
        _ => 2,
    }
}

/// Machine instructions of a block once through, without what its callees do.
pub(super) fn of_block(func: &Function, block: BlockId) -> u64 {
    let block = &func.blocks[block.index()];
    let insts: u64 = block.insts.iter().map(|inst| of_op(&inst.op)).sum();
    insts + of_term(&block.term)
}

/// What a call of a function costs its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Through {
    /// Machine instructions on the longest way from entry to return without a probe.
    pub(super) gap: u64,
    /// Whether the entry block probes before anything else that takes time: a call of it guards.
    pub(super) probes: bool,
}
