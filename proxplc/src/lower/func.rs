//! One function: its variables, its place in the source, its limits.

use std::collections::HashMap;

use asr_codegen::air::{BlockId, FunctionBuilder, Loc, LocalId, Operand, SlotId, Type};

use super::exits::Exit;
use super::known::Known;
use super::module::{Cell, Shared};
use super::{Val, air_type, rows, waits, word};
use crate::analysis::hir::{FuncId, MAIN, VarId};
use crate::analysis::infer::Ty;
use crate::syntax::Span;

/// Nodes of the tree of one function. The code generator takes a few seconds for a function of
/// this size; ten times more would take minutes and gigabytes.
const NODES_MAX: u32 = 50_000;

/// Nodes of a function behind which fast paths are no longer written out.
const NODES_INLINE_MAX: u32 = 5_000;

/// Where `break` and `continue` go.
pub(super) struct Loop {
    pub(super) exit: BlockId,
    pub(super) next: BlockId,
    /// How many exits are open around it.
    pub(super) depth: usize,
}

/// The lowering of one function.
pub(super) struct FuncLower<'a, 'm> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) b: FunctionBuilder<'m>,
    pub(super) id: FuncId,
    vars: HashMap<VarId, LocalId>,
    pub(super) loops: Vec<Loop>,
    pub(super) exits: Vec<Exit>,
    /// The scope that new tasks belong to: its region, and its object.
    pub(super) scope: Option<(LocalId, Operand)>,
    nodes: u32,
    slot: Option<SlotId>,
    pub(super) known: Known,
}

impl<'a, 'm> FuncLower<'a, 'm> {
    pub(super) fn new(shared: &'a Shared<'a>, b: FunctionBuilder<'m>, id: FuncId) -> Self {
        let mut lower = Self {
            shared,
            b,
            id,
            vars: HashMap::new(),
            loops: Vec::new(),
            exits: Vec::new(),
            scope: None,
            nodes: 0,
            slot: None,
            known: Known::default(),
        };
        let func = shared.program.func(id);
        for (index, param) in func.params.iter().enumerate() {
            let local = lower.b.param(index);
            lower
                .b
                .name_local(local, shared.names.text(shared.program.var(*param).name));
            lower.vars.insert(*param, local);
            lower.known.variable(local, shared.program.var(*param));
        }
        shared.place(&mut lower.b, id);
        lower
    }

    /// Lower the body and finish the function. False if it is too large.
    pub(super) fn body(mut self) -> bool {
        let func = self.shared.program.func(self.id);
        for param in &func.params[..func.arity as usize] {
            if self.shared.program.var(*param).boxed {
                let value = Val::value(self.local(*param));
                self.make_box(*param, value);
            }
        }
        // A function waits for the tasks that it started.
        match func.is_async && waits::starts(&func.body) {
            true => self.scope(&func.body),
            false => self.stmts(&func.body),
        }
        if self.nodes > NODES_MAX {
            return false;
        }
        self.set_span(func.end);
        self.ret(None);
        self.b.finish();
        true
    }

    /// Count one node; false once there are too many, and nothing more need be emitted.
    pub(super) fn count(&mut self) -> bool {
        self.nodes += 1;
        self.nodes <= NODES_MAX
    }

    /// Whether the function is small enough for inline fast paths; they would make a huge one,
    /// which is hardly hot all over, slow to compile.
    pub(super) fn worth_inlining(&self) -> bool {
        self.nodes < NODES_INLINE_MAX
    }

    fn loc(&self, span: Span) -> Loc {
        let at = self.shared.file.lines.line_col(span.start);
        Loc {
            file: self.shared.file_index,
            line: at.line,
            col: at.column,
        }
    }

    pub(super) fn set_span(&mut self, span: Span) {
        let loc = self.loc(span);
        self.b.set_loc(loc);
    }

    /// Return a value, or null.
    pub(super) fn ret(&mut self, value: Option<Val>) {
        if self.id == MAIN {
            self.run_exits(0);
            self.b.ret(None);
            return;
        }
        let value = value.unwrap_or(self.null());
        let value = self.pin(value, !self.exits.is_empty());
        let op = self.coerce(value, self.shared.types.result(self.id));
        self.run_exits(0);
        self.b.ret(Some(op));
    }

    /// Fill the cells of strings and function values, at the beginning of the main function.
    pub(super) fn fill_cells(&mut self) {
        if let Some(count) = self.shared.table {
            self.b
                .intrinsic_into(None, rows::CELLS_MAKE, &[Operand::Imm(count.into())]);
        }
        for (index, bytes) in self.shared.program.strings.iter().enumerate() {
            let string = self.constant_bytes(bytes);
            let value = self.call_row(rows::STRING, &string);
            self.b.global_set(self.shared.strings[index], value);
        }
        for (index, native) in self.shared.program.native_values.iter().enumerate() {
            let number = self.native_number(*native);
            let value = self.call_row(rows::NATIVE, &[number]);
            self.b.global_set(self.shared.natives[index], value);
        }
        for (index, wrapper) in self.shared.wrappers.iter().enumerate() {
            let func = &self.shared.program.funcs[index];
            let Some((wrapper, cell)) = wrapper.filter(|_| func.captures.is_empty()) else {
                continue;
            };
            let name = func.name.map_or("", |name| self.shared.names.text(name));
            let code = self.b.func_addr(wrapper);
            let [name, len] = self.constant_bytes(name.as_bytes());
            let args = [code.into(), self.shared.arity(func), name, len];
            let value = self.call_row(rows::FUNCTION, &args);
            self.b.global_set(cell, value);
        }
    }

    /// What is in a cell.
    pub(super) fn cell(&mut self, cell: Cell) -> LocalId {
        match cell {
            Cell::Global(global) => self.b.global_get(global),
            Cell::At(at) => {
                let table = self.call_row(rows::CELLS, &[]);
                self.b.load(Type::Value, table, at * 8)
            }
        }
    }

    /// Put a value into a cell.
    pub(super) fn set_cell(&mut self, cell: Cell, value: Operand) {
        match cell {
            Cell::Global(global) => self.b.global_set(global, value),
            Cell::At(at) => {
                let table = self.call_row(rows::CELLS, &[]);
                self.b.store(Type::Value, value, table, at * 8);
            }
        }
    }

    /// Address and length of constant bytes.
    pub(super) fn constant_bytes(&mut self, bytes: &[u8]) -> [Operand; 2] {
        let data = self.b.module().data(bytes);
        [
            self.b.data_addr(data).into(),
            Operand::Imm(bytes.len() as u64),
        ]
    }

    /// Call a row that has a result.
    pub(super) fn call_row(&mut self, row: &str, args: &[Operand]) -> Operand {
        self.b
            .intrinsic(row, args)
            .map_or(Operand::Imm(word::NULL), Operand::from)
    }

    /// The local of a variable of this function.
    pub(super) fn local(&mut self, var: VarId) -> LocalId {
        let data = self.shared.program.var(var);
        let ty = air_type(self.shared.types.var(var));
        let name = self.shared.names.text(data.name);
        if let Some(local) = self.vars.get(&var) {
            return *local;
        }
        let local = self.b.new_local(ty, name);
        self.vars.insert(var, local);
        self.known.variable(local, data);
        local
    }

    /// The slot of this activation for words that are handed over in memory.
    pub(super) fn shared_slot(&mut self, words: usize) -> SlotId {
        let b = &mut self.b;
        *self
            .slot
            .get_or_insert_with(|| b.new_slot("words", (words * 8) as u32, 8))
    }

    /// A fresh local that several paths assign.
    pub(super) fn merge(&mut self, ty: Ty) -> LocalId {
        self.b.new_local(air_type(ty), "m")
    }

    pub(super) fn cold_block(&mut self, name: &str) -> BlockId {
        let block = self.b.new_block(name);
        self.b.set_cold(block);
        block
    }

    pub(super) fn null(&self) -> Val {
        Val::value(Operand::Imm(word::NULL))
    }

    /// A copy, if the value is a variable that `later` code may assign.
    pub(super) fn pin(&mut self, val: Val, later: bool) -> Val {
        match val.op {
            Operand::Local(local) if later => {
                let ty: Type = air_type(val.ty);
                Val {
                    ty: val.ty,
                    op: self.b.copy(ty, local).into(),
                }
            }
            _ => val,
        }
    }
}
