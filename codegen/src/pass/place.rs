//! The placement of probes: guards of rule ABI-1 with the elisions of ABI-2, within ABI-3.
//!
//! Callees come before their callers, so that what a call costs is known. In a function: its
//! entry, the returns from foreign and blocking calls, its loops from the inside out, allocations,
//! and last the gaps that remain.
//!
//! What the front end placed stays and counts.

use super::calls::Calls;
use super::cfg::{Cfg, Loop};
use super::check::{allocates, wants_return_probe};
use super::cost::{self, GAP_MAX, LOOP_MAX};
use super::flow::{Facts, Loops, is_uncovered, runs};
use super::obligation::{self, Held, Scope, same};
use super::unwind::unwind_function;
use super::{rotate, strip, trips};
use crate::air::{BlockId, Edge, FuncId, Function, Inst, Loc, Module, Op, ProbeKind, prune};
use crate::{Error, ProbeMode, Rows};

/// Fewer iterations per stretch than this are not worth a second loop.
const CHUNK_MIN: u64 = 4;

/// Places the probes of a mode in a verified module.
///
/// # Errors
/// None at present; a module that the verifier accepts always has a placement.
pub fn place_probes(module: &Module, rows: &Rows, mode: ProbeMode) -> Result<Module, Error> {
    let mut out = module.clone();
    let calls = Calls::of(module);
    let every = mode == ProbeMode::Every;
    let mut facts = match mode {
        ProbeMode::Auto => Facts::new(module, |func| calls.needs_entry_probe(func)),
        _ => Facts::without_calls(module),
    };
    for &id in &calls.bottom_up {
        let func = &mut out.funcs[id.index()];
        if func.blocks.is_empty() {
            continue;
        }
        match mode {
            ProbeMode::AsIs => continue,
            ProbeMode::Off => {
                for block in &mut func.blocks {
                    block
                        .insts
                        .retain(|inst| !matches!(inst.op, Op::Probe { .. }));
                }
                // Blocks that only a probe led to.
                prune(func);
                entry(func, id, &calls, false);
            }
            ProbeMode::Auto | ProbeMode::Every => {
                entry(func, id, &calls, every || calls.needs_entry_probe(id));
                returns((module, rows, id), func);
                loops((module, rows, id), func, &facts, every);
                allocations(func, rows, &facts, every);
                facts.through[id.index()].gap = gaps(func, &facts);
                unwind_function(module, rows, id, func);
            }
        }
    }
    Ok(out)
}

fn probe(kind: ProbeKind, edge: Edge, loc: Loc) -> Inst {
    Inst {
        op: Op::Probe { kind },
        edge,
        loc,
    }
}

/// The guard of the entry and the check of the stack, unless they are there.
fn entry(func: &mut Function, id: FuncId, calls: &Calls, wants_probe: bool) {
    let wants_check = calls.needs_stack_check(id) || calls.exported[id.index()];
    let head = func.blocks[0].insts.iter();
    let head: Vec<&Op> = head.map(|x| &x.op).take_while(|op| !op.is_call()).collect();
    let has_check = head.contains(&&Op::CheckStack);
    let has_probe = head.iter().any(|op| matches!(op, Op::Probe { .. }));
    let mut first = Vec::new();
    if wants_probe && !has_probe {
        first.push(probe(ProbeKind::Entry, Edge::NONE, func.loc));
    }
    if wants_check && !has_check {
        first.push(Inst {
            op: Op::CheckStack,
            edge: Edge::NONE,
            loc: func.loc,
        });
    }
    func.blocks[0].insts.splice(0..0, first);
}

/// A probe behind each call that may have blocked and each foreign call.
fn returns((module, rows, id): Around<'_>, func: &mut Function) {
    let mut places = Vec::new();
    let scope = Scope {
        module,
        rows,
        id,
        func,
    };
    for (b, block) in func.blocks.iter().enumerate() {
        for (n, inst) in block.insts.iter().enumerate() {
            let next = block.insts.get(n + 1).map(|next| &next.op);
            if wants_return_probe(&inst.op, rows) && !matches!(next, Some(Op::Probe { .. })) {
                // Behind what changes what is held, its edge is of another state.
                let edge = match scope.changes(&inst.op) {
                    true => Edge::NONE,
                    false => inst.edge,
                };
                places.push((b, n + 1, probe(ProbeKind::Return, edge, inst.loc)));
            }
        }
    }
    for (b, n, probe) in places.into_iter().rev() {
        func.blocks[b].insts.insert(n, probe);
    }
}

/// The module, whose signatures no pass changes, its rows, and the function.
type Around<'a> = (&'a Module, &'a Rows, FuncId);

/// The loops, from the inside out. What is changed in a round are loops apart from each other, so
/// that what is known of one holds when another has changed; then all are found anew.
fn loops((module, rows, id): Around<'_>, func: &mut Function, facts: &Facts, every: bool) {
    let mut done = vec![false; func.blocks.len()];
    loop {
        let cfg = Cfg::of(func);
        let loops = Loops::of(func, &cfg);
        let scope = Scope {
            module,
            rows,
            id,
            func,
        };
        // What is held does not change with the probes that a round adds.
        let starts = match scope.holds() {
            true => obligation::follow(scope, |_| {}).starts,
            false => Vec::new(),
        };
        let round = loops.innermost_first(|this| !done[this.header.index()]);
        if round.is_empty() {
            break;
        }
        for n in round {
            let this = &loops.list[n];
            done[this.header.index()] = true;
            let scope = Scope {
                module,
                rows,
                id,
                func,
            };
            let edge = edge_of(scope, &starts, this);
            let header = one_loop(func, facts, every, (&cfg, &loops, n), edge);
            done.resize(func.blocks.len(), false);
            done[header.index()] = true;
        }
    }
    irreducible(func, facts, every);
}

/// One loop, whose probe has this edge; gives its new header.
fn one_loop(
    func: &mut Function,
    facts: &Facts,
    every: bool,
    (cfg, loops, n): (&Cfg, &Loops, usize),
    edge: Edge,
) -> BlockId {
    let this = &loops.list[n];
    if every {
        guard_header(func, this, edge);
        return this.header;
    }
    if loops.bound[n].is_some() || !is_uncovered(func, cfg, facts, this) {
        return this.header;
    }
    let count = LOOP_MAX / loop_cost(func, facts, loops, this).max(1);
    let ways = loops.counted(func, cfg, n);
    let counted = ways.into_iter().find(|of| {
        count >= CHUNK_MIN
            && trips::strippable(of)
            // A second loop around a few iterations costs more than their probes.
            && trips::short(func, cfg, this, of).is_none()
            && strip::knows(func, this, of)
            && (!strip::is_bottom_tested(func, this, of)
                || trips::guarded(func, cfg, this.header, of))
    });
    if let Some(of) = counted {
        let count = count.min(u64::from(trips::CHUNK_MAX)) as u32;
        return strip::strip(func, cfg, this, &of, count, edge);
    }
    if let Some(stay) = rotate::stays(func, this) {
        let loc = func.blocks[this.header.index()].term_loc;
        let probe = probe(ProbeKind::Loop, edge, loc);
        return rotate::rotate(func, cfg, this, stay, probe);
    }
    guard_header(func, this, edge);
    this.header
}

/// A probe at the header of a loop.
fn guard_header(func: &mut Function, this: &Loop, edge: Edge) {
    let header = &mut func.blocks[this.header.index()];
    if matches!(
        header.insts.first().map(|inst| &inst.op),
        Some(Op::Probe { .. })
    ) {
        return;
    }
    let loc = header
        .insts
        .first()
        .map_or(header.term_loc, |inst| inst.loc);
    header.insts.insert(0, probe(ProbeKind::Loop, edge, loc));
}

/// A probe at each block to which control goes back without a natural loop.
fn irreducible(func: &mut Function, facts: &Facts, every: bool) {
    let cfg = Cfg::of(func);
    let mut targets: Vec<BlockId> = Vec::new();
    for way in cfg.order.iter().flat_map(|block| &cfg.out[block.index()]) {
        let natural = cfg.dominates(way.to, way.from);
        let guarded = !every && facts.is_guarded(func, way);
        if cfg.is_retreating(way) && !natural && !guarded {
            targets.push(way.to);
        }
    }
    targets.sort();
    targets.dedup();
    for target in targets {
        let block = &mut func.blocks[target.index()];
        block
            .insts
            .insert(0, probe(ProbeKind::Loop, Edge::NONE, block.term_loc));
    }
}

/// Machine instructions of one iteration, with the iterations of inner loops that end soon.
fn loop_cost(func: &Function, facts: &Facts, loops: &Loops, this: &Loop) -> u64 {
    let block_cost = |id: BlockId| {
        let block = &func.blocks[id.index()];
        let insts: u64 = block.insts.iter().map(|inst| facts.cost(&inst.op)).sum();
        let once = insts + cost::of_term(&block.term);
        once.saturating_mul(loops.times[id.index()])
    };
    let costs = this.blocks().map(block_cost);
    costs.fold(0, u64::saturating_add)
}

/// Where a failure of the loop's probe goes: where that of the first instruction in the loop goes
/// that is protected like the header, by blocks outside the loop. Where anything is held, only a
/// cleanup edge will do, from a place where the same is held.
fn edge_of(scope: Scope<'_>, starts: &[Option<obligation::Shared>], this: &Loop) -> Edge {
    let start = |id: BlockId| starts.get(id.index()).and_then(Option::as_ref);
    let at_header = start(this.header).map_or(&[][..], |state| state);
    let outside = |edge: &Edge| !edge.is_none() && edge.targets().all(|to| !this.contains(to));
    for id in this.blocks() {
        let mut now = start(id).map(Held::new).unwrap_or_default();
        for (at, inst) in scope.func.blocks[id.index()].insts.iter().enumerate() {
            let closes = at_header.is_empty() || inst.edge.cleanup.is_some();
            if closes && outside(&inst.edge) && same(now.items(), at_header) {
                return inst.edge;
            }
            if !starts.is_empty() {
                obligation::step(scope, &mut now, id, at, &inst.op);
            }
        }
    }
    Edge::NONE
}

/// A probe before each allocation that a path reaches without one.
fn allocations(func: &mut Function, rows: &Rows, facts: &Facts, every: bool) {
    let cfg = Cfg::of(func);
    let loops = Loops::of(func, &cfg);
    let mut places = Vec::new();
    runs(func, &cfg, facts, &loops, |block, at, run| {
        let insts = &func.blocks[block.index()].insts;
        let before = at.checked_sub(1).and_then(|n| insts.get(n)).map(|x| &x.op);
        let bare = run.clear.is_some() || every && !matches!(before, Some(Op::Probe { .. }));
        if bare && insts.get(at).is_some_and(|inst| allocates(&inst.op, rows)) {
            places.push((block, at));
        }
    });
    insert(func, places, ProbeKind::Alloc);
}

/// Probes in the gaps that remain; gives what a call of the function costs. A round looks at the
/// first place behind each multiple of the longest gap, which are few rounds even in long code.
fn gaps(func: &mut Function, facts: &Facts) -> u64 {
    loop {
        let cfg = Cfg::of(func);
        let loops = Loops::of(func, &cfg);
        let mut over = std::collections::BTreeMap::new();
        let through = runs(func, &cfg, facts, &loops, |block, at, run| {
            // What is over at the beginning of a block was over at the end of one before it; a
            // probe here would come too late, and for ever.
            if at > 0 && run.gap > GAP_MAX {
                over.entry(run.gap / GAP_MAX).or_insert((block, at));
            }
        });
        let places = over.into_values();
        let places = places.filter_map(|place| gap_probes(func, &cfg, &loops, place));
        let places: Vec<(BlockId, usize)> = places.flatten().collect();
        if places.is_empty() {
            return through;
        }
        insert(func, places, ProbeKind::Gap);
    }
}

/// Where probes end a gap that is too long at this place. In a loop that ends soon, a probe before
/// it is enough, if the loop alone is within bounds: before the outermost such loop, else before
/// one further inside, else in the block. A second probe behind a probe would change nothing.
fn gap_probes(
    func: &Function,
    cfg: &Cfg,
    loops: &Loops,
    (block, at): (BlockId, usize),
) -> Option<Vec<(BlockId, usize)>> {
    let around = loops.list.iter().zip(&loops.bound);
    let around = around.filter(|(this, bound)| bound.is_some() && this.contains(block));
    let before = |(this, _): (&Loop, _)| -> Vec<(BlockId, usize)> {
        let ways = trips::entries(cfg, this).map(|way| {
            let end = func.blocks[way.from.index()].insts.len();
            (way.from, way.at.min(end))
        });
        ways.collect()
    };
    let inside = std::iter::once(vec![(block, at.saturating_sub(1))]);
    let is_new = |places: &Vec<(BlockId, usize)>| {
        places.iter().any(|&(block, at)| {
            let last = func.blocks[block.index()].insts[..at].last();
            !last.is_some_and(|inst| matches!(inst.op, Op::Probe { .. }))
        })
    };
    around.map(before).chain(inside).find(is_new)
}

/// Puts probes before these instructions, each with the instruction's edge.
fn insert(func: &mut Function, mut places: Vec<(BlockId, usize)>, kind: ProbeKind) {
    places.sort();
    places.dedup();
    for (block, at) in places.into_iter().rev() {
        let block = &mut func.blocks[block.index()];
        let (edge, loc) = match block.insts.get(at) {
            Some(inst) => (inst.edge, inst.loc),
            None => (
                block.term.edge().copied().unwrap_or(Edge::NONE),
                block.term_loc,
            ),
        };
        block.insts.insert(at, probe(kind, edge, loc));
    }
}
