//! Removal of the blocks that nothing reaches.

use super::super::entity::BlockId;
use super::super::inst::{Edge, Term};
use super::super::module::Function;

/// Removes the blocks that cannot be reached from the entry; the others keep their order.
pub(crate) fn prune(func: &mut Function) {
    let mut reached = vec![false; func.blocks.len()];
    let mut work = vec![BlockId(0)];
    while let Some(id) = work.pop() {
        let Some(seen) = reached.get_mut(id.index()) else {
            continue;
        };
        if !std::mem::replace(seen, true) {
            func.blocks[id.index()].for_each_successor(|to| work.push(to));
        }
    }
    if reached.iter().all(|&r| r) {
        return;
    }
    let mut next = 0;
    let renumbered: Vec<_> = reached
        .iter()
        .map(|&r| {
            let id = BlockId(next);
            next += u32::from(r);
            id
        })
        .collect();
    let mut keep = reached.iter();
    func.blocks.retain(|_| *keep.next().unwrap_or(&false));
    let to = |block: &mut BlockId| {
        if let Some(new) = renumbered.get(block.index()) {
            *block = *new;
        }
    };
    let edge = |edge: &mut Edge| {
        edge.recover.iter_mut().for_each(|(block, _)| to(block));
        edge.cleanup.iter_mut().for_each(|(block, ..)| to(block));
    };
    for block in &mut func.blocks {
        block.insts.iter_mut().for_each(|inst| edge(&mut inst.edge));
        match &mut block.term {
            Term::Jump(block) => to(block),
            Term::Branch { then, or, .. } => {
                to(then);
                to(or);
            }
            Term::Switch { cases, default, .. } => {
                cases.iter_mut().for_each(|(_, block)| to(block));
                to(default);
            }
            Term::Return(_) => {}
            Term::Throw { edge: e, .. }
            | Term::Raise { edge: e, .. }
            | Term::Unreachable { edge: e } => {
                edge(e);
            }
        }
    }
}
