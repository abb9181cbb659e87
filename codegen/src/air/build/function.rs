//! The builder of one function: locals, slots, blocks, the current place.

use asr_intrinsics::Row;

use super::ModuleBuilder;
use super::names::Names;
use super::prune::prune;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::loc::Loc;
use crate::air::module::*;
use crate::air::types::Type;

/// A block being built.
#[derive(Debug)]
struct Open {
    name: String,
    cold: bool,
    insts: Vec<Inst>,
    term: Option<(Term, Loc)>,
}

/// Makes the body of a function. See the module for its invariants.
#[derive(Debug)]
pub struct FunctionBuilder<'m> {
    module: &'m mut ModuleBuilder,
    id: FuncId,
    func: Function,
    blocks: Vec<Open>,
    current: BlockId,
    edge: Edge,
    loc: Loc,
    locals: Names,
    slots: Names,
    labels: Names,
}

impl<'m> FunctionBuilder<'m> {
    pub(super) fn new(module: &'m mut ModuleBuilder, id: FuncId) -> Self {
        let declared = &module.module.funcs[id.index()];
        let mut func = Function {
            blocks: Vec::new(),
            slots: Vec::new(),
            ..declared.clone()
        };
        func.locals.truncate(func.params as usize);
        let mut locals = Names::default();
        func.locals
            .iter()
            .for_each(|local| locals.reserve(&local.name));
        let mut builder = FunctionBuilder {
            module,
            id,
            func,
            blocks: Vec::new(),
            current: BlockId(0),
            edge: Edge::NONE,
            loc: Loc::NONE,
            locals,
            slots: Names::default(),
            labels: Names::default(),
        };
        builder.new_block("entry");
        builder
    }

    /// The module around it: for data, signatures, declarations.
    pub fn module(&mut self) -> &mut ModuleBuilder {
        self.module
    }

    /// The function being built.
    pub fn id(&self) -> FuncId {
        self.id
    }

    /// The name for people.
    pub fn set_title(&mut self, title: &str) {
        self.func.title = Some(title.into());
    }

    /// Where the function is declared.
    pub fn set_decl_loc(&mut self, loc: Loc) {
        self.func.loc = loc;
    }

    /// The `n`-th parameter.
    pub fn param(&self, n: usize) -> LocalId {
        assert!(
            n < self.func.params as usize,
            "function has no parameter {n}"
        );
        LocalId::new(n)
    }

    /// A fresh local; a name that is taken gets a number.
    pub fn new_local(&mut self, ty: Type, name: &str) -> LocalId {
        let name = self.locals.unique(name);
        self.func.locals.push(Local { name, ty });
        LocalId::new(self.func.locals.len() - 1)
    }

    /// A fresh local for an intermediate result.
    pub fn temp(&mut self, ty: Type) -> LocalId {
        self.new_local(ty, "t")
    }

    /// Renames a local, a parameter for instance.
    pub fn name_local(&mut self, local: LocalId, name: &str) {
        self.locals.release(&self.func.locals[local.index()].name);
        self.func.locals[local.index()].name = self.locals.unique(name);
    }

    /// The type of a local.
    pub fn type_of(&self, local: LocalId) -> Type {
        self.func.locals[local.index()].ty
    }

    /// A stack slot.
    pub fn new_slot(&mut self, name: &str, size: u32, align: u32) -> SlotId {
        let name = self.slots.unique(name);
        self.func.slots.push(Slot { name, size, align });
        SlotId::new(self.func.slots.len() - 1)
    }

    /// A new block, to be filled later; the current one stays current.
    pub fn new_block(&mut self, name: &str) -> BlockId {
        let name = self.labels.unique(name);
        self.blocks.push(Open {
            name,
            cold: false,
            insts: Vec::new(),
            term: None,
        });
        BlockId::new(self.blocks.len() - 1)
    }

    /// Marks a block as unlikely to run.
    pub fn set_cold(&mut self, block: BlockId) {
        self.blocks[block.index()].cold = true;
    }

    /// Goes on at the end of `block`.
    pub fn switch_to_block(&mut self, block: BlockId) {
        self.current = block;
    }

    /// The block to which instructions are added.
    pub fn current_block(&self) -> BlockId {
        self.current
    }

    /// Whether the current block has its end; what is emitted now is dropped.
    pub fn is_terminated(&self) -> bool {
        self.blocks[self.current.index()].term.is_some()
    }

    /// The location of what is emitted from now on.
    pub fn set_loc(&mut self, loc: Loc) {
        self.loc = loc;
    }

    /// The current location.
    pub fn loc(&self) -> Loc {
        self.loc
    }

    /// The edge of everything that may fail and is emitted from now on; returns the one before.
    pub fn set_edge(&mut self, edge: Edge) -> Edge {
        std::mem::replace(&mut self.edge, edge)
    }

    /// The current edge.
    pub fn edge(&self) -> Edge {
        self.edge
    }

    /// Adds an instruction, with the current location, and the current edge if it may fail.
    pub fn emit(&mut self, op: Op) {
        let edge = if self.may_fail(&op) {
            self.edge
        } else {
            Edge::NONE
        };
        let loc = self.loc;
        let block = &mut self.blocks[self.current.index()];
        if block.term.is_none() {
            block.insts.push(Inst { op, edge, loc });
        }
    }

    /// An intrinsic of an imported table that never fails gets no edge.
    fn may_fail(&self, op: &Op) -> bool {
        match op {
            Op::Intrinsic { row, .. } => self.module.row(row).is_none_or(Row::can_fail),
            op => op.may_fail(),
        }
    }

    /// Ends the current block, with the current location. An end after the end is dropped.
    pub fn terminate(&mut self, term: Term) {
        let loc = self.loc;
        self.blocks[self.current.index()]
            .term
            .get_or_insert((term, loc));
    }

    /// Ends the function: removes the blocks that nothing reaches, gives `unreachable` to a block
    /// that was left without an end, and puts the body into the module.
    pub fn finish(self) {
        let FunctionBuilder {
            module,
            id,
            mut func,
            blocks,
            ..
        } = self;
        func.blocks = blocks
            .into_iter()
            .map(|open| {
                let end = (Term::Unreachable { edge: Edge::NONE }, Loc::NONE);
                let (term, term_loc) = open.term.unwrap_or(end);
                Block {
                    name: open.name,
                    cold: open.cold,
                    insts: open.insts,
                    term,
                    term_loc,
                }
            })
            .collect();
        prune(&mut func);
        module.module.funcs[id.index()] = func;
    }
}
