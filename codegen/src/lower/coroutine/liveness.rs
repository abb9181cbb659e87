//! Which locals live across a suspension.
//!
//! A local lives where some path reads it before it is assigned. An instruction assigns its result
//! on its normal path only: on its error edge the local still has the value from before, and the
//! edge assigns what it binds.

use crate::air::{BlockId, Edge, Function, Inst, LocalId, Operand};

/// A set of locals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Set(Vec<u64>);

impl Set {
    fn empty(func: &Function) -> Set {
        Set(vec![0; func.locals.len().div_ceil(64)])
    }

    fn insert(&mut self, local: LocalId) {
        self.0[local.index() / 64] |= 1 << (local.index() % 64);
    }

    fn remove(&mut self, local: LocalId) {
        self.0[local.index() / 64] &= !(1 << (local.index() % 64));
    }

    fn add(&mut self, other: &Set) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// The locals, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = LocalId> + '_ {
        let bits = |(n, &word): (usize, &u64)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 != 0)
                .map(move |bit| LocalId::new(n * 64 + bit))
        };
        self.0.iter().enumerate().flat_map(bits)
    }
}

/// The locals that live at the beginning of each block.
pub(super) struct Liveness {
    at_start: Vec<Set>,
}

impl Liveness {
    /// Of a function whose blocks have this reverse postorder.
    pub(super) fn of(func: &Function, order: &[BlockId]) -> Liveness {
        let at_start = vec![Set::empty(func); func.blocks.len()];
        let mut liveness = Liveness { at_start };
        // Each round adds a local to some set, or is the last.
        loop {
            let mut changed = false;
            for &id in order.iter().rev() {
                let set = liveness.walk(func, id, |_, _, _| {});
                changed |= set != liveness.at_start[id.index()];
                liveness.at_start[id.index()] = set;
            }
            if !changed {
                return liveness;
            }
        }
    }

    /// Hands over each instruction of a block, the last one first, with the locals that live when
    /// it has begun and has not ended: on its normal path and on its edge.
    pub(super) fn across(
        &self,
        func: &Function,
        block: BlockId,
        at: impl FnMut(usize, &Inst, &Set),
    ) {
        self.walk(func, block, at);
    }

    /// From the end of a block to its beginning.
    fn walk(&self, func: &Function, id: BlockId, mut at: impl FnMut(usize, &Inst, &Set)) -> Set {
        let block = &func.blocks[id.index()];
        let mut live = Set::empty(func);
        match block.term.edge() {
            Some(edge) => self.edge(edge, &mut live),
            None => block
                .term
                .for_each_target(|to| live.add(&self.at_start[to.index()])),
        }
        let read = |live: &mut Set, operand: Operand| {
            if let Operand::Local(local) = operand {
                live.insert(local);
            }
        };
        block
            .term
            .for_each_operand(|operand| read(&mut live, operand));
        for (n, inst) in block.insts.iter().enumerate().rev() {
            inst.op
                .dsts()
                .into_iter()
                .flatten()
                .for_each(|dst| live.remove(dst));
            self.edge(&inst.edge, &mut live);
            at(n, inst, &live);
            inst.op.for_each_operand(|operand| read(&mut live, operand));
        }
        live
    }

    fn edge(&self, edge: &Edge, live: &mut Set) {
        if let Some((block, caught)) = edge.recover {
            let mut there = self.at_start[block.index()].clone();
            caught.into_iter().for_each(|local| there.remove(local));
            live.add(&there);
        }
        if let Some((block, value, status)) = edge.cleanup {
            let mut there = self.at_start[block.index()].clone();
            there.remove(value);
            there.remove(status);
            live.add(&there);
        }
    }
}
