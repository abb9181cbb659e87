//! The forward flow of handles and blocks through a function (rules OBL-34, ABI-19, ABI-30 f, m).
//!
//! A handle local is empty or live. Each block is entered with one state: the first way to reach
//! it says which, and every other must bring the same, else the local is `maybe` there, an error.
//! So each block is looked at once, and the time is linear.
//!
//! - A use that takes a handle ends it, whatever the outcome; a result is live on the OK path only.
//! - A failure carries what was held before its instruction, less what that took. What its edge
//!   does not take is for `unwind` to give up; this flow tells of it and judges nothing.
//! - `return` and `raise` leave nothing held. `throw` and `unreachable` are failures.

use std::collections::HashSet;

use super::effect::{Failure, Use, blocks_of, failure, is_handle, uses};
use super::held::{self, HELD_MAX, Held, Item, Shared, handles, origin};
use super::path::{self, Step};
use super::scope::{Failing, Scope};
use crate::air::{BlockId, Edge, LocalId, Op, Operand, Place, Term, VERIFY_ERRORS_MAX, code};

/// Something wrong, with the way that leads there.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// The local that it is about.
    about: Option<LocalId>,
    pub(crate) code: &'static str,
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) notes: Vec<(Place, String)>,
}

/// How a block was first entered.
pub(super) struct Entry {
    pub(super) state: Shared,
    /// Block and position where control left it; nothing for the entry.
    pub(super) via: Option<Step>,
}

/// What the flow of a function gives.
#[derive(Default)]
pub(crate) struct Flow {
    /// What is held at the beginning of each block; nothing for one that is not reached.
    pub(crate) starts: Vec<Option<Shared>>,
    /// What is wrong, in the order of blocks and instructions.
    pub(crate) found: Vec<Finding>,
}

/// Follows a function; calls `on_failure` for each place that may fail while something is held.
pub(crate) fn follow<'a>(scope: Scope<'a>, on_failure: impl FnMut(Failing<'_>)) -> Flow {
    let mut walk = Walk {
        scope,
        entered: Vec::new(),
        work: Vec::new(),
        found: Vec::new(),
        maybe: HashSet::new(),
        on_failure,
    };
    walk.run();
    let Walk {
        entered,
        mut found,
        maybe,
        ..
    } = walk;
    // That a local is `maybe` says it all.
    let is_known = |f: &Finding| f.about.is_some_and(|local| maybe.contains(&local));
    found.retain(|finding| finding.code == code::HANDLE_MAYBE || !is_known(finding));
    found.sort_by_key(|finding| match finding.place {
        Place::Inst(_, block, at) => (block, at),
        _ => (BlockId(0), 0),
    });
    Flow {
        starts: entered.into_iter().map(|e| Some(e?.state)).collect(),
        found,
    }
}

struct Walk<'a, F> {
    scope: Scope<'a>,
    entered: Vec<Option<Entry>>,
    work: Vec<BlockId>,
    found: Vec<Finding>,
    /// Locals that are `maybe` somewhere: one report of each is enough.
    maybe: HashSet<LocalId>,
    on_failure: F,
}

impl<'a, F: FnMut(Failing<'_>)> Walk<'a, F> {
    fn run(&mut self) {
        let Scope { func, .. } = self.scope;
        self.entered.resize_with(func.blocks.len(), || None);
        let mut first = Held::default();
        let params = (0..func.params as usize).map(LocalId::new);
        params
            .filter(|&local| is_handle(func, local))
            .for_each(|local| first.push(Item::Handle(local, None)));
        self.entered[0] = Some(Entry {
            state: first.share(),
            via: None,
        });
        self.work.push(BlockId(0));
        while let Some(block) = self.work.pop() {
            if self.found.len() < VERIFY_ERRORS_MAX {
                self.block(block);
            }
        }
    }

    fn block(&mut self, block: BlockId) {
        let Some(entry) = &self.entered[block.index()] else {
            return;
        };
        let mut held = Held::new(&entry.state);
        let body = &self.scope.func.blocks[block.index()];
        for (at, inst) in body.insts.iter().enumerate() {
            let how = failure(&inst.op, self.scope.rows);
            self.takes(&mut held, (block, at), &inst.op);
            self.fails(&mut held, (block, at), how, &inst.edge);
            self.blocks(&mut held, (block, at), &inst.op);
            self.gives(&mut held, (block, at), &inst.op);
        }
        let here = (block, body.insts.len());
        let what = match &body.term {
            Term::Return(value) => {
                if let Some(Operand::Local(local)) = value
                    && is_handle(self.scope.func, *local)
                {
                    self.take(&mut held, here, *local);
                }
                Some("this returns; use it up first, or return it")
            }
            Term::Raise { edge, .. } if edge.cleanup.is_none() => {
                Some("this leaves the function; give it up first")
            }
            Term::Raise { edge, .. } => {
                self.fails(&mut held, here, Failure::Cancels, edge);
                None
            }
            Term::Throw { edge, .. } | Term::Unreachable { edge } => {
                self.fails(&mut held, here, Failure::Faults, edge);
                None
            }
            term => {
                term.for_each_target(|to| self.enter(&mut held, here, to));
                None
            }
        };
        if let Some(what) = what {
            self.ends(&held, here, what);
        }
    }

    /// What is held where control leaves for good is lost.
    fn ends(&mut self, held: &Held, here: Step, what: &str) {
        if let Some(kind) = held.innermost() {
            let message = format!("{} is still open here; close it first", kind.name());
            self.report((code::UNBALANCED, None), here, message, Vec::new());
        }
        let lost: Vec<_> = handles(held.items()).collect();
        for (local, origin) in lost {
            let message = format!("the {} is still held where {what}", self.named(local));
            self.report_path((code::HANDLE_DROPPED, local), here, message, origin);
        }
    }

    fn takes(&mut self, held: &mut Held, here: Step, op: &Op) {
        let Scope { func, rows, .. } = self.scope;
        let mut list = Vec::new();
        uses(func, op, rows, |local, how| list.push((local, how)));
        for (local, how) in list {
            match how {
                Use::Takes => self.take(held, here, local),
                Use::Lends if held.origin(local).is_some() => {}
                Use::Lends => self.spent(here, local),
            }
        }
    }

    fn take(&mut self, held: &mut Held, here: Step, local: LocalId) {
        if !held.take(local) {
            self.spent(here, local);
        }
    }

    /// A use of a handle that is not held.
    fn spent(&mut self, here: Step, local: LocalId) {
        let named = self.named(local);
        let (message, notes) = match path::last_use(self.scope, &self.entered, here, local) {
            Some(used) => (
                format!("the {named} was used up before; use it once"),
                vec![(self.place(used), "it is used up here".to_owned())],
            ),
            None => (
                format!("`%{}` holds no handle here", self.local(local)),
                Vec::new(),
            ),
        };
        self.report((code::HANDLE_SPENT, Some(local)), here, message, notes);
    }

    fn blocks(&mut self, held: &mut Held, here: Step, op: &Op) {
        let Op::Intrinsic { row, .. } = op else {
            return;
        };
        let Some(row) = self.scope.rows.get(row) else {
            return;
        };
        let message = match (blocks_of(row), held.innermost()) {
            ((Some(_), _), _) if held.is_full() => {
                format!("more than {HELD_MAX} handles and blocks are held at once")
            }
            ((Some(kind), _), _) => return held.push(Item::Block(kind)),
            ((None, Some(kind)), Some(innermost)) => {
                held.close();
                if kind == innermost {
                    return;
                }
                let (kind, innermost) = (kind.name(), innermost.name());
                format!("this closes {kind}, but {innermost} is innermost")
            }
            ((None, Some(_)), None) => {
                "nothing is open here; remove this, or open it first".to_owned()
            }
            ((None, None), _) => return,
        };
        self.report((code::UNBALANCED, None), here, message, Vec::new());
    }

    fn gives(&mut self, held: &mut Held, here: Step, op: &Op) {
        let Some((ty, dst)) = self.scope.gives(op) else {
            return;
        };
        let Some(dst) = dst else {
            let message = format!("the result is a {ty}, which is lost here; assign it to a local");
            return self.report((code::HANDLE_DROPPED, None), here, message, Vec::new());
        };
        if let Some(origin) = held.origin(dst) {
            held.take(dst);
            let message = format!(
                "the {} is still held where this overwrites it; use it up first",
                self.named(dst)
            );
            self.report_path((code::HANDLE_DROPPED, dst), here, message, origin);
        }
        if held.is_full() {
            let message = format!("more than {HELD_MAX} handles and blocks are held at once");
            return self.report((code::UNBALANCED, None), here, message, Vec::new());
        }
        held.push(Item::Handle(dst, Some(here)));
    }

    fn fails(&mut self, held: &mut Held, here: Step, how: Failure, edge: &Edge) {
        if how != Failure::Never && !held.items().is_empty() {
            let (block, at) = here;
            let failing = Failing {
                block,
                at,
                how,
                edge,
                held: held.items(),
            };
            (self.on_failure)(failing);
        }
        for to in edge.targets() {
            self.enter(held, here, to);
        }
    }

    fn enter(&mut self, held: &mut Held, here: Step, to: BlockId) {
        let state = held.share();
        match &self.entered[to.index()] {
            None => {
                self.entered[to.index()] = Some(Entry {
                    state,
                    via: Some(here),
                });
                self.work.push(to);
            }
            Some(entry) if held::same(&entry.state, &state) => {}
            Some(entry) => {
                let before = Shared::clone(&entry.state);
                self.disagree(here, to, &before, &state);
            }
        }
    }

    /// Two ways into a block bring different states.
    fn disagree(&mut self, here: Step, to: BlockId, before: &[Item], now: &[Item]) {
        let name = self.scope.func.blocks[to.index()].name.clone();
        if !held::blocks(before).eq(held::blocks(now)) {
            let (was, is) = (held::blocks(before).count(), held::blocks(now).count());
            let message = format!(
                "block `{name}` is entered with {is} open blocks from here, with {was} or others \
                 from elsewhere; close what one path opened"
            );
            self.report((code::UNBALANCED, None), here, message, Vec::new());
        }
        let other = self.entered[to.index()]
            .as_ref()
            .and_then(|entry| entry.via);
        for (held, missing, holds_here) in [(before, now, false), (now, before, true)] {
            let lost = handles(held).filter(|(local, _)| origin(missing, *local).is_none());
            for (local, born) in lost.collect::<Vec<_>>() {
                if !self.maybe.insert(local) {
                    continue;
                }
                let (yes, no) = match holds_here {
                    true => ("from here", "from elsewhere"),
                    false => ("from elsewhere", "from here"),
                };
                let message = format!(
                    "the {} is held where `{name}` is entered {yes}, and not {no}; use it up on \
                     both ways or on none",
                    self.named(local)
                );
                let (with, without) = match holds_here {
                    true => (Some(here), other),
                    false => (other, Some(here)),
                };
                let notes = path::of_join(self.scope, &self.entered, (with, without), local, born);
                self.report((code::HANDLE_MAYBE, Some(local)), here, message, notes);
            }
        }
    }

    /// `permit `%p``.
    fn named(&self, local: LocalId) -> String {
        format!("{} `%{}`", self.scope.name(local), self.local(local))
    }

    fn local(&self, local: LocalId) -> &'a str {
        &self.scope.func.locals[local.index()].name
    }

    fn place(&self, (block, at): Step) -> Place {
        Place::Inst(self.scope.id, block, at)
    }

    /// Reports with the way from where the handle became live.
    fn report_path(
        &mut self,
        (code, local): (&'static str, LocalId),
        here: Step,
        message: String,
        origin: held::Origin,
    ) {
        let notes = path::from_origin(self.scope, &self.entered, here, origin);
        self.report((code, Some(local)), here, message, notes);
    }

    fn report(
        &mut self,
        (code, about): (&'static str, Option<LocalId>),
        here: Step,
        message: String,
        notes: Vec<(Place, String)>,
    ) {
        self.found.push(Finding {
            about,
            code,
            place: self.place(here),
            message,
            notes,
        });
    }
}
