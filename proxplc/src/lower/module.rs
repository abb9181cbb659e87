//! The module: declarations, cells, the wrappers of function values.

use std::collections::HashMap;

use asr_codegen::air::{
    self, ConvOp, FuncId, FunctionBuilder, GlobalId, Linkage, ModuleBuilder, Operand, Signature,
    Type,
};

use super::func::FuncLower;
use super::{MAIN_SYMBOL, air_type, closure, concurrency, word};
use crate::analysis::hir::{self, MAIN, Program};
use crate::analysis::infer::{Ty, Types};
use crate::diag::{Diagnostic, Diagnostics, SourceFile, code};
use crate::syntax::Interner;

/// What every function of the module needs to know.
pub(super) struct Shared<'a> {
    pub(super) program: &'a Program,
    pub(super) types: &'a Types,
    pub(super) names: &'a Interner,
    pub(super) file: &'a SourceFile,
    pub(super) file_index: u16,
    /// AIR function of each function.
    pub(super) funcs: Vec<FuncId>,
    /// What a task of each async function runs.
    pub(super) tasks: Vec<Option<FuncId>>,
    /// What the task that stands for an isolate runs.
    pub(super) watch: Option<FuncId>,
    /// What isolates run, by their number of arguments.
    pub(super) isolates: HashMap<u32, FuncId>,
    /// Wrapper of each function that is used as a value, and the cell of the value.
    pub(super) wrappers: Vec<Option<(FuncId, GlobalId)>>,
    /// Cell of each top-level variable that functions use.
    pub(super) globals: Vec<Option<Cell>>,
    /// Cell of each constant string.
    pub(super) strings: Vec<GlobalId>,
    /// Cell of each native that is used as a value.
    pub(super) natives: Vec<GlobalId>,
    /// How many cells each isolate has, if there are isolates.
    pub(super) table: Option<u32>,
}

/// Where a top-level variable is.
#[derive(Clone, Copy)]
pub(super) enum Cell {
    /// In a global: there is one isolate.
    Global(GlobalId),
    /// At this place of the cells that each isolate has.
    At(i32),
}

impl Shared<'_> {
    /// The arity of a function value; where there are isolates any of them may run it.
    pub(super) fn arity(&self, func: &hir::Func) -> Operand {
        let portable = match self.table {
            Some(_) => asr_value::object::PORTABLE,
            None => 0,
        };
        Operand::Imm(u64::from(func.arity | portable))
    }

    /// A cell of this type.
    fn new_cell(&mut self, builder: &mut ModuleBuilder, name: &str, ty: Type, init: u64) -> Cell {
        match &mut self.table {
            None => Cell::Global(builder.global(name, ty, init)),
            Some(count) => {
                *count += 1;
                Cell::At(*count as i32 - 1)
            }
        }
    }

    /// The title and the place of a function.
    pub(super) fn place(&self, b: &mut FunctionBuilder<'_>, id: hir::FuncId) {
        let func = self.program.func(id);
        let at = self.file.lines.line_col(func.span.start);
        let loc = air::Loc {
            file: self.file_index,
            line: at.line,
            col: at.column,
        };
        b.set_title(match func.name {
            Some(name) => self.names.text(name),
            None if id == MAIN => "script",
            None => "lambda",
        });
        b.set_decl_loc(loc);
        b.set_loc(loc);
    }
}

/// Lower a resolved program. An error is reported if a function is too large.
pub fn lower(
    program: &Program,
    names: &Interner,
    file: &SourceFile,
    unit: u16,
    diags: &mut Diagnostics,
) -> air::Module {
    let types = Types::infer(program);
    let mut builder = ModuleBuilder::new(&file.name, unit);
    builder.import(&asr_intrinsics::CORE);
    builder.import(&asr_value::TABLE);
    if program.func(MAIN).is_async {
        builder.import(&asr_intrinsics::TASKS);
    }
    let shared = declare(&mut builder, program, &types, names, file);
    for index in 0..program.funcs.len() {
        let id = hir::FuncId(index as u32);
        let mut lower = FuncLower::new(&shared, builder.define(shared.funcs[index]), id);
        if id == MAIN {
            lower.fill_cells();
        }
        if !lower.body() {
            let message = "this function is too large to be compiled";
            let diag = Diagnostic::new(code::TOO_LARGE, program.func(id).span, message);
            diags.push(diag.help("split it, or read large data from a file at run time"));
            break;
        }
        if let Some(task) = shared.tasks[index] {
            concurrency::define_task(&mut builder, &shared, id, task);
        }
        if let Some((wrapper, _)) = shared.wrappers[index] {
            define_wrapper(&mut builder, &shared, id, wrapper);
        }
    }
    builder.finish()
}

/// Declare all functions and cells, so that bodies can refer to any of them.
fn declare<'a>(
    builder: &mut ModuleBuilder,
    program: &'a Program,
    types: &'a Types,
    names: &'a Interner,
    file: &'a SourceFile,
) -> Shared<'a> {
    let file_index = builder.file(&file.name);
    let mut shared = Shared {
        program,
        types,
        names,
        file,
        file_index,
        funcs: Vec::new(),
        tasks: Vec::new(),
        watch: None,
        isolates: HashMap::new(),
        wrappers: Vec::new(),
        globals: Vec::new(),
        strings: Vec::new(),
        natives: Vec::new(),
        table: (!program.isolates.is_empty()).then_some(0),
    };
    for argc in &program.isolates {
        let func = concurrency::define_isolate(builder, *argc);
        shared.isolates.insert(*argc, func);
    }
    if !program.isolates.is_empty() {
        shared.watch = Some(concurrency::define_watch(builder));
    }
    for (index, func) in program.funcs.iter().enumerate() {
        let id = hir::FuncId(index as u32);
        let name = func.name.map_or("lambda", |name| names.text(name));
        let (name, linkage, sig) = if id == MAIN {
            (
                MAIN_SYMBOL,
                Linkage::Export,
                Signature {
                    throws: true,
                    ..Signature::default()
                },
            )
        } else {
            (name, Linkage::Local, signature(&shared, id))
        };
        let declared = builder.declare(name, linkage, &sig);
        shared.funcs.push(declared);
        let mut task = None;
        if func.is_async {
            builder.set_async(declared);
        }
        if func.is_async && id != MAIN {
            let sig = concurrency::task_signature(&sig);
            let declared = builder.declare(&format!("{name}.task"), Linkage::Local, &sig);
            builder.set_async(declared);
            task = Some(declared);
        }
        shared.tasks.push(task);
        let wrapper = func.escapes.then(|| {
            let sig = value_signature(func.arity);
            let wrapper = builder.declare(&format!("{name}.value"), Linkage::Local, &sig);
            let cell = builder.global(&format!("{name}.func"), Type::Value, word::NULL);
            (wrapper, cell)
        });
        shared.wrappers.push(wrapper);
    }
    for (index, var) in program.vars.iter().enumerate() {
        let cell = var.global.then(|| {
            let ty = types.var(hir::VarId(index as u32));
            let init = if air_type(ty) == Type::Value {
                word::UNDEFINED
            } else {
                0
            };
            shared.new_cell(builder, names.text(var.name), air_type(ty), init)
        });
        shared.globals.push(cell);
    }
    for _ in &program.strings {
        let cell = builder.global("string", Type::Value, word::NULL);
        shared.strings.push(cell);
    }
    for _ in &program.native_values {
        let cell = builder.global("native", Type::Value, word::NULL);
        shared.natives.push(cell);
    }
    shared
}

/// The signature of a function: parameters and result in the types that were found.
fn signature(shared: &Shared, id: hir::FuncId) -> Signature {
    let func = shared.program.func(id);
    Signature {
        params: func
            .params
            .iter()
            .map(|p| air_type(shared.types.var(*p)))
            .collect(),
        ret: Some(air_type(shared.types.result(id))),
        throws: true,
    }
}

/// The signature of the code of a function value: itself and its arguments.
pub(super) fn value_signature(arity: u32) -> Signature {
    Signature {
        params: vec![Type::Value; arity as usize + 1],
        ret: Some(Type::Value),
        throws: true,
    }
}

/// `(self, args...) -> value`: calls the function without `self`. The parameters of a function that
/// escapes are values already; its result becomes one here.
fn define_wrapper(builder: &mut ModuleBuilder, shared: &Shared, id: hir::FuncId, wrapper: FuncId) {
    let func = shared.program.func(id);
    let mut b = builder.define(wrapper);
    shared.place(&mut b, id);
    let mut args: Vec<Operand> = (1..=func.arity as usize)
        .map(|n| b.param(n).into())
        .collect();
    if !func.captures.is_empty() {
        let this = b.param(0);
        let this = closure::address(&mut b, this);
        for at in 0..func.captures.len() as i32 {
            let offset = word::CAPTURED + 8 * at;
            args.push(b.load(Type::Value, this, offset).into());
        }
    }
    if let Some(task) = shared.tasks[id.0 as usize] {
        let object = concurrency::start_task(&mut b, task, None, &args);
        b.ret(Some(object));
        b.finish();
        return;
    }
    let result = b.call(shared.funcs[id.0 as usize], &args);
    let result = result.map_or(Operand::Imm(word::NULL), Operand::from);
    let word = match shared.types.result(id) {
        Ty::Value | Ty::Str | Ty::Never => result,
        Ty::Num => b
            .convert(ConvOp::Bitcast, Type::F64, Type::Value, result)
            .into(),
        Ty::Int => {
            let double = b.convert(ConvOp::SToF, Type::I64, Type::F64, result);
            b.convert(ConvOp::Bitcast, Type::F64, Type::Value, double)
                .into()
        }
        Ty::Bool => {
            let (yes, no) = (Operand::Imm(word::TRUE), Operand::Imm(word::FALSE));
            b.select(Type::Value, result, yes, no).into()
        }
    };
    b.ret(Some(word));
    b.finish();
}
