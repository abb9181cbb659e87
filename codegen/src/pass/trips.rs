//! Loops that end soon: proofs of the two elisions of rule ABI-2 that need no probe inside.
//!
//! * A *short* loop starts from a known counter and compares with a known bound: its iterations
//!   are counted here, one by one.
//! * A *stretch* of a strip-mined loop compares with the result of `chunk`, made from its counter
//!   and not assigned since: at most `count` iterations, unless the counter wraps. It does not:
//!   the loop is entered only with the counter before the end, and from there a step of 1, or an
//!   end that is known and leaves room, cannot wrap.

use super::cfg::{Cfg, Loop, Way};
use super::counted::{Counted, holds, negated, normal};
use crate::air::{BlockId, CmpOp, Function, Inst, LocalId, Op, Operand, Term};

/// Most iterations of a loop without a probe (rule ABI-2).
pub(super) const SHORT_MAX: u32 = 16;
/// Most iterations of a stretch (rule ABI-2).
pub(super) const CHUNK_MAX: u32 = 1024;
/// How far a value is followed backwards through blocks with one predecessor.
const FOLLOW_MAX: usize = 32;
/// How many blocks may stand between a compare and what relies on it.
const GUARD_MAX: usize = 4;

/// The ways that enter the loop.
pub(super) fn entries<'a>(cfg: &'a Cfg, this: &'a Loop) -> impl Iterator<Item = &'a Way> {
    let into = &cfg.into[this.header.index()];
    into.iter().filter(|way| !this.contains(way.from))
}

/// Iterations of a short loop, if it is one.
pub(super) fn short(func: &Function, cfg: &Cfg, this: &Loop, of: &Counted) -> Option<u32> {
    let Operand::Imm(bound) = of.bound else {
        return None;
    };
    let mut start = None;
    for way in entries(cfg, this) {
        let value = constant_at(func, cfg, way, of.i)?;
        if start.replace(value).is_some_and(|other| other != value) {
            return None;
        }
    }
    let wrap = |value: i64| of.ty.immediate(value as u64) as i64;
    let (mut i, bound) = (wrap(start?), wrap(bound as i64));
    let mut trips = u32::from(of.stepped);
    if of.stepped {
        i = wrap(i.wrapping_add(of.step));
    }
    while holds(of.op, i, bound) {
        trips += 1;
        if trips > SHORT_MAX {
            return None;
        }
        i = wrap(i.wrapping_add(of.step));
    }
    Some(trips)
}

/// The last assignment of a local before control goes this way: the block and the index of the
/// instruction; `None` if it cannot be told, `Some(None)` at the beginning of the function.
fn last_assignment(
    func: &Function,
    cfg: &Cfg,
    way: &Way,
    local: LocalId,
) -> Option<Option<(BlockId, usize)>> {
    let (mut block, mut end) = (way.from, way.at);
    for _ in 0..FOLLOW_MAX {
        let insts = &func.blocks[block.index()].insts;
        let before = &insts[..end.min(insts.len())];
        let found = before
            .iter()
            .rposition(|inst| inst.op.dsts().contains(&Some(local)));
        if let Some(index) = found {
            return Some(Some((block, index)));
        }
        match *cfg.into[block.index()] {
            [] if block.0 == 0 => return Some(None),
            [only] => {
                // An edge may assign the local on its way.
                let from = &func.blocks[only.from.index()];
                let edge = match from.insts.get(only.at) {
                    Some(_) => true,
                    None => from.term.edge().is_some(),
                };
                if edge {
                    return None;
                }
                (block, end) = (only.from, only.at);
            }
            _ => return None,
        }
    }
    None
}

/// The value of a local when control goes this way, if it is known.
fn constant_at(func: &Function, cfg: &Cfg, way: &Way, local: LocalId) -> Option<i64> {
    if func.blocks[way.from.index()].insts.get(way.at).is_some() {
        return None;
    }
    match last_assignment(func, cfg, way, local)? {
        Some((block, index)) => match func.blocks[block.index()].insts[index].op {
            Op::Copy {
                src: Operand::Imm(bits),
                ..
            } => Some(bits as i64),
            _ => None,
        },
        None if local.0 < func.params => None,
        None => Some(0),
    }
}

/// Iterations of one stretch of a strip-mined loop, if it is one.
pub(super) fn stretch(func: &Function, cfg: &Cfg, this: &Loop, of: &Counted) -> Option<u32> {
    let Operand::Local(bound) = of.bound else {
        return None;
    };
    let ahead = if of.step > 0 { CmpOp::Slt } else { CmpOp::Sgt };
    if of.op != ahead {
        return None;
    }
    let mut most = 0;
    for way in entries(cfg, this) {
        let (block, index) = last_assignment(func, cfg, way, bound)??;
        let Op::Chunk {
            ty,
            i: Operand::Local(i),
            end,
            step,
            count,
            ..
        } = func.blocks[block.index()].insts[index].op
        else {
            return None;
        };
        if ty != of.ty || i != of.i || step != of.step || count == 0 || count > CHUNK_MAX {
            return None;
        }
        if !same_since(func, cfg, way, (block, index), of.i) {
            return None;
        }
        let place = (block, index);
        if !has_room(of, end) || !enters_before(func, cfg, place, of, end, GUARD_MAX) {
            return None;
        }
        most = most.max(count);
    }
    (most > 0).then_some(most)
}

/// Whether no assignment of `local` stands between the instruction and the way `late`; both lie
/// on one path without joins.
fn same_since(
    func: &Function,
    cfg: &Cfg,
    late: &Way,
    (early, index): (BlockId, usize),
    local: LocalId,
) -> bool {
    let (mut block, mut end) = (late.from, late.at);
    for _ in 0..FOLLOW_MAX {
        let start = if block == early { index } else { 0 };
        let insts = &func.blocks[block.index()].insts;
        let range = &insts[start..end.min(insts.len()).max(start)];
        if range.iter().any(|x| x.op.dsts().contains(&Some(local))) {
            return false;
        }
        if block == early {
            return true;
        }
        match *cfg.into[block.index()] {
            [only] => (block, end) = (only.from, only.at),
            _ => return false,
        }
    }
    false
}

/// Whether stepping a counter that lies before `end` cannot wrap.
fn has_room(of: &Counted, end: Operand) -> bool {
    if of.step.unsigned_abs() == 1 {
        return true;
    }
    let Operand::Imm(end) = end else {
        return false;
    };
    let limit = 1i128 << (of.ty.size() * 8 - 1);
    let furthest = i128::from(end as i64) - i128::from(of.step.signum()) + i128::from(of.step);
    (-limit..limit).contains(&furthest)
}

/// Whether `i` lies before `end` when control reaches the instruction, on every path: each came
/// by the outcome of a compare that says so, and neither was assigned since.
fn enters_before(
    func: &Function,
    cfg: &Cfg,
    (block, index): (BlockId, usize),
    of: &Counted,
    end: Operand,
    depth: usize,
) -> bool {
    let fixed = |insts: &[Inst]| {
        let changes = |local| insts.iter().any(|x| x.op.dsts().contains(&Some(local)));
        !changes(of.i) && !matches!(end, Operand::Local(end) if changes(end))
    };
    let insts = &func.blocks[block.index()].insts;
    let into = &cfg.into[block.index()];
    if depth == 0 || into.is_empty() || !fixed(&insts[..index]) {
        return false;
    }
    into.iter().all(|way| {
        let from = &func.blocks[way.from.index()];
        if way.at < from.insts.len() {
            return false;
        }
        match from.term {
            Term::Jump(_) => {
                let place = (way.from, from.insts.len());
                enters_before(func, cfg, place, of, end, depth - 1)
            }
            Term::Branch {
                cond: Operand::Local(cond),
                then,
                or,
            } if then != or => {
                let sets = |inst: &Inst| inst.op.dsts().contains(&Some(cond));
                let Some(at) = from.insts.iter().rposition(sets) else {
                    return false;
                };
                let Op::Compare { op, ty, a, b, .. } = from.insts[at].op else {
                    return false;
                };
                let op = if way.to == then {
                    Some(op)
                } else {
                    negated(op)
                };
                let said = op.map(|op| normal(op, b, ty));
                let asked = (if of.step > 0 { CmpOp::Slt } else { CmpOp::Sgt }, end);
                a == Operand::Local(of.i)
                    && ty == of.ty
                    && said == Some(asked)
                    && fixed(&from.insts[at + 1..])
            }
            _ => false,
        }
    })
}

/// Whether a strip-mined form of this loop could be proven: its end, once it is known that the
/// counter lies before it at the beginning.
pub(super) fn strippable(of: &Counted) -> bool {
    let ahead = if of.step > 0 { CmpOp::Slt } else { CmpOp::Sgt };
    of.ty.is_int() && of.op == ahead && has_room(of, of.bound)
}

/// Whether the counter lies before the bound whenever control comes to the header.
pub(super) fn guarded(func: &Function, cfg: &Cfg, header: BlockId, of: &Counted) -> bool {
    enters_before(func, cfg, (header, 0), of, of.bound, GUARD_MAX)
}
