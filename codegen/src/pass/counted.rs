//! Counted loops.
//!
//! A counted loop has one assignment `i = i ± k` per iteration, outside inner loops, and one block
//! that every iteration passes and whose branch leaves the loop on a compare of `i` with a bound
//! that the loop does not assign. What follows from that for its iterations: `trips`.

use super::cfg::{Cfg, Loop};
use crate::air::{BinOp, BlockId, CmpOp, Edge, Function, Inst, LocalId, Op, Operand, Term, Type};

/// A counted loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    /// Type of the counter.
    pub(super) ty: Type,
    /// The counter.
    pub(super) i: LocalId,
    /// What is added to it per iteration.
    pub(super) step: i64,
    /// The loop goes on while `i op bound`.
    pub(super) op: CmpOp,
    /// The bound.
    pub(super) bound: Operand,
    /// The block whose branch leaves the loop.
    pub(super) test: BlockId,
    /// Index of the compare in it.
    pub(super) compare: usize,
    /// Whether the counter has been stepped when it is tested.
    pub(super) stepped: bool,
    /// Where the branch goes on.
    pub(super) stay: BlockId,
    /// Where it leaves.
    pub(super) leave: BlockId,
}

/// Whether the block assigns the local, from the instruction `from` on.
fn assigns(func: &Function, block: BlockId, local: LocalId, from: usize) -> bool {
    let block = &func.blocks[block.index()];
    let edge = |edge: &Edge| {
        edge.recover.is_some_and(|(_, word)| word == Some(local))
            || edge
                .cleanup
                .is_some_and(|(_, v, s)| v == local || s == local)
    };
    block
        .insts
        .iter()
        .skip(from)
        .any(|inst| inst.op.dsts().contains(&Some(local)) || edge(&inst.edge))
        || block.term.edge().is_some_and(edge)
}

/// The ways in which the loop is counted, one per test. `inner` tells whether a block lies in an
/// inner loop.
pub(super) fn counted(
    func: &Function,
    cfg: &Cfg,
    this: &Loop,
    inner: impl Fn(BlockId) -> bool,
) -> Vec<Counted> {
    let mut found = Vec::new();
    let every_time = |block: BlockId| {
        !inner(block) && this.back.iter().all(|way| cfg.dominates(block, way.from))
    };
    for test in this.blocks().filter(|&block| every_time(block)) {
        let block = &func.blocks[test.index()];
        let Term::Branch {
            cond: Operand::Local(cond),
            then,
            or,
        } = block.term
        else {
            continue;
        };
        let (stay, leave, negate) = match (this.contains(then), this.contains(or)) {
            (true, false) => (then, or, false),
            (false, true) => (or, then, true),
            _ => continue,
        };
        let last = |inst: &Inst| inst.op.dsts().contains(&Some(cond));
        let Some(compare) = block.insts.iter().rposition(last) else {
            continue;
        };
        let Op::Compare { op, ty, a, b, .. } = block.insts[compare].op else {
            continue;
        };
        // A test in the middle of the block counts for control that reaches the end, which is all
        // of it: a failure that leaves the block leaves by an edge, and edges back are in `back`.
        if this
            .back
            .iter()
            .any(|w| w.from == test && w.at < block.insts.len())
        {
            continue;
        }
        for (i, bound, op) in [(a, b, Some(op)), (b, a, mirrored(op))] {
            let (Operand::Local(i), Some(op)) = (i, op) else {
                continue;
            };
            let op = if negate { negated(op) } else { Some(op) };
            let (Some(op), Some((at, index, step))) = (op, step_of(func, this, i, ty)) else {
                continue;
            };
            if !every_time(at) || this.back.iter().any(|w| w.from == at && w.at <= index) {
                continue;
            }
            if let Operand::Local(bound) = bound
                && this.blocks().any(|block| assigns(func, block, bound, 0))
            {
                continue;
            }
            if assigns(func, test, i, compare + 1) {
                continue;
            }
            let stepped = at != test && cfg.dominates(at, test) || at == test && index < compare;
            let (op, bound) = normal(op, bound, ty);
            found.push(Counted {
                ty,
                i,
                step,
                op,
                bound,
                test,
                compare,
                stepped,
                stay,
                leave,
            });
        }
    }
    found
}

/// The only assignment of `i` in the loop, if it adds a constant: block, index, constant.
fn step_of(func: &Function, this: &Loop, i: LocalId, ty: Type) -> Option<(BlockId, usize, i64)> {
    let mut found = None;
    for id in this.blocks() {
        let block = &func.blocks[id.index()];
        for (n, inst) in block.insts.iter().enumerate() {
            if !inst.op.dsts().contains(&Some(i)) {
                continue;
            }
            let step = match inst.op {
                Op::Binary {
                    op: BinOp::Add,
                    ty: of,
                    a: Operand::Local(a),
                    b: Operand::Imm(k),
                    ..
                }
                | Op::Binary {
                    op: BinOp::Add,
                    ty: of,
                    a: Operand::Imm(k),
                    b: Operand::Local(a),
                    ..
                } if a == i && of == ty => k as i64,
                Op::Binary {
                    op: BinOp::Sub,
                    ty: of,
                    a: Operand::Local(a),
                    b: Operand::Imm(k),
                    ..
                } if a == i && of == ty => (k as i64).checked_neg()?,
                _ => return None,
            };
            if found.replace((id, n, step)).is_some() {
                return None;
            }
        }
        // Edges may assign locals too.
        let count = block
            .insts
            .iter()
            .filter(|x| x.op.dsts().contains(&Some(i)));
        if count.count() == 0 && assigns(func, id, i, 0) {
            return None;
        }
    }
    found.filter(|&(_, _, step)| step != 0)
}

fn mirrored(op: CmpOp) -> Option<CmpOp> {
    Some(match op {
        CmpOp::Slt => CmpOp::Sgt,
        CmpOp::Sle => CmpOp::Sge,
        CmpOp::Sgt => CmpOp::Slt,
        CmpOp::Sge => CmpOp::Sle,
        CmpOp::Eq | CmpOp::Ne => op,
        _ => return None,
    })
}

pub(super) fn negated(op: CmpOp) -> Option<CmpOp> {
    Some(match op {
        CmpOp::Slt => CmpOp::Sge,
        CmpOp::Sle => CmpOp::Sgt,
        CmpOp::Sgt => CmpOp::Sle,
        CmpOp::Sge => CmpOp::Slt,
        CmpOp::Eq => CmpOp::Ne,
        CmpOp::Ne => CmpOp::Eq,
        _ => return None,
    })
}

pub(super) fn holds(op: CmpOp, a: i64, b: i64) -> bool {
    match op {
        CmpOp::Slt => a < b,
        CmpOp::Sle => a <= b,
        CmpOp::Sgt => a > b,
        CmpOp::Sge => a >= b,
        CmpOp::Eq => a == b,
        CmpOp::Ne => a != b,
        _ => true,
    }
}

/// The same comparison with a strict operator, where the bound is known and leaves room.
pub(super) fn normal(op: CmpOp, bound: Operand, ty: Type) -> (CmpOp, Operand) {
    let Operand::Imm(bits) = bound else {
        return (op, bound);
    };
    let (value, limit) = (bits as i64, 1i128 << (ty.size() * 8 - 1));
    match op {
        CmpOp::Sle if i128::from(value) < limit - 1 => {
            (CmpOp::Slt, Operand::Imm((value + 1) as u64))
        }
        CmpOp::Sge if i128::from(value) > -limit => (CmpOp::Sgt, Operand::Imm((value - 1) as u64)),
        _ => (op, bound),
    }
}
