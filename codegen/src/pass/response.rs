//! Responsiveness of functions (rules ABI-32, CAN-18): C, M and F, in polls.
//!
//! A poll ends where an asynchronous function suspends: at a row that waits, in an await, or at a
//! probe that is told to. Each counts as one suspension; a spurious wake is not counted. Unmasked,
//! each is a cancel point, so C is one more than the most suspensions in one masked stretch. M is
//! the greatest depth of masks, callees included. F is what the longest cleanup suspends.
//!
//! The most suspensions between two blocks is a longest path: a cycle that suspends has no bound,
//! nor has recursion, nor a function that is not known. In a mask, a wait without bound is refused;
//! a loop that only its probes could suspend is not, though it makes C unbounded.

use super::calls::{Calls, Components, components};
use super::obligation::{BlockKind, Held, Item, Scope, follow, step};
use asr_intrinsics::Effect;

use crate::Rows;
use crate::air::{FuncId, Function, Module, Op, Place, VerifyError, code};

/// A number of polls or masks that has no bound.
pub const UNBOUNDED: u64 = u64::MAX;

/// What one function publishes: each may be [`UNBOUNDED`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Response {
    /// The most polls between two cancel points.
    pub cancel_gap: u64,
    /// The greatest mask depth.
    pub mask_depth: u64,
    /// The most polls of its cleanup.
    pub cleanup: u64,
    /// The most polls of all of it.
    pub polls: u64,
}

impl Response {
    /// The bound R of CAN-18: polls from a request to the end.
    pub fn bound(self) -> u64 {
        let levels = self.mask_depth.saturating_add(1);
        levels
            .saturating_mul(self.cancel_gap)
            .saturating_add(self.cleanup)
    }
}

/// The responses of the functions of a verified module, by number.
pub fn responses(module: &Module, rows: &Rows) -> Vec<Response> {
    let mut all = Analysis::new(module, rows, true);
    all.run();
    all.found
}

/// Waits without bound inside of masks, in the order of functions. The caller decides: neither the
/// verifier nor `prepare` runs this.
pub fn check_masks(module: &Module, rows: &Rows) -> Vec<VerifyError> {
    let opens_mask = |op: &Op| match op {
        Op::Intrinsic { row, .. } => rows.get(row).is_some_and(|row| row.has(Effect::OpensMask)),
        _ => false,
    };
    let mut blocks = module.funcs.iter().flat_map(|func| &func.blocks);
    let has_masks = blocks.any(|block| block.insts.iter().any(|inst| opens_mask(&inst.op)));
    if !has_masks {
        return Vec::new();
    }
    let mut all = Analysis::new(module, rows, false);
    all.run();
    let mut places = all.unbounded;
    places.sort_unstable();
    let error = |(func, block, at): (u32, usize, usize)| {
        let place = Place::Inst(FuncId(func), crate::air::BlockId::new(block), at);
        let message = "this wait has no bound, and stands in a mask: nothing cancels it there; \
                       move it, the loop or the recursion out of the mask";
        VerifyError::new(module, code::UNBOUNDED_MASK, place, message)
    };
    places.into_iter().map(error).collect()
}

struct Analysis<'a> {
    module: &'a Module,
    rows: &'a Rows,
    calls: Calls,
    /// Whether probes count as suspensions.
    probes: bool,
    found: Vec<Response>,
    /// Functions whose response is known.
    done: Vec<bool>,
    /// Waits without bound in masks: function, block, instruction.
    unbounded: Vec<(u32, usize, usize)>,
}

/// A block, as the longest paths see it.
#[derive(Clone, Default)]
struct Part {
    /// Suspensions in it.
    all: u64,
    /// Masked suspensions from its beginning until no mask is open.
    head: u64,
    /// The most in a masked stretch that begins in it, until that ends or the block does.
    tail: u64,
    /// Whether a mask is open in all of it, and at its end.
    through: bool,
    ends_masked: bool,
}

impl<'a> Analysis<'a> {
    fn new(module: &'a Module, rows: &'a Rows, probes: bool) -> Analysis<'a> {
        let response = |is_async| Response {
            cancel_gap: if is_async { UNBOUNDED } else { 1 },
            mask_depth: 0,
            cleanup: if is_async { UNBOUNDED } else { 0 },
            polls: if is_async { UNBOUNDED } else { 0 },
        };
        Analysis {
            module,
            rows,
            calls: Calls::of(module),
            probes,
            found: module
                .funcs
                .iter()
                .map(|func| response(func.is_async))
                .collect(),
            done: vec![false; module.funcs.len()],
            unbounded: Vec::new(),
        }
    }

    fn run(&mut self) {
        for n in 0..self.calls.bottom_up.len() {
            let id = self.calls.bottom_up[n];
            let func = &self.module.funcs[id.index()];
            if !func.blocks.is_empty() {
                self.found[id.index()] = self.function(id, func);
            }
            self.done[id.index()] = true;
        }
    }

    /// What a call gives, for an instruction that calls.
    fn callee(&self, op: &Op) -> Option<Response> {
        let unknown = |is_async| Response {
            cancel_gap: if is_async { UNBOUNDED } else { 1 },
            mask_depth: UNBOUNDED,
            cleanup: if is_async { UNBOUNDED } else { 0 },
            polls: if is_async { UNBOUNDED } else { 0 },
        };
        match op {
            Op::Call { func, .. } | Op::Await { func, .. } => match self.done[func.index()] {
                true => Some(self.found[func.index()]),
                // In a cycle of calls.
                false => Some(unknown(self.module.funcs[func.index()].is_async)),
            },
            Op::CallIndirect { .. } => Some(unknown(false)),
            Op::AwaitIndirect { .. } => Some(unknown(true)),
            _ => None,
        }
    }

    /// Suspensions in one instruction.
    fn suspends(&self, func: &Function, op: &Op) -> u64 {
        match op {
            Op::Probe { .. } => u64::from(self.probes && func.is_async),
            Op::Intrinsic { row, .. } => {
                u64::from(self.rows.get(row).is_some_and(|row| row.waits()))
            }
            op => self
                .callee(op)
                .map_or(0, |callee| callee.polls.saturating_sub(1)),
        }
    }

    fn function(&mut self, id: FuncId, func: &Function) -> Response {
        let scope = Scope {
            module: self.module,
            rows: self.rows,
            id,
            func,
        };
        let starts = match scope.holds() {
            true => follow(scope, |_| {}).starts,
            false => vec![None; func.blocks.len()],
        };
        let mut response = Response {
            cancel_gap: 1,
            mask_depth: 0,
            cleanup: 0,
            polls: 1,
        };
        let mut parts = vec![Part::default(); func.blocks.len()];
        let mut cleanups = Vec::new();
        let mut waits = Vec::new();
        for (b, block) in func.blocks.iter().enumerate() {
            let mut held = starts[b].as_ref().map(Held::new).unwrap_or_default();
            let part = &mut parts[b];
            let mut depth = masks(&held);
            part.through = depth > 0;
            let mut run = 0_u64;
            for (at, inst) in block.insts.iter().enumerate() {
                let suspends = self.suspends(func, &inst.op);
                part.all = part.all.saturating_add(suspends);
                if depth > 0 {
                    run = run.saturating_add(suspends);
                    if suspends > 0 {
                        waits.push((b, at, suspends));
                    }
                }
                let callee = self.callee(&inst.op);
                if let Some(callee) = callee {
                    let depth = depth.saturating_add(callee.mask_depth);
                    response.mask_depth = response.mask_depth.max(depth);
                    response.cleanup = response.cleanup.max(callee.cleanup);
                    response.cancel_gap = response.cancel_gap.max(callee.cancel_gap);
                }
                if let Some((to, ..)) = inst.edge.cleanup {
                    cleanups.push((to, callee.map_or(0, |callee| callee.cleanup)));
                }
                step(scope, &mut held, crate::air::BlockId::new(b), at, &inst.op);
                depth = masks(&held);
                response.mask_depth = response.mask_depth.max(depth);
                if depth == 0 {
                    match std::mem::replace(&mut part.through, false) {
                        true => part.head = run,
                        false => part.tail = part.tail.max(run),
                    }
                    run = 0;
                }
            }
            part.ends_masked = depth > 0;
            match part.through {
                true => part.head = run,
                false => part.tail = part.tail.max(run),
            }
        }
        let next: Vec<Vec<usize>> = func.blocks.iter().map(successors).collect();
        let weights: Vec<u64> = parts.iter().map(|part| part.all).collect();
        let (longest, _) = longest(&weights, &next);
        response.polls = longest[0].saturating_add(1);
        for (to, before) in cleanups {
            let cleanup = longest[to.index()].saturating_add(before);
            response.cleanup = response.cleanup.max(cleanup);
        }
        self.masked(id, &parts, &next, &waits, &mut response);
        response
    }

    /// The longest masked stretch, and the waits that make one unbounded.
    fn masked(
        &mut self,
        id: FuncId,
        parts: &[Part],
        next: &[Vec<usize>],
        waits: &[(usize, usize, u64)],
        response: &mut Response,
    ) {
        let weights: Vec<u64> = parts.iter().map(|part| part.head).collect();
        let goes = |b: usize| match parts[b].through {
            true => next[b].clone(),
            false => Vec::new(),
        };
        let inside: Vec<Vec<usize>> = (0..parts.len()).map(goes).collect();
        let (stretch, cyclic) = longest(&weights, &inside);
        for (b, part) in parts.iter().enumerate() {
            let after = match part.ends_masked && !part.through {
                true => next[b].iter().map(|&to| stretch[to]).max().unwrap_or(0),
                false => 0,
            };
            let most = stretch[b].max(part.tail.saturating_add(after));
            response.cancel_gap = response.cancel_gap.max(most.saturating_add(1));
        }
        let endless = waits
            .iter()
            .filter(|(b, _, suspends)| *suspends >= FOREVER || cyclic[*b]);
        self.unbounded
            .extend(endless.map(|&(b, at, _)| (id.0, b, at)));
    }
}

/// Suspensions of a callee without bound, less the one that its caller has anyway.
const FOREVER: u64 = UNBOUNDED - 1;

fn masks(held: &Held) -> u64 {
    let masks = held.items().iter();
    masks
        .filter(|item| matches!(item, Item::Block(BlockKind::Mask)))
        .count() as u64
}

fn successors(block: &crate::air::Block) -> Vec<usize> {
    let mut list = Vec::new();
    block.for_each_successor(|to| list.push(to.index()));
    list
}

/// The heaviest way from each node, and which nodes lie on a cycle; a cycle that weighs anything
/// is without bound. The nodes of a component reach each other, so they have one answer.
fn longest(weights: &[u64], next: &[Vec<usize>]) -> (Vec<u64>, Vec<bool>) {
    let Components {
        cyclic, of, order, ..
    } = components(next);
    let mut most = vec![0_u64; weights.len()];
    let mut rest = order.as_slice();
    while let Some(first) = rest.first() {
        let component = of[first.index()];
        let is_member = |id: &FuncId| of[id.index()] == component;
        let count = rest.iter().take_while(|id| is_member(id)).count();
        let (members, behind) = rest.split_at(count);
        rest = behind;
        let own = members
            .iter()
            .fold(0_u64, |sum, id| match weights[id.index()] {
                weight if weight > 0 && cyclic[id.index()] => UNBOUNDED,
                weight => sum.saturating_add(weight),
            });
        let after = members.iter().flat_map(|id| &next[id.index()]);
        let after = after.map(|&to| most[to]).max().unwrap_or(0);
        let both = own.saturating_add(after);
        members.iter().for_each(|id| most[id.index()] = both);
    }
    (most, cyclic)
}
