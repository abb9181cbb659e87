//! Strip-mining: a counted loop becomes a loop of stretches, with a probe between two of them.
//!
//! ```text
//! guard:  S; c = i < end; branch c, outer, exit      the old header, entered from outside
//! outer:  lim = chunk i, end, step, count; jump body
//! body:   ...                                        its ways back go to `bottom`
//! bottom: S; c = i < lim; branch c, body, between    a copy of the header
//! between: c = i < end; branch c, again, exit
//! again:  probe; jump outer
//! ```
//!
//! `S` is what stands in the header besides the compare; it runs as often as before. A loop that
//! tests at its bottom keeps it as `bottom`, and `outer` is put before its header.

use super::cfg::{Cfg, Loop};
use super::counted::Counted;
use crate::air::{
    Block, BlockId, CmpOp, Edge, Function, Inst, Local, LocalId, Op, Operand, ProbeKind, Term,
};

/// Whether [`strip`] knows the shape of this loop.
pub(super) fn knows(func: &Function, this: &Loop, of: &Counted) -> bool {
    // A header that steps the counter itself would be copied with its step.
    is_bottom_tested(func, this, of)
        || of.test == this.header && of.stay != this.header && !of.stepped
}

/// Whether its one way back is the branch that tests.
pub(super) fn is_bottom_tested(func: &Function, this: &Loop, of: &Counted) -> bool {
    let end = func.blocks[of.test.index()].insts.len();
    let mut back = this.back.iter();
    of.stay == this.header && back.all(|way| way.from == of.test && way.at == end)
}

/// Strip-mines a loop whose shape is known; gives the header of the stretches.
pub(super) fn strip(
    func: &mut Function,
    cfg: &Cfg,
    this: &Loop,
    of: &Counted,
    count: u32,
    edge: Edge,
) -> BlockId {
    let test = &func.blocks[of.test.index()];
    let compare = test.insts[of.compare].clone();
    let loc = test.term_loc;
    let stays_if = matches!(test.term, Term::Branch { then, .. } if then == of.stay);
    let limit = LocalId::new(func.locals.len());
    let name = fresh(func.locals.iter().map(|local| &*local.name), "chunk");
    func.locals.push(Local { name, ty: of.ty });
    let short_compare = compare_with(&compare, of, limit, stays_if);
    let cond = short_compare.op.dsts()[0].map_or(Operand::Imm(0), Operand::Local);
    let branch = |stay: BlockId, leave: BlockId| Term::Branch {
        cond,
        then: if stays_if { stay } else { leave },
        or: if stays_if { leave } else { stay },
    };
    let inst = |op: Op, edge: Edge| Inst {
        op,
        edge,
        loc: compare.loc,
    };
    let chunk = Op::Chunk {
        ty: of.ty,
        dst: limit,
        i: of.i.into(),
        end: of.bound,
        step: of.step,
        count,
    };
    let kind = ProbeKind::Loop;
    let header = this.header;
    let cold = func.blocks[header.index()].cold;
    let old = func.blocks.len();
    let [outer, between, again, bottom, landing] = [0, 1, 2, 3, 4].map(|n| BlockId::new(old + n));

    let bottom_tested = is_bottom_tested(func, this, of);
    let shared = cfg.into[of.stay.index()].len() > 1;
    let body = match (bottom_tested, shared) {
        (true, _) => header,
        (false, true) => landing,
        (false, false) => of.stay,
    };
    let new_target = if bottom_tested { outer } else { bottom };
    if bottom_tested {
        for (n, block) in func.blocks.iter_mut().enumerate() {
            if !this.contains(BlockId::new(n)) {
                retarget(block, header, new_target);
            }
        }
    } else {
        for id in this.blocks() {
            retarget(&mut func.blocks[id.index()], header, new_target);
        }
    }
    let mut bottom_insts = Vec::new();
    if bottom_tested {
        let test = &mut func.blocks[of.test.index()];
        test.insts[of.compare] = short_compare;
        test.term = branch(header, between);
    } else {
        let guard = &mut func.blocks[header.index()];
        bottom_insts.clone_from(&guard.insts);
        bottom_insts[of.compare] = short_compare;
        guard.term = branch(outer, of.leave);
    }
    let jump = Term::Jump;
    add(
        func,
        "outer",
        cold,
        vec![inst(chunk, Edge::NONE)],
        jump(body),
        loc,
    );
    let tail = vec![compare.clone()];
    add(func, "between", cold, tail, branch(again, of.leave), loc);
    let probe = vec![inst(Op::Probe { kind }, edge)];
    add(func, "again", cold, probe, jump(outer), loc);
    if !bottom_tested {
        add(
            func,
            "bottom",
            cold,
            bottom_insts,
            branch(body, between),
            loc,
        );
        if shared {
            add(func, "body", cold, Vec::new(), jump(of.stay), loc);
        }
    }
    body
}

/// The compare with another bound. The branch keeps its sense, so that the condition means in the
/// body what it meant before.
fn compare_with(compare: &Inst, of: &Counted, limit: LocalId, stays_if: bool) -> Inst {
    let op = match (of.op, stays_if) {
        (op, true) => op,
        (CmpOp::Slt, false) => CmpOp::Sge,
        (_, false) => CmpOp::Sle,
    };
    let dst = compare.op.dsts()[0].unwrap_or(limit);
    Inst {
        op: Op::Compare {
            op,
            ty: of.ty,
            dst,
            a: of.i.into(),
            b: limit.into(),
        },
        ..compare.clone()
    }
}

/// Appends a block with a name of its own.
pub(super) fn add(
    func: &mut Function,
    name: &str,
    cold: bool,
    insts: Vec<Inst>,
    term: Term,
    term_loc: crate::air::Loc,
) {
    let name = fresh(func.blocks.iter().map(|block| &*block.name), name);
    func.blocks.push(Block {
        name,
        cold,
        insts,
        term,
        term_loc,
    });
}

/// A name that is not taken.
pub(super) fn fresh<'a>(taken: impl Iterator<Item = &'a str> + Clone, name: &str) -> String {
    let prefix = format!("{name}.");
    let number = |other: &str| other.strip_prefix(&*prefix)?.parse::<u64>().ok();
    let most = taken.clone().filter_map(number).max();
    // Far below the end, for whoever counts on from here; else any number that is free.
    let next = match most {
        None => 1,
        Some(most) if most < 1 << 62 => most + 1,
        Some(_) => {
            let mut low: Vec<u64> = taken.filter_map(number).collect();
            low.sort_unstable();
            low.dedup();
            let gap = low.windows(2).find(|pair| pair[1] - pair[0] > 1 << 40);
            gap.map_or(1, |pair| pair[0] + 1)
        }
    };
    format!("{prefix}{next}")
}

/// Changes every way to `from` into one to `to`.
pub(super) fn retarget(block: &mut Block, from: BlockId, to: BlockId) {
    let change = |target: &mut BlockId| {
        if *target == from {
            *target = to;
        }
    };
    let change_edge = |edge: &mut Edge| {
        if let Some((target, _)) = &mut edge.recover {
            change(target);
        }
        if let Some((target, ..)) = &mut edge.cleanup {
            change(target);
        }
    };
    for inst in &mut block.insts {
        change_edge(&mut inst.edge);
    }
    match &mut block.term {
        Term::Jump(target) => change(target),
        Term::Branch { then, or, .. } => {
            change(then);
            change(or);
        }
        Term::Switch { cases, default, .. } => {
            cases.iter_mut().for_each(|(_, target)| change(target));
            change(default);
        }
        Term::Return(_) => {}
        Term::Throw { edge, .. } | Term::Raise { edge, .. } | Term::Unreachable { edge } => {
            change_edge(edge);
        }
    }
}
