//! The way that leads to a finding, as places with a sentence each: where a handle became live,
//! where control took the branch that matters, where the handle was used up.
//!
//! Every block remembers how it was first entered, so the way back to the entry is a walk along a
//! tree. It is walked for findings only, of which there are few.

use super::effect::{Use, uses};
use super::flow::Entry;
use super::held::Origin;
use super::scope::Scope;
use crate::air::{BlockId, LocalId, Place, Term};

/// A block and a position in it: an instruction, or the end.
pub(crate) type Step = (BlockId, usize);

/// Most branches that are named; the last ones matter most.
const BRANCHES_MAX: usize = 6;

type Notes = Vec<(Place, String)>;

/// The steps at which control left each block on the way to `here`, `here` first.
fn back(entered: &[Option<Entry>], here: Step) -> Vec<Step> {
    let mut steps = vec![here];
    let mut at = here.0;
    while let Some(via) = entered[at.index()].as_ref().and_then(|entry| entry.via) {
        steps.push(via);
        at = via.0;
        if steps.len() > entered.len() + 1 {
            break;
        }
    }
    steps
}

/// The last place on the way to `here` where the handle of this local was used up.
pub(super) fn last_use(
    scope: Scope<'_>,
    entered: &[Option<Entry>],
    here: Step,
    local: LocalId,
) -> Option<Step> {
    for (n, (block, at)) in back(entered, here).into_iter().enumerate() {
        // The instruction by which control left an earlier block has run too.
        let end = if n == 0 { at } else { at.saturating_add(1) };
        let insts = &scope.func.blocks[block.index()].insts;
        for (n, inst) in insts.iter().enumerate().take(end).rev() {
            let mut taken = false;
            uses(scope.func, &inst.op, scope.rows, |of, how| {
                taken |= of == local && how == Use::Takes;
            });
            if taken {
                return Some((block, n));
            }
        }
    }
    None
}

/// Where it became live, and the branches from there to `here`.
pub(super) fn from_origin(
    scope: Scope<'_>,
    entered: &[Option<Entry>],
    here: Step,
    origin: Origin,
) -> Notes {
    let mut notes = vec![born(scope, origin)];
    let since = origin.map_or(BlockId(0), |(block, _)| block);
    let steps = back(entered, here);
    let until = steps.iter().skip(1).position(|(block, _)| *block == since);
    let until = until.map_or(steps.len(), |n| n + 2);
    // From each step but the first, control went to the block of the one before.
    let ways = steps.windows(2).take(until.saturating_sub(1));
    let branches = ways.filter(|way| is_choice(scope, way[1]));
    let last: Vec<_> = branches.take(BRANCHES_MAX).collect();
    notes.extend(last.iter().rev().map(|way| taken(scope, way[1], way[0].0)));
    notes
}

/// Where it became live, where the ways part, and where it is used up on the way without it.
pub(super) fn of_join(
    scope: Scope<'_>,
    entered: &[Option<Entry>],
    (with, without): (Option<Step>, Option<Step>),
    local: LocalId,
    origin: Origin,
) -> Notes {
    let mut notes = vec![born(scope, origin)];
    let (Some(with), Some(without)) = (with, without) else {
        return notes;
    };
    let (one, other) = (back(entered, with), back(entered, without));
    let blocks: std::collections::HashSet<BlockId> = one.iter().map(|step| step.0).collect();
    if let Some(n) = other.iter().position(|step| blocks.contains(&step.0)) {
        let parts = other[n];
        match n.checked_sub(1).map(|n| other[n].0) {
            Some(to) => notes.push(taken(scope, parts, to)),
            None if is_choice(scope, parts) => {
                let text = "the way without it leaves here".to_owned();
                notes.push((Place::Inst(scope.id, parts.0, parts.1), text));
            }
            None => {}
        }
    }
    // Behind its end, since the instruction that leaves the block may be the one.
    let end = (without.0, without.1.saturating_add(1));
    if let Some((block, at)) = last_use(scope, entered, end, local) {
        let text = "on that way it is used up here".to_owned();
        notes.push((Place::Inst(scope.id, block, at), text));
    }
    notes
}

fn born(scope: Scope<'_>, origin: Origin) -> (Place, String) {
    match origin {
        Some((block, at)) => (
            Place::Inst(scope.id, block, at),
            "it is held from here".into(),
        ),
        None => (
            Place::Func(scope.id),
            "it is a parameter, which the function owns".into(),
        ),
    }
}

/// Whether control could have gone elsewhere.
fn is_choice(scope: Scope<'_>, (block, at): Step) -> bool {
    let block = &scope.func.blocks[block.index()];
    at < block.insts.len() || matches!(block.term, Term::Branch { .. } | Term::Switch { .. })
}

fn taken(scope: Scope<'_>, (block, at): Step, to: BlockId) -> (Place, String) {
    let name = &scope.func.blocks[to.index()].name;
    let text = match at < scope.func.blocks[block.index()].insts.len() {
        true => format!("this fails, and control goes to `{name}`"),
        false => format!("control goes to `{name}`"),
    };
    (Place::Inst(scope.id, block, at), text)
}
