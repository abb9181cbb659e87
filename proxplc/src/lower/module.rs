//! The module: declarations, cells, the wrappers of function values.

use asr_codegen::air::{
    self, ConvOp, FuncId, GlobalId, Linkage, ModuleBuilder, Operand, Signature, Type,
};

use super::func::FuncLower;
use super::{MAIN_SYMBOL, air_type, closure, word};
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
    /// Wrapper of each function that is used as a value, and the cell of the value.
    pub(super) wrappers: Vec<Option<(FuncId, GlobalId)>>,
    /// Cell of each top-level variable that functions use.
    pub(super) globals: Vec<Option<GlobalId>>,
    /// Cell of each constant string.
    pub(super) strings: Vec<GlobalId>,
    /// Cell of each native that is used as a value.
    pub(super) natives: Vec<GlobalId>,
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
        wrappers: Vec::new(),
        globals: Vec::new(),
        strings: Vec::new(),
        natives: Vec::new(),
    };
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
        shared.funcs.push(builder.declare(name, linkage, &sig));
        shared.wrappers.push(func.escapes.then(|| {
            let sig = value_signature(func.arity);
            let wrapper = builder.declare(&format!("{name}.value"), Linkage::Local, &sig);
            (
                wrapper,
                builder.global(&format!("{name}.func"), Type::Value, word::NULL),
            )
        }));
    }
    for (index, var) in program.vars.iter().enumerate() {
        shared.globals.push(var.global.then(|| {
            let ty = types.var(hir::VarId(index as u32));
            let init = if air_type(ty) == Type::Value {
                word::UNDEFINED
            } else {
                0
            };
            builder.global(names.text(var.name), air_type(ty), init)
        }));
    }
    for _ in &program.strings {
        shared
            .strings
            .push(builder.global("string", Type::Value, word::NULL));
    }
    for _ in &program.native_values {
        shared
            .natives
            .push(builder.global("native", Type::Value, word::NULL));
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
    let at = shared.file.lines.line_col(func.span.start);
    let loc = air::Loc {
        file: shared.file_index,
        line: at.line,
        col: at.column,
    };
    let mut b = builder.define(wrapper);
    b.set_title(func.name.map_or("lambda", |name| shared.names.text(name)));
    b.set_decl_loc(loc);
    b.set_loc(loc);
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
