//! Bounds on what may be held, over abstract operations (rules OBL-24 to OBL-28).
//!
//! Per point and kind the bound is 0, 1, 2 or many: bottom is 0, join is the maximum, a reserve
//! adds one, a commit or abort takes one, and many stays many. A call maps the bounds before it to
//! those behind it by the summary of the callee, which is inferred from its body; what is not
//! known adds what the program declares for it. Functions that call each other in a cycle begin
//! with a summary of nothing and are repeated until none changes.
//!
//! Invariants
//! 1. A bound is never below what an execution can hold beyond what it held at the entry: each
//!    operation is monotone and over-approximates. So every leak is reported (OBL-27).
//! 2. The state of a block only rises. A loop is run again only when the state of its header rose,
//!    which it does at most 3 times per kind: at most 3 × kinds + 1 passes (OBL-26).
//! 3. Reports are sorted by file, line and kind, and hold nothing that depends on a run (OBL-26).

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

/// How many tokens of a kind may be held: 0, 1, 2 or many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Bound(u8);

impl Bound {
    /// None.
    pub const NONE: Bound = Bound(0);
    /// More than two.
    pub const MANY: Bound = Bound(3);
    /// All bounds.
    pub const ALL: [Bound; 4] = [Bound(0), Bound(1), Bound(2), Bound(3)];

    fn plus(self, other: Bound) -> Bound {
        Bound((self.0 + other.0).min(Bound::MANY.0))
    }

    fn less_one(self) -> Bound {
        match self {
            Bound::MANY => self,
            Bound(n) => Bound(n.saturating_sub(1)),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Bound::MANY => f.write_str("many"),
            Bound(n) => write!(f, "{n}"),
        }
    }
}

/// An abstract operation. A kind is a number below [`Program::kinds`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// One token more.
    Reserve(usize),
    /// One token less, or as before if there is none.
    Commit(usize),
    /// The same.
    Abort(usize),
    /// A function of the program; none if the callee is not known.
    Call(Option<usize>),
    /// The end of a scope, or a return: nothing may be held here.
    Exit,
}

/// A block: operations with their lines, and where control goes on. Without a successor it
/// returns.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// Operations and their lines.
    pub acts: Vec<(Act, u32)>,
    /// Blocks of the function; a block that does not exist is none.
    pub next: Vec<usize>,
}

/// A function. Its entry is the first block.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Routine {
    /// Its file.
    pub file: String,
    /// Its blocks.
    pub blocks: Vec<Block>,
}

/// A program of abstract operations.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    /// Names of the kinds.
    pub kinds: Vec<String>,
    /// What a call that is not known adds of each kind; nothing where it is not declared.
    pub unknown: Vec<Bound>,
    /// The functions.
    pub routines: Vec<Routine>,
}

/// A place where something may still be held.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Report {
    /// File.
    pub file: String,
    /// Line.
    pub line: u32,
    /// Kind.
    pub kind: String,
    /// How much.
    pub bound: Bound,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            file, line, kind, ..
        } = self;
        write!(f, "{file}:{line}: {kind}: {} may be held here", self.bound)
    }
}

/// What the checker found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Sorted by file, line, kind; one of each.
    pub reports: Vec<Report>,
    /// The most passes that a loop took.
    pub passes: usize,
    /// Of each function and kind, the bound behind a call for each bound before it.
    pub summaries: Vec<Vec<[Bound; 4]>>,
}

type State = Vec<Bound>;

/// Checks a program.
pub fn check(program: &Program) -> Found {
    let mut checker = Checker {
        program,
        summaries: vec![vec![[Bound::NONE; 4]; program.kinds.len()]; program.routines.len()],
        passes: 1,
    };
    checker.summarize();
    let mut reports = BTreeSet::new();
    for routine in &program.routines {
        let entry = vec![Bound::NONE; program.kinds.len()];
        checker.run(routine, entry, |line, state| {
            let held = state.iter().zip(&program.kinds);
            let held = held.filter(|(bound, _)| **bound != Bound::NONE);
            reports.extend(held.map(|(&bound, kind)| Report {
                file: routine.file.clone(),
                line,
                kind: kind.clone(),
                bound,
            }));
        });
    }
    // One report per place and kind: the highest bound, which is the last of its group.
    let mut list: Vec<Report> = Vec::new();
    for report in reports {
        match list.last_mut() {
            Some(last)
                if (&last.file, last.line, &last.kind)
                    == (&report.file, report.line, &report.kind) =>
            {
                *last = report;
            }
            _ => list.push(report),
        }
    }
    Found {
        reports: list,
        passes: checker.passes,
        summaries: checker.summaries,
    }
}

struct Checker<'a> {
    program: &'a Program,
    summaries: Vec<Vec<[Bound; 4]>>,
    passes: usize,
}

impl Checker<'_> {
    /// Infers the summaries: a function is looked at again when that of a callee rose.
    fn summarize(&mut self) {
        let count = self.program.routines.len();
        let mut callers = vec![BTreeSet::new(); count];
        for (n, routine) in self.program.routines.iter().enumerate() {
            for (act, _) in routine.blocks.iter().flat_map(|block| &block.acts) {
                if let Act::Call(Some(callee)) = act
                    && let Some(callers) = callers.get_mut(*callee)
                {
                    callers.insert(n);
                }
            }
        }
        let mut work: VecDeque<usize> = (0..count).collect();
        let mut waits = vec![true; count];
        while let Some(n) = work.pop_front() {
            waits[n] = false;
            let summary = self.summary(&self.program.routines[n]);
            if summary != self.summaries[n] {
                self.summaries[n] = summary;
                for &caller in &callers[n] {
                    if !std::mem::replace(&mut waits[caller], true) {
                        work.push_back(caller);
                    }
                }
            }
        }
    }

    /// Kinds do not touch each other, so one run with a bound for all gives the table of each.
    fn summary(&mut self, routine: &Routine) -> Vec<[Bound; 4]> {
        let kinds = self.program.kinds.len();
        let mut summary = vec![[Bound::NONE; 4]; kinds];
        for entry in Bound::ALL {
            let leaves = self.run(routine, vec![entry; kinds], |_, _| {});
            for (table, bound) in summary.iter_mut().zip(leaves) {
                table[entry.0 as usize] = bound;
            }
        }
        summary
    }

    /// Follows a function to the fixpoint, then calls `exit` with each exit's line and state;
    /// gives what is held behind a call.
    fn run(&mut self, routine: &Routine, entry: State, mut exit: impl FnMut(u32, &State)) -> State {
        let kinds = entry.len();
        let count = routine.blocks.len();
        let mut leaves = vec![Bound::NONE; kinds];
        let mut starts: Vec<Option<State>> = vec![None; count];
        let Some(first) = starts.first_mut() else {
            return entry;
        };
        *first = Some(entry);
        // The lowest block first: blocks come before what follows them, but for loops.
        let mut work = BTreeSet::from([0]);
        let mut again = vec![0; count];
        while let Some(n) = work.pop_first() {
            let Some(mut state) = starts[n].clone() else {
                continue;
            };
            for (act, _) in &routine.blocks[n].acts {
                self.act(&mut state, *act);
            }
            for &to in routine.blocks[n].next.iter().filter(|to| **to < count) {
                let rose = match &mut starts[to] {
                    start @ None => {
                        *start = Some(state.clone());
                        true
                    }
                    Some(start) => {
                        let rose = join(start, &state);
                        again[to] += usize::from(rose && to <= n);
                        rose
                    }
                };
                if rose {
                    work.insert(to);
                }
            }
        }
        self.passes = again.iter().map(|n| n + 1).fold(self.passes, usize::max);
        for (block, start) in routine.blocks.iter().zip(starts) {
            let Some(mut state) = start else { continue };
            for (act, line) in &block.acts {
                if *act == Act::Exit {
                    exit(*line, &state);
                }
                self.act(&mut state, *act);
            }
            if block.next.is_empty() {
                join(&mut leaves, &state);
            }
        }
        leaves
    }

    fn act(&self, state: &mut State, act: Act) {
        match act {
            Act::Reserve(kind) => change(state, kind, |bound| bound.plus(Bound(1))),
            Act::Commit(kind) | Act::Abort(kind) => change(state, kind, Bound::less_one),
            Act::Call(callee) => {
                let summary = callee.and_then(|callee| self.summaries.get(callee));
                match summary {
                    Some(summary) => {
                        let tables = state.iter_mut().zip(summary);
                        // Beyond what it finds, a callee holds no more than if it finds nothing.
                        tables.for_each(|(bound, table)| {
                            *bound = table[bound.0 as usize].min(bound.plus(table[0]));
                        });
                    }
                    None => {
                        let adds = state.iter_mut().zip(&self.program.unknown);
                        adds.for_each(|(bound, add)| *bound = bound.plus(*add));
                    }
                }
            }
            Act::Exit => {}
        }
    }
}

fn change(state: &mut State, kind: usize, f: impl Fn(Bound) -> Bound) {
    if let Some(bound) = state.get_mut(kind) {
        *bound = f(*bound);
    }
}

/// The maximum of both; whether that is more than the first.
fn join(into: &mut State, other: &State) -> bool {
    let mut rose = false;
    for (a, b) in into.iter_mut().zip(other) {
        rose |= *b > *a;
        *a = (*a).max(*b);
    }
    rose
}
