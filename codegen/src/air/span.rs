//! Places of a module, and where the parser found them in the text.

use super::entity::*;

/// A part of a module that an error may be about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// The module.
    Module,
    /// The `n`-th imported table.
    Table(usize),
    /// The `n`-th declared signature.
    Sig(SigId),
    /// Constant bytes.
    Data(DataId),
    /// A global.
    Global(GlobalId),
    /// A foreign function.
    Extern(ExternId),
    /// The `n`-th handler.
    Handler(usize),
    /// A function.
    Func(FuncId),
    /// A local of a function.
    Local(FuncId, LocalId),
    /// A slot of a function.
    Slot(FuncId, SlotId),
    /// A block of a function.
    Block(FuncId, BlockId),
    /// An instruction by its index in the block; the number of instructions for the terminator.
    Inst(FuncId, BlockId, usize),
}

impl Place {
    /// The function that it belongs to.
    pub fn func(self) -> Option<FuncId> {
        match self {
            Place::Func(func)
            | Place::Local(func, _)
            | Place::Slot(func, _)
            | Place::Block(func, _)
            | Place::Inst(func, ..) => Some(func),
            _ => None,
        }
    }
}

/// A position in a text: line and column in bytes, both from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// Line.
    pub line: u32,
    /// Column.
    pub col: u32,
}

/// Where the parts of a parsed module begin in its text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spans {
    pub(super) module: Span,
    pub(super) tables: Vec<Span>,
    pub(super) sigs: Vec<Span>,
    pub(super) data: Vec<Span>,
    pub(super) globals: Vec<Span>,
    pub(super) externs: Vec<Span>,
    pub(super) handlers: Vec<Span>,
    pub(super) funcs: Vec<FuncSpans>,
}

/// The spans of one function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct FuncSpans {
    pub(super) head: Span,
    pub(super) locals: Vec<Span>,
    pub(super) slots: Vec<Span>,
    /// Of each block its label, then its instructions and its terminator.
    pub(super) blocks: Vec<(Span, Vec<Span>)>,
}

impl Spans {
    /// Where `place` begins; where its function or the module begins when that is not known.
    pub fn of(&self, place: Place) -> Span {
        self.exact(place)
            .or_else(|| Some(self.funcs.get(place.func()?.index())?.head))
            .unwrap_or(self.module)
    }

    fn exact(&self, place: Place) -> Option<Span> {
        let func = |id: FuncId| self.funcs.get(id.index());
        let span = match place {
            Place::Module => Some(&self.module),
            Place::Table(n) => self.tables.get(n),
            Place::Sig(id) => self.sigs.get(id.index()),
            Place::Data(id) => self.data.get(id.index()),
            Place::Global(id) => self.globals.get(id.index()),
            Place::Extern(id) => self.externs.get(id.index()),
            Place::Handler(n) => self.handlers.get(n),
            Place::Func(id) => func(id).map(|f| &f.head),
            Place::Local(id, local) => func(id)?.locals.get(local.index()),
            Place::Slot(id, slot) => func(id)?.slots.get(slot.index()),
            Place::Block(id, block) => func(id)?.blocks.get(block.index()).map(|b| &b.0),
            Place::Inst(id, block, n) => func(id)?.blocks.get(block.index())?.1.get(n),
        };
        span.copied()
    }
}
