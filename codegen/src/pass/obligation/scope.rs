//! The function under analysis, and what each place of it does to what is held.

use super::effect::{Failure, Use, blocks_of, gives, uses};
use super::held::{Held, Item};
use crate::Rows;
use crate::air::{BlockId, Edge, FuncId, Function, LocalId, Module, Op, Type};

/// The function under analysis.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) module: &'a Module,
    pub(crate) rows: &'a Rows,
    pub(crate) id: FuncId,
    pub(crate) func: &'a Function,
}

impl Scope<'_> {
    /// Whether anything can be held in it, or is closed in it.
    pub(crate) fn holds(self) -> bool {
        let mut locals = self.func.locals.iter();
        let mut insts = self.func.blocks.iter().flat_map(|block| &block.insts);
        locals.any(|local| local.ty.handle().is_some()) || insts.any(|i| self.changes(&i.op))
    }

    /// Whether what is held behind the instruction is not what its edge carries.
    pub(crate) fn changes(self, op: &Op) -> bool {
        let blocks = match op {
            Op::Intrinsic { row, .. } => self.rows.get(row).map(blocks_of),
            _ => None,
        };
        blocks.is_some_and(|blocks| blocks != (None, None)) || self.gives(op).is_some()
    }

    /// See [`gives`].
    pub(super) fn gives(self, op: &Op) -> Option<(Type, Option<LocalId>)> {
        gives(self.module, self.func, op, self.rows)
    }

    pub(super) fn name(self, local: LocalId) -> &'static str {
        self.func.locals[local.index()]
            .ty
            .handle()
            .map_or("handle", |handle| handle.name())
    }
}

/// A place that may fail, with what is held there.
pub(crate) struct Failing<'a> {
    pub(crate) block: BlockId,
    pub(crate) at: usize,
    pub(crate) how: Failure,
    pub(crate) edge: &'a Edge,
    pub(crate) held: &'a [Item],
}

impl Failing<'_> {
    /// Whether an edge takes every failure.
    pub(crate) fn is_caught(&self) -> bool {
        match self.how {
            Failure::Never => true,
            Failure::Faults => !self.edge.is_none(),
            Failure::Cancels => self.edge.cleanup.is_some(),
        }
    }
}

impl Scope<'_> {
    /// The sentence part about something held that no row can give up here.
    pub(crate) fn no_closer(self, item: Item) -> Option<String> {
        match item {
            Item::Block(kind) => {
                let closer = self.rows.closer(kind.closer());
                closer.is_none().then(|| format!("{} open", kind.name()))
            }
            Item::Handle(local, _) => {
                let local = &self.func.locals[local.index()];
                let giver = local.ty.handle().and_then(|handle| self.rows.giver(handle));
                let works = giver.is_some_and(|row| !row.waits() || self.func.is_async);
                (!works).then(|| format!("the {} `%{}` held", local.ty, local.name))
            }
        }
    }
}

/// What is held behind an instruction, for those who know what was held before it.
pub(crate) fn step(scope: Scope<'_>, held: &mut Held, block: BlockId, at: usize, op: &Op) {
    uses(scope.func, op, scope.rows, |local, how| {
        if how == Use::Takes {
            held.take(local);
        }
    });
    if let Op::Intrinsic { row, .. } = op
        && let Some(row) = scope.rows.get(row)
    {
        match blocks_of(row) {
            (Some(kind), _) if !held.is_full() => held.push(Item::Block(kind)),
            (_, Some(_)) => held.close(),
            _ => {}
        }
    }
    if let Some((_, Some(dst))) = scope.gives(op) {
        held.take(dst);
        if !held.is_full() {
            held.push(Item::Handle(dst, Some((block, at))));
        }
    }
}
