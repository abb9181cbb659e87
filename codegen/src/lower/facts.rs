//! Which functions may end with a failure, and whose address is taken.
//!
//! The smallest solution of: a function leaves with a failure if one of its instructions fails in
//! a way that its edge does not catch. A probe may answer anything, a fault is always THREW, a
//! call may do what its callee may, a row with an empty `fails` column nothing.

use asr_intrinsics::{Effect, Row};

use super::types::Shape;
use crate::air::{BlockId, Edge, FuncId, Function, Linkage, Module, Op, Term};
use crate::{Error, Rows};

/// How something may fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Fails {
    /// With a status that a recovery block catches.
    pub(super) error: bool,
    /// With CANCELLED, which passes recovery blocks.
    pub(super) cancel: bool,
}

impl Fails {
    /// Never.
    pub(super) const NEVER: Fails = Fails {
        error: false,
        cancel: false,
    };
    /// As a fault does.
    pub(super) const THREW: Fails = Fails {
        error: true,
        cancel: false,
    };
    /// With any status.
    pub(super) const ANY: Fails = Fails {
        error: true,
        cancel: true,
    };

    /// Whether it may fail at all.
    pub(super) fn any(self) -> bool {
        self.error || self.cancel
    }

    /// What passes the edge and leaves the function.
    pub(super) fn past(self, edge: &Edge) -> Fails {
        if edge.cleanup.is_some() {
            return Fails::NEVER;
        }
        Fails {
            error: self.error && edge.recover.is_none(),
            cancel: self.cancel,
        }
    }

    fn add(&mut self, other: Fails) {
        self.error |= other.error;
        self.cancel |= other.cancel;
    }

    /// How a row may fail: if at all, then with any status, since it may run code of the user.
    pub(super) fn of_row(row: &Row) -> Fails {
        if row.can_fail() || row.has(Effect::Diverges) || row.has(Effect::CancelPoint) {
            Fails::ANY
        } else {
            Fails::NEVER
        }
    }
}

/// The facts of a module.
#[derive(Debug)]
pub(super) struct Facts {
    fails: Vec<Fails>,
    shapes: Vec<Shape>,
}

impl Facts {
    /// Computes them.
    ///
    /// # Errors
    /// [`Error::UnknownIntrinsic`].
    pub(super) fn of(module: &Module, rows: &Rows) -> Result<Facts, Error> {
        let mut facts = Facts {
            fails: vec![Fails::NEVER; module.funcs.len()],
            shapes: shapes(module),
        };
        // Each round adds at least one of two bits per function, or ends.
        loop {
            let mut changed = false;
            for (f, func) in module.funcs.iter().enumerate() {
                let now = facts.leaves(func, rows)?;
                changed |= now != facts.fails[f];
                facts.fails[f] = now;
            }
            if !changed {
                break;
            }
        }
        for (shape, fails) in facts.shapes.iter_mut().zip(&facts.fails) {
            if fails.any() {
                *shape = Shape::Pair;
            }
        }
        Ok(facts)
    }

    /// With what the function may end.
    pub(super) fn fails(&self, func: FuncId) -> Fails {
        self.fails[func.index()]
    }

    /// How it gives its result.
    pub(super) fn shape(&self, func: FuncId) -> Shape {
        self.shapes[func.index()]
    }

    /// How an instruction may fail, before its edge.
    pub(super) fn of_op(&self, op: &Op, rows: &Rows) -> Result<Fails, Error> {
        Ok(match op {
            Op::Call { func, .. } | Op::Await { func, .. } => self.fails(*func),
            Op::CallIndirect { .. }
            | Op::AwaitIndirect { .. }
            | Op::Spawn { .. }
            | Op::SpawnIndirect { .. }
            | Op::Probe { .. } => Fails::ANY,
            Op::Intrinsic { row, .. } => Fails::of_row(
                rows.get(row)
                    .ok_or_else(|| Error::UnknownIntrinsic(row.clone()))?,
            ),
            op if op.may_fail() => Fails::THREW,
            _ => Fails::NEVER,
        })
    }

    fn leaves(&self, func: &Function, rows: &Rows) -> Result<Fails, Error> {
        let mut all = Fails::NEVER;
        for block in &func.blocks {
            for inst in &block.insts {
                all.add(self.of_op(&inst.op, rows)?.past(&inst.edge));
            }
            all.add(match &block.term {
                Term::Throw { edge, .. } | Term::Unreachable { edge } => Fails::THREW.past(edge),
                Term::Raise { edge, .. } => Fails::ANY.past(edge),
                _ => Fails::NEVER,
            });
        }
        Ok(all)
    }
}

/// The shapes before anything is known of failures.
fn shapes(module: &Module) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = module
        .funcs
        .iter()
        .map(|func| match func.linkage {
            Linkage::Local if !func.is_async => Shape::Plain,
            _ => Shape::Pair,
        })
        .collect();
    for func in address_taken(module) {
        shapes[func.index()] = Shape::Pair;
    }
    shapes
}

/// The functions whose address is taken, handlers included.
pub(crate) fn address_taken(module: &Module) -> Vec<FuncId> {
    let mut taken: Vec<FuncId> = module.handlers.iter().map(|handler| handler.func).collect();
    for inst in module
        .funcs
        .iter()
        .flat_map(|func| &func.blocks)
        .flat_map(|block| &block.insts)
    {
        if let Op::FuncAddr { func, .. } = inst.op {
            taken.push(func);
        }
    }
    taken.sort();
    taken.dedup();
    taken
}

/// The blocks that control can reach, in reverse postorder.
pub(crate) fn reverse_postorder(func: &Function) -> Vec<BlockId> {
    let mut order = Vec::with_capacity(func.blocks.len());
    let mut seen = vec![false; func.blocks.len()];
    // Blocks with the successors that are still to be visited.
    let mut stack: Vec<(BlockId, Vec<BlockId>)> = Vec::new();
    let successors = |block: BlockId| {
        let mut list = Vec::new();
        func.blocks[block.index()].for_each_successor(|to| list.push(to));
        list
    };
    if !func.blocks.is_empty() {
        seen[0] = true;
        stack.push((BlockId(0), successors(BlockId(0))));
    }
    while let Some((block, rest)) = stack.last_mut() {
        match rest.pop() {
            Some(to) if !seen[to.index()] => {
                seen[to.index()] = true;
                stack.push((to, successors(to)));
            }
            Some(_) => {}
            None => {
                order.push(*block);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}
