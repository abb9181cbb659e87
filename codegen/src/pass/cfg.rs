//! The control flow of a function: who follows whom, dominators, natural loops.
//!
//! A block may be left in its middle, by the edge of an instruction that fails. A successor
//! therefore comes with the position where control leaves: the index of the instruction, or the
//! number of instructions for the end. What stands before that position has run.

use crate::air::{BlockId, Function};

/// One way from a block to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Way {
    /// Where it begins.
    pub(super) from: BlockId,
    /// Where it leads.
    pub(super) to: BlockId,
    /// Where it leaves its block.
    pub(super) at: usize,
}

/// The control flow of one function.
pub(super) struct Cfg {
    /// Ways out of each block.
    pub(super) out: Vec<Vec<Way>>,
    /// Ways into each block from blocks that the entry reaches.
    pub(super) into: Vec<Vec<Way>>,
    /// The blocks that the entry reaches, in reverse postorder.
    pub(super) order: Vec<BlockId>,
    /// Position of each block in `order`; `usize::MAX` for the others.
    rank: Vec<usize>,
    /// Immediate dominator of each block in `order`, by position.
    idom: Vec<usize>,
}

/// A natural loop: a header that dominates the blocks from which control returns to it.
pub(super) struct Loop {
    /// The header.
    pub(super) header: BlockId,
    /// Its blocks, by number.
    pub(super) members: Vec<BlockId>,
    /// The ways back to the header.
    pub(super) back: Vec<Way>,
}

impl Loop {
    /// Whether the block belongs to it.
    pub(super) fn contains(&self, block: BlockId) -> bool {
        self.members.binary_search(&block).is_ok()
    }

    /// Its blocks.
    pub(super) fn blocks(&self) -> impl Iterator<Item = BlockId> {
        self.members.iter().copied()
    }
}

impl Cfg {
    /// The control flow of a function with at least one block.
    pub(super) fn of(func: &Function) -> Cfg {
        let out: Vec<Vec<Way>> = (0..func.blocks.len())
            .map(|n| ways_out(func, BlockId::new(n)))
            .collect();
        let order = crate::lower::reverse_postorder(func);
        let mut rank = vec![usize::MAX; func.blocks.len()];
        for (n, block) in order.iter().enumerate() {
            rank[block.index()] = n;
        }
        let mut into = vec![Vec::new(); func.blocks.len()];
        for block in &order {
            for way in &out[block.index()] {
                into[way.to.index()].push(*way);
            }
        }
        let mut cfg = Cfg {
            out,
            into,
            order,
            rank,
            idom: Vec::new(),
        };
        cfg.find_dominators();
        cfg
    }

    /// Whether every path from the entry to `b` passes `a`; both are reached.
    pub(super) fn dominates(&self, a: BlockId, b: BlockId) -> bool {
        let (a, mut b) = (self.rank[a.index()], self.rank[b.index()]);
        while b > a {
            b = self.idom[b];
        }
        a == b
    }

    /// Whether the way goes back in reverse postorder; every cycle has such a way.
    pub(super) fn is_retreating(&self, way: &Way) -> bool {
        self.rank[way.to.index()] <= self.rank[way.from.index()]
    }

    /// The natural loops, outer ones before the inner ones that they contain.
    pub(super) fn loops(&self) -> Vec<Loop> {
        let mut loops = Vec::new();
        // The last header whose loop was seen to hold each block.
        let mut seen = vec![None; self.out.len()];
        for &header in &self.order {
            let back: Vec<Way> = self.into[header.index()]
                .iter()
                .copied()
                .filter(|way| self.is_retreating(way) && self.dominates(header, way.from))
                .collect();
            if back.is_empty() {
                continue;
            }
            seen[header.index()] = Some(header);
            let mut members = vec![header];
            let mut open: Vec<BlockId> = back.iter().map(|way| way.from).collect();
            while let Some(block) = open.pop() {
                if seen[block.index()].replace(header) != Some(header) {
                    members.push(block);
                    open.extend(self.into[block.index()].iter().map(|way| way.from));
                }
            }
            members.sort_unstable();
            loops.push(Loop {
                header,
                members,
                back,
            });
        }
        loops
    }

    /// Immediate dominators, by the iteration of Cooper, Harvey and Kennedy.
    fn find_dominators(&mut self) {
        const NONE: usize = usize::MAX;
        let mut idom = vec![NONE; self.order.len()];
        if let Some(first) = idom.first_mut() {
            *first = 0;
        }
        let mut changed = true;
        while changed {
            changed = false;
            for n in 1..self.order.len() {
                let mut best = NONE;
                for way in &self.into[self.order[n].index()] {
                    let pred = self.rank[way.from.index()];
                    if idom[pred] == NONE {
                        continue;
                    }
                    best = if best == NONE {
                        pred
                    } else {
                        common(&idom, best, pred)
                    };
                }
                if idom[n] != best {
                    idom[n] = best;
                    changed = true;
                }
            }
        }
        self.idom = idom;
    }
}

/// The nearest block that dominates both.
fn common(idom: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        while a > b {
            a = idom[a];
        }
        while b > a {
            b = idom[b];
        }
    }
    a
}

fn ways_out(func: &Function, from: BlockId) -> Vec<Way> {
    let block = &func.blocks[from.index()];
    let mut ways = Vec::new();
    for (at, inst) in block.insts.iter().enumerate() {
        ways.extend(inst.edge.targets().map(|to| Way { from, to, at }));
    }
    let at = block.insts.len();
    block.term.for_each_target(|to| {
        let way = Way { from, to, at };
        if !ways.contains(&way) {
            ways.push(way);
        }
    });
    ways
}
