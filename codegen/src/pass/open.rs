//! Intents and masks that are open at a probe: a failure that leaves the function from there must
//! close them (rules ABI-19, ABI-30 h).
//!
//! A probe that the pass places takes over the edge of an instruction nearby. Where none has a
//! cleanup block, one is made here: it closes what is open, innermost first, and goes on with the
//! failure.

use asr_intrinsics::Effect;

use super::cfg::Cfg;
use crate::Rows;
use crate::air::{Block, BlockId, Edge, Function, Inst, Loc, Local, LocalId, Op, Term, Type};

/// What is open at a place, outermost first.
pub(super) type Open = Vec<Effect>;

/// What is open at the beginning of each block. The verifier has seen that all ways agree.
pub(super) fn at_starts(func: &Function, cfg: &Cfg, rows: &Rows) -> Vec<Open> {
    let mut open: Vec<Option<Open>> = vec![None; func.blocks.len()];
    for &id in &cfg.order {
        let mut now = open[id.index()].get_or_insert_default().clone();
        let insts = &func.blocks[id.index()].insts;
        for at in 0..=insts.len() {
            for way in cfg.out[id.index()].iter().filter(|way| way.at == at) {
                let target = &mut open[way.to.index()];
                if target.is_none() {
                    *target = Some(now.clone());
                }
            }
            if let Some(inst) = insts.get(at) {
                step(&mut now, &inst.op, rows);
            }
        }
    }
    open.into_iter().map(Option::unwrap_or_default).collect()
}

/// What is open behind an instruction.
pub(super) fn step(open: &mut Open, op: &Op, rows: &Rows) {
    let Op::Intrinsic { row, .. } = op else {
        return;
    };
    for effect in rows.get(row).map_or(&[][..], |row| row.does) {
        match effect {
            Effect::OpensIntent | Effect::OpensMask => open.push(*effect),
            Effect::ClosesIntent | Effect::ClosesMask => {
                open.pop();
            }
            _ => {}
        }
    }
}

/// Gives a cleanup block to each probe that would leave something open.
pub(super) fn close_at_probes(func: &mut Function, rows: &Rows) {
    let uses = |inst: &Inst| {
        let mut open = Vec::new();
        step(&mut open, &inst.op, rows);
        !open.is_empty()
    };
    if !func.blocks.iter().any(|block| block.insts.iter().any(uses)) {
        return;
    }
    let cfg = Cfg::of(func);
    let starts = at_starts(func, &cfg, rows);
    let mut made: Vec<(Open, (BlockId, LocalId, LocalId))> = Vec::new();
    for &id in &cfg.order {
        let mut open = starts[id.index()].clone();
        for at in 0..func.blocks[id.index()].insts.len() {
            let inst = &func.blocks[id.index()].insts[at];
            let bare = matches!(inst.op, Op::Probe { .. }) && inst.edge.cleanup.is_none();
            let loc = inst.loc;
            step(&mut open, &inst.op, rows);
            if !bare || open.is_empty() {
                continue;
            }
            let known = made.iter().find(|(of, _)| *of == open);
            let cleanup = known.map(|(_, cleanup)| *cleanup);
            let cleanup = cleanup.unwrap_or_else(|| {
                let cleanup = cleanup_block(func, rows, &open, loc);
                made.push((open.clone(), cleanup));
                cleanup
            });
            func.blocks[id.index()].insts[at].edge.cleanup = Some(cleanup);
        }
    }
}

/// A cold block that closes what is open and goes on with the failure.
fn cleanup_block(
    func: &mut Function,
    rows: &Rows,
    open: &Open,
    loc: Loc,
) -> (BlockId, LocalId, LocalId) {
    let mut local = |name: &str| {
        let taken = func.locals.iter().map(|local| &*local.name);
        let name = super::strip::fresh(taken, name);
        func.locals.push(Local {
            name,
            ty: Type::I64,
        });
        LocalId::new(func.locals.len() - 1)
    };
    let (value, status) = (local("failed"), local("status"));
    let closers = open.iter().rev().filter_map(|effect| {
        let closes = match effect {
            Effect::OpensIntent => Effect::ClosesIntent,
            _ => Effect::ClosesMask,
        };
        rows.closer(closes)
    });
    let insts = closers.map(|row| Inst {
        op: Op::Intrinsic {
            dst: None,
            row: row.name.to_owned(),
            args: Vec::new(),
        },
        edge: Edge::NONE,
        loc,
    });
    let insts = insts.collect();
    let name = super::strip::fresh(func.blocks.iter().map(|block| &*block.name), "close");
    func.blocks.push(Block {
        name,
        cold: true,
        insts,
        term: Term::Raise {
            value: value.into(),
            status: status.into(),
            edge: Edge::NONE,
        },
        term_loc: loc,
    });
    (BlockId::new(func.blocks.len() - 1), value, status)
}
