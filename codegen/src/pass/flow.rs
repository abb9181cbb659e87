//! What is known along the paths of a function: which ways pass a guard, which loops end without
//! one, how much code runs since the last.

use super::cfg::{Cfg, Loop, Way};
use super::cost::{self, Through};
use super::counted::{self, Counted};
use super::trips;
use crate::air::{BlockId, FuncId, Function, Module, Op, Term};

/// What is known of the functions of a module while their probes are placed or checked.
pub(super) struct Facts {
    /// What a call of each function costs.
    pub(super) through: Vec<Through>,
}

impl Facts {
    /// Nothing but which entries probe; `will` tells those that will.
    pub(super) fn new(module: &Module, will: impl Fn(FuncId) -> bool) -> Facts {
        let through = module.funcs.iter().enumerate().map(|(n, func)| Through {
            gap: 0,
            probes: will(FuncId::new(n)) || entry_probes(func),
        });
        Facts {
            through: through.collect(),
        }
    }

    /// Nothing: no call guards, none costs more than its instruction.
    pub(super) fn without_calls(module: &Module) -> Facts {
        Facts {
            through: vec![Through::default(); module.funcs.len()],
        }
    }

    /// Whether control that has passed this instruction has passed a probe in it.
    pub(super) fn guards(&self, op: &Op) -> bool {
        match op {
            Op::Probe { .. } => true,
            Op::Call { func, .. } => self.through[func.index()].probes,
            _ => false,
        }
    }

    /// Machine instructions of an instruction, with those of a callee that does not probe.
    pub(super) fn cost(&self, op: &Op) -> u64 {
        let callee = match op {
            Op::Call { func, .. } => self.through[func.index()].gap,
            _ => 0,
        };
        cost::of_op(op) + callee
    }

    /// Whether a guard stands on the way before it leaves its block.
    pub(super) fn is_guarded(&self, func: &Function, way: &Way) -> bool {
        let insts = &func.blocks[way.from.index()].insts;
        insts
            .iter()
            .take(way.at + 1)
            .any(|inst| self.guards(&inst.op))
    }
}

/// Whether the entry probes before anything that takes time.
pub(super) fn entry_probes(func: &Function) -> bool {
    let first = func.blocks.first().map(|block| block.insts.as_slice());
    first
        .unwrap_or_default()
        .iter()
        .take_while(|inst| !inst.op.is_call())
        .any(|inst| matches!(inst.op, Op::Probe { .. }))
}

/// No loop.
const NONE: usize = usize::MAX;

/// The loops of a function, and how often those run that end soon.
pub(super) struct Loops {
    /// The natural loops, outer ones first.
    pub(super) list: Vec<Loop>,
    /// Bound on the iterations of each, if ABI-2 lets it be without a probe.
    pub(super) bound: Vec<Option<u32>>,
    /// Product of the bounds of the loops around each block.
    pub(super) times: Vec<u64>,
    /// The innermost loop around each block, by its number.
    innermost: Vec<usize>,
    /// The loop around each loop.
    parent: Vec<usize>,
    /// The loop that has each block as its header.
    headed: Vec<usize>,
}

impl Loops {
    pub(super) fn of(func: &Function, cfg: &Cfg) -> Loops {
        let list = cfg.loops();
        let count = func.blocks.len();
        let mut loops = Loops {
            bound: vec![None; list.len()],
            times: vec![1; count],
            innermost: vec![NONE; count],
            parent: vec![NONE; list.len()],
            headed: vec![NONE; count],
            list,
        };
        for (n, this) in loops.list.iter().enumerate() {
            loops.headed[this.header.index()] = n;
            loops.parent[n] = loops.innermost[this.header.index()];
            for block in this.blocks() {
                loops.innermost[block.index()] = n;
            }
        }
        for n in 0..loops.list.len() {
            loops.bound[n] = loops.find_bound(func, cfg, n);
        }
        for (this, bound) in loops.list.iter().zip(&loops.bound) {
            if let Some(bound) = bound {
                for block in this.blocks() {
                    let times = &mut loops.times[block.index()];
                    *times = times.saturating_mul(u64::from(*bound));
                }
            }
        }
        loops
    }

    /// The ways in which the loop with this number is counted.
    pub(super) fn counted(&self, func: &Function, cfg: &Cfg, n: usize) -> Vec<Counted> {
        let in_inner = |block: BlockId| self.innermost[block.index()] != n;
        counted::counted(func, cfg, &self.list[n], in_inner)
    }

    /// Whether the way goes back to the header of a loop that ends soon.
    pub(super) fn ends_soon(&self, way: &Way) -> bool {
        let n = self.headed[way.to.index()];
        n != NONE && self.bound[n].is_some() && self.list[n].back.contains(way)
    }

    /// The loops for which `todo` holds and that hold no other such loop, inner ones first.
    pub(super) fn innermost_first(&self, todo: impl Fn(&Loop) -> bool) -> Vec<usize> {
        let mut below = vec![false; self.list.len()];
        let mut found = Vec::new();
        for (n, this) in self.list.iter().enumerate().rev() {
            let is_todo = todo(this);
            if is_todo && !below[n] {
                found.push(n);
            }
            if (is_todo || below[n]) && self.parent[n] != NONE {
                below[self.parent[n]] = true;
            }
        }
        found
    }

    /// The bound on the iterations of a loop, if it is short or a stretch of a strip-mined one.
    fn find_bound(&self, func: &Function, cfg: &Cfg, n: usize) -> Option<u32> {
        let this = &self.list[n];
        let ways = self.counted(func, cfg, n);
        let stretch = |of: &Counted| trips::stretch(func, cfg, this, of);
        if let Some(count) = ways.iter().find_map(stretch) {
            return Some(count);
        }
        let calls = this.blocks().any(|block| {
            let insts = &func.blocks[block.index()].insts;
            insts.iter().any(|inst| inst.op.is_call())
        });
        let has_inner = this
            .blocks()
            .any(|block| self.innermost[block.index()] != n);
        let cost: u64 = this.blocks().map(|block| cost::of_block(func, block)).sum();
        if calls || has_inner || cost * u64::from(trips::SHORT_MAX) > cost::LOOP_MAX {
            return None;
        }
        let short = |of: &Counted| trips::short(func, cfg, this, of);
        ways.iter().find_map(short)
    }
}

/// Whether control can go once around the loop without a guard.
pub(super) fn is_uncovered(func: &Function, cfg: &Cfg, facts: &Facts, this: &Loop) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![this.header];
    while let Some(block) = open.pop() {
        if !seen.insert(block) {
            continue;
        }
        for way in &cfg.out[block.index()] {
            if !this.contains(way.to) || facts.is_guarded(func, way) {
                continue;
            }
            if way.to == this.header {
                return true;
            }
            open.push(way.to);
        }
    }
    false
}

/// Ways that close a cycle on which no guard stands and no loop ends soon.
pub(super) fn bare_cycles(func: &Function, cfg: &Cfg, facts: &Facts, loops: &Loops) -> Vec<Way> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let bare: Vec<Vec<Way>> = cfg
        .out
        .iter()
        .map(|ways| {
            let bare = |way: &&Way| !facts.is_guarded(func, way) && !loops.ends_soon(way);
            ways.iter().filter(bare).copied().collect()
        })
        .collect();
    let mut mark = vec![Mark::New; func.blocks.len()];
    let mut found = Vec::new();
    for &root in &cfg.order {
        let mut work = vec![(root, 0)];
        if mark[root.index()] != Mark::New {
            continue;
        }
        mark[root.index()] = Mark::Open;
        while let Some(&mut (block, ref mut next)) = work.last_mut() {
            let Some(way) = bare[block.index()].get(*next) else {
                mark[block.index()] = Mark::Done;
                work.pop();
                continue;
            };
            *next += 1;
            match mark[way.to.index()] {
                Mark::New => {
                    mark[way.to.index()] = Mark::Open;
                    work.push((way.to, 0));
                }
                Mark::Open => found.push(*way),
                Mark::Done => {}
            }
        }
    }
    found
}

/// How much code has run at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    /// Longest way since the last guard, or since the entry.
    pub(super) gap: u64,
    /// Longest way from the entry without a guard, if there is one.
    pub(super) clear: Option<u64>,
}

impl Run {
    /// At the beginning of a block that nothing is known to reach.
    const NEVER: Run = Run {
        gap: 0,
        clear: None,
    };

    fn add(&mut self, cost: u64) {
        self.gap = self.gap.saturating_add(cost);
        self.clear = self.clear.map(|clear| clear.saturating_add(cost));
    }

    fn guard(&mut self) {
        *self = Run::NEVER;
    }

    fn join(&mut self, other: Run) -> bool {
        let before = *self;
        self.gap = self.gap.max(other.gap);
        self.clear = self.clear.max(other.clear);
        *self != before
    }
}

/// Visits the instructions of a function whose cycles are all guarded or end soon, with what has
/// run before each; the index behind the last is the end of the block. Gives what a call costs.
pub(super) fn runs(
    func: &Function,
    cfg: &Cfg,
    facts: &Facts,
    loops: &Loops,
    mut visit: impl FnMut(BlockId, usize, Run),
) -> u64 {
    let mut at_start = vec![Run::NEVER; func.blocks.len()];
    at_start[0].clear = Some(0);
    // Without the ways back of loops that end soon and behind guards there are no cycles, so this
    // settles after as many rounds as a path has ways that go back in the order.
    let mut rounds = func.blocks.len() + 2;
    let mut changed = true;
    while changed && rounds > 0 {
        changed = false;
        rounds -= 1;
        for &block in &cfg.order {
            through_block(
                func,
                facts,
                loops,
                block,
                at_start[block.index()],
                |at, run| {
                    for way in cfg.out[block.index()].iter().filter(|way| way.at == at) {
                        if !loops.ends_soon(way) {
                            changed |= at_start[way.to.index()].join(run);
                        }
                    }
                },
            );
        }
    }
    let mut leaves = 0;
    for &id in &cfg.order {
        let block = &func.blocks[id.index()];
        let mut before = at_start[id.index()];
        visit(id, 0, before);
        through_block(func, facts, loops, id, before, |at, run| {
            before = run;
            visit(id, at + 1, before);
            if at == block.insts.len() && matches!(block.term, Term::Return(_)) {
                leaves = leaves.max(run.clear.unwrap_or(0));
            }
        });
    }
    leaves
}

/// Follows a block; calls `behind` with what has run behind each instruction and the end.
fn through_block(
    func: &Function,
    facts: &Facts,
    loops: &Loops,
    id: BlockId,
    mut run: Run,
    mut behind: impl FnMut(usize, Run),
) {
    let block = &func.blocks[id.index()];
    let times = loops.times[id.index()];
    for (at, inst) in block.insts.iter().enumerate() {
        if facts.guards(&inst.op) {
            run.guard();
        } else {
            run.add(facts.cost(&inst.op).saturating_mul(times));
        }
        behind(at, run);
    }
    run.add(cost::of_term(&block.term) * times);
    behind(block.insts.len(), run);
}
