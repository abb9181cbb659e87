//! Intents and masks: opened and closed innermost first, on every path (rules ABI-19, ABI-30 f),
//! and left by no failure (rule ABI-30 h).
//!
//! Each block is entered with one stack of open things. The first path to reach a block says
//! which; every other path must bring the same. So each block is looked at once.
//!
//! A loop in which an intent or mask is open carries a `probe.explicit` with a cleanup edge, or
//! some other instruction with one that the probe pass can copy: the pass cannot invent the block
//! that closes it. Verified again after the pass, a probe without such an edge is an error here.
//!
//! A failure carries the stack from before its instruction: an intent that could not be pushed is
//! not open. What may be cancelled needs a cleanup edge; what may only fault may also recover.

use super::{Checker, Here};
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::module::Function;
use crate::air::span::Place;
use asr_intrinsics::{Effect, Row};

/// Most open intents and masks of one function.
const DEPTH_MAX: u32 = 64;

/// What is open, as a stack of bits: the lowest is the innermost, 1 for a mask, 0 for an intent.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Open {
    depth: u32,
    masks: u64,
}

impl Open {
    fn innermost(self) -> Option<&'static str> {
        (self.depth > 0).then_some(if self.masks & 1 == 1 {
            "mask"
        } else {
            "intent"
        })
    }

    fn push(self, mask: bool) -> Open {
        Open {
            depth: self.depth + 1,
            masks: self.masks << 1 | u64::from(mask),
        }
    }

    fn pop(self) -> Open {
        Open {
            depth: self.depth - 1,
            masks: self.masks >> 1,
        }
    }
}

/// How an instruction may fail, for the question which edges it needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    Never,
    Faults,
    Cancels,
}

impl Checker<'_> {
    pub(super) fn balance(&mut self, id: FuncId, func: &Function) {
        if !func
            .blocks
            .iter()
            .flat_map(|b| &b.insts)
            .any(|inst| self.opens(&inst.op))
        {
            return self.nothing_closes(id, func);
        }
        let mut entered: Vec<Option<Open>> = vec![None; func.blocks.len()];
        entered[0] = Some(Open::default());
        let mut work = vec![BlockId(0)];
        while let Some(block) = work.pop() {
            let mut here = Here {
                id,
                func,
                block,
                inst: 0,
            };
            let mut open = entered[block.index()].unwrap_or_default();
            let body = &func.blocks[block.index()];
            for (n, inst) in body.insts.iter().enumerate() {
                here.inst = n;
                self.leaves(here, open, self.failure(&inst.op), &inst.edge);
                for to in inst.edge.targets() {
                    self.enter(here, &mut entered, &mut work, to, open);
                }
                open = self.step(here, open, &inst.op);
            }
            here.inst = body.insts.len();
            match &body.term {
                Term::Return(_) => {
                    if let Some(what) = open.innermost() {
                        let message = format!("an {what} is still open here; close it first");
                        self.error(code::UNBALANCED, here.place(), message);
                    }
                }
                Term::Raise { edge, .. } => self.leaves(here, open, Failure::Cancels, edge),
                Term::Throw { edge, .. } | Term::Unreachable { edge } => {
                    self.leaves(here, open, Failure::Faults, edge);
                }
                _ => {}
            }
            body.term
                .for_each_target(|to| self.enter(here, &mut entered, &mut work, to, open));
        }
    }

    fn enter(
        &mut self,
        here: Here<'_>,
        entered: &mut [Option<Open>],
        work: &mut Vec<BlockId>,
        to: BlockId,
        open: Open,
    ) {
        match &mut entered[to.index()] {
            Some(before) if *before == open => {}
            Some(before) => {
                let (name, was, is) =
                    (&here.func.blocks[to.index()].name, before.depth, open.depth);
                let message = format!(
                    "block `{name}` is entered with {is} open intents and masks from here, with \
                     {was} or others from elsewhere; close what one path opened"
                );
                self.error(code::UNBALANCED, here.place(), message);
            }
            entry => {
                *entry = Some(open);
                work.push(to);
            }
        }
    }

    fn step(&mut self, here: Here<'_>, open: Open, op: &Op) -> Open {
        let Some(row) = self.row_of(op) else {
            return open;
        };
        let (opens, closes) = effects(row);
        if let Some(mask) = opens {
            if open.depth >= DEPTH_MAX {
                let message = format!("more than {DEPTH_MAX} intents and masks are open");
                self.error(code::UNBALANCED, here.place(), message);
                return open;
            }
            return open.push(mask);
        }
        let Some(mask) = closes else { return open };
        let closed = if mask { "mask" } else { "intent" };
        match open.innermost() {
            Some(innermost) if innermost == closed => open.pop(),
            Some(innermost) => {
                let message = format!("this closes an {closed}, but an {innermost} is innermost");
                self.error(code::UNBALANCED, here.place(), message);
                open.pop()
            }
            None => {
                let message = format!("no {closed} is open here; remove this, or open one");
                self.error(code::UNBALANCED, here.place(), message);
                open
            }
        }
    }

    /// Reports a failure that would leave the function while something is open.
    fn leaves(&mut self, here: Here<'_>, open: Open, failure: Failure, edge: &Edge) {
        let Some(what) = open.innermost() else { return };
        let caught = match failure {
            Failure::Never => true,
            Failure::Faults => !edge.is_none(),
            Failure::Cancels => edge.cleanup.is_some(),
        };
        if !caught {
            let message = format!(
                "a failure here would leave the {what} open; give it a `cleanup` edge to a block \
                 that closes it"
            );
            self.error(code::NO_CLEANUP, here.place(), message);
        }
    }

    fn failure(&self, op: &Op) -> Failure {
        match op {
            Op::Intrinsic { .. } => match self.row_of(op) {
                Some(row) if !row.can_fail() => Failure::Never,
                Some(row) if row.fails.contains(&"CANCELLED") => Failure::Cancels,
                _ => Failure::Faults,
            },
            Op::Call { .. }
            | Op::CallIndirect { .. }
            | Op::Await { .. }
            | Op::AwaitIndirect { .. }
            | Op::Probe { .. } => Failure::Cancels,
            op if op.may_fail() => Failure::Faults,
            _ => Failure::Never,
        }
    }

    fn row_of(&self, op: &Op) -> Option<&'static Row> {
        match op {
            Op::Intrinsic { row, .. } => self.rows.get(&**row).copied(),
            _ => None,
        }
    }

    fn opens(&self, op: &Op) -> bool {
        self.row_of(op).is_some_and(|row| effects(row).0.is_some())
    }

    /// The same for a function that opens nothing, without the bookkeeping.
    fn nothing_closes(&mut self, id: FuncId, func: &Function) {
        for (b, block) in func.blocks.iter().enumerate() {
            for (n, inst) in block.insts.iter().enumerate() {
                if self
                    .row_of(&inst.op)
                    .is_some_and(|row| effects(row).1.is_some())
                {
                    let place = Place::Inst(id, BlockId::new(b), n);
                    let message = "nothing is open here; remove this, or open it first";
                    self.error(code::UNBALANCED, place, message);
                }
            }
        }
    }
}

/// What a row opens and closes: an intent (`false`) or a mask (`true`).
fn effects(row: &Row) -> (Option<bool>, Option<bool>) {
    let pick = |intent, mask| match () {
        () if row.has(intent) => Some(false),
        () if row.has(mask) => Some(true),
        () => None,
    };
    (
        pick(Effect::OpensIntent, Effect::OpensMask),
        pick(Effect::ClosesIntent, Effect::ClosesMask),
    )
}
