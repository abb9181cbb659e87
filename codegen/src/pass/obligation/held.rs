//! What is held at a place: live handles and open blocks, in the order in which they came.
//!
//! Order matters among blocks, which close innermost first, and to the cleanup, which gives
//! everything up innermost first. Two ways may bring the same handles in another order, or made at
//! other places: that is the same state.

use std::rc::Rc;

use super::effect::BlockKind;
use crate::air::{BlockId, LocalId};

/// Where a handle became live: an instruction, or nothing for a parameter.
pub(crate) type Origin = Option<(BlockId, usize)>;

/// One thing that is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    Block(BlockKind),
    Handle(LocalId, Origin),
}

impl Item {
    fn is(self, local: LocalId) -> bool {
        matches!(self, Item::Handle(of, _) if of == local)
    }
}

/// A state that several places share.
pub(crate) type Shared = Rc<[Item]>;

/// Most that is held at once in one function, so that each step takes bounded time.
pub(crate) const HELD_MAX: usize = 256;

/// The state along a block. Its snapshot is made once between two changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    items: Vec<Item>,
    shared: Option<Shared>,
}

impl Held {
    pub(crate) fn new(shared: &Shared) -> Held {
        Held {
            items: shared.to_vec(),
            shared: Some(Rc::clone(shared)),
        }
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(crate) fn share(&mut self) -> Shared {
        let items = &self.items;
        Rc::clone(self.shared.get_or_insert_with(|| items.as_slice().into()))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= HELD_MAX
    }

    pub(crate) fn push(&mut self, item: Item) {
        self.shared = None;
        self.items.push(item);
    }

    /// Where the handle of this local became live, if it is.
    pub(crate) fn origin(&self, local: LocalId) -> Option<Origin> {
        origin(&self.items, local)
    }

    /// Ends a live handle; whether there was one.
    pub(crate) fn take(&mut self, local: LocalId) -> bool {
        let Some(at) = self.items.iter().rposition(|item| item.is(local)) else {
            return false;
        };
        self.shared = None;
        self.items.remove(at);
        true
    }

    /// The innermost open block.
    pub(crate) fn innermost(&self) -> Option<BlockKind> {
        self.items.iter().rev().find_map(|item| match item {
            Item::Block(kind) => Some(*kind),
            Item::Handle(..) => None,
        })
    }

    /// Closes the innermost block.
    pub(crate) fn close(&mut self) {
        let is_block = |item: &Item| matches!(item, Item::Block(_));
        if let Some(at) = self.items.iter().rposition(is_block) {
            self.shared = None;
            self.items.remove(at);
        }
    }
}

/// Where the handle of a local became live in a state, if it is.
pub(crate) fn origin(items: &[Item], local: LocalId) -> Option<Origin> {
    items.iter().rev().find_map(|item| match item {
        Item::Handle(of, origin) if *of == local => Some(*origin),
        _ => None,
    })
}

/// The live handles of a state.
pub(crate) fn handles(items: &[Item]) -> impl Iterator<Item = (LocalId, Origin)> {
    items.iter().filter_map(|item| match item {
        Item::Handle(local, origin) => Some((*local, *origin)),
        Item::Block(_) => None,
    })
}

/// The open blocks of a state, outermost first.
pub(crate) fn blocks(items: &[Item]) -> impl Iterator<Item = BlockKind> {
    items.iter().filter_map(|item| match item {
        Item::Block(kind) => Some(*kind),
        Item::Handle(..) => None,
    })
}

/// Whether two states are the same.
pub(crate) fn same(a: &[Item], b: &[Item]) -> bool {
    if a.len() != b.len() || !blocks(a).eq(blocks(b)) {
        return false;
    }
    let locals = |items| handles(items).map(|(local, _)| local);
    if locals(a).eq(locals(b)) {
        return true;
    }
    let (mut a, mut b): (Vec<_>, Vec<_>) = (locals(a).collect(), locals(b).collect());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}
