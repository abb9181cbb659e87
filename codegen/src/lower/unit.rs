//! A whole module: declarations, definitions in order, what is known of each function's code.
//!
//! Data comes first, then the functions in the order of AIR, then the stubs: so an arena that
//! hands out memory in sequence has one stretch per kind, and functions lie in address order.

use std::collections::HashMap;
use std::time::Instant;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{FuncRef, Function};
use cranelift_codegen::isa::unwind::UnwindInfo;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::{Context, ir};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module, ModuleReloc};

use super::facts::Facts;
use super::{clif_check, epilogue, func, late, stubs, types};
use crate::air::{self, Loc};
use crate::emit::isa::isa;
use crate::{Error, OptLevel, Options, Prepared};

/// What the caller wants besides the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Want {
    /// The text of the CLIF.
    pub(crate) clif: bool,
    /// The assembly.
    pub(crate) asm: bool,
    /// Unwind information.
    pub(crate) unwind: bool,
}

/// What is known of one function's code.
pub(crate) struct Compiled {
    /// Its number in the Cranelift module.
    pub(crate) id: FuncId,
    /// The function of AIR; stubs have none.
    pub(crate) func: Option<air::FuncId>,
    /// Its symbol.
    pub(crate) name: String,
    /// Bytes of code.
    pub(crate) len: u32,
    /// Where stretches of code come from, by ascending offset.
    pub(crate) locs: Vec<(u32, Loc)>,
    #[allow(dead_code, reason = "read by the object writer")]
    /// Unwind information, if wanted.
    pub(crate) unwind: Option<UnwindInfo>,
    #[allow(dead_code, reason = "read by the listing")]
    /// Text, if wanted.
    pub(crate) text: String,
    /// Instructions of CLIF.
    pub(crate) clif_insts: usize,
    /// Time of building the CLIF, and of Cranelift's work on it.
    pub(crate) build_ns: u64,
    /// Time of Cranelift's work on it.
    pub(crate) compile_ns: u64,
}

/// A module in a Cranelift module.
pub(crate) struct Lowered {
    /// The functions of AIR in order, then the stubs.
    pub(crate) funcs: Vec<Compiled>,
}

/// What the functions share.
pub(super) struct Unit<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) air: &'a air::Module,
    pub(super) facts: Facts,
    pub(super) funcs: Vec<FuncId>,
    pub(super) data: Vec<DataId>,
    pub(super) globals: Vec<DataId>,
    pub(super) stubs: stubs::Stubs,
    /// Index of the first site of each function.
    pub(super) first_site: Vec<u32>,
}

/// Lowers the module and defines everything in `module`. `main` names the exported function that
/// a shim will call: its own symbol gives way if it is `main` too.
pub(crate) fn lower(
    prepared: &Prepared,
    module: &mut dyn Module,
    main: Option<&str>,
    want: Want,
) -> Result<Lowered, Error> {
    let mut unit = declare(prepared, module, main)?;
    let mut out = Lowered { funcs: Vec::new() };
    let second = second_stage(prepared, module)?;
    let mut cx = Context::new();
    let mut fcx = FunctionBuilderContext::new();
    for index in 0..unit.air.funcs.len() {
        let id = air::FuncId::new(index);
        let started = Instant::now();
        let mut locs = Vec::new();
        cx.func = Function::with_name_signature(
            ir::UserFuncName::user(0, unit.funcs[index].as_u32()),
            types::signature(&unit.air.funcs[index].signature(), unit.facts.shape(id)),
        );
        func::build(&mut unit, module, id, &mut cx.func, &mut fcx, &mut locs)?;
        if prepared.options().verify_clif {
            clif_check::no_plain_flag_load(&cx.func, &unit.air.funcs[index].name)?;
        }
        let build_ns = started.elapsed().as_nanos() as u64;
        let clif_id = unit.funcs[index];
        let stage = second.as_deref().map_or(Stage::Module, Stage::Late);
        let mut compiled = define(module, stage, clif_id, &mut cx, &locs, want)?;
        compiled.func = Some(id);
        compiled.name = unit.air.funcs[index].name.clone();
        compiled.build_ns = build_ns;
        out.funcs.push(compiled);
    }
    for (id, name, function) in stubs::bodies(&unit.stubs, module)? {
        cx.func = function;
        // There is nothing to optimize in a call; leaving it out halves the time of a stub.
        let stage = second.as_deref().map_or(Stage::Module, Stage::Plain);
        let mut compiled = define(module, stage, id, &mut cx, &[], want)?;
        compiled.name = name.to_owned();
        out.funcs.push(compiled);
    }
    Ok(out)
}

/// The same target without the optimizer, which would undo what is done after it.
fn second_stage(prepared: &Prepared, module: &dyn Module) -> Result<Option<OwnedTargetIsa>, Error> {
    let options = prepared.options();
    if options.opt == OptLevel::None {
        return Ok(None);
    }
    let plain = Options {
        opt: OptLevel::None,
        ..*options
    };
    isa(&plain, module.isa().flags().is_pic()).map(Some)
}

fn declare<'a>(
    prepared: &'a Prepared,
    module: &mut dyn Module,
    main: Option<&str>,
) -> Result<Unit<'a>, Error> {
    let air = prepared.module();
    let facts = Facts::of(air, prepared.rows())?;
    let mut data = Vec::with_capacity(air.data.len());
    for item in &air.data {
        let id = module.declare_anonymous_data(false, false)?;
        define_data(module, id, item.bytes.clone(), 16)?;
        data.push(id);
    }
    let mut globals = Vec::with_capacity(air.globals.len());
    for item in &air.globals {
        let id = module.declare_anonymous_data(true, false)?;
        let bytes = item.init.to_le_bytes()[..item.ty.size() as usize].to_vec();
        define_data(module, id, bytes, 8)?;
        globals.push(id);
    }
    let foreign: Vec<&str> = air.externs.iter().map(|item| item.name.as_str()).collect();
    let mut funcs = Vec::with_capacity(air.funcs.len());
    for (index, item) in air.funcs.iter().enumerate() {
        let shape = facts.shape(air::FuncId::new(index));
        let signature = types::signature(&item.signature(), shape);
        // A local name lives in the module's own name space: it must not meet a symbol.
        let taken = item.name.starts_with("asr")
            || item.name == "main"
            || foreign.contains(&item.name.as_str());
        funcs.push(match item.linkage {
            air::Linkage::Export if !(main.is_some() && item.name == "main") => {
                module.declare_function(&item.name, Linkage::Export, &signature)?
            }
            _ if taken => module.declare_anonymous_function(&signature)?,
            _ => module.declare_function(&item.name, Linkage::Local, &signature)?,
        });
    }
    let mut first_site = vec![0; air.funcs.len() + 1];
    for site in air::sites(air) {
        first_site[site.func.index() + 1] += 1;
    }
    let mut next = 1;
    for first in &mut first_site {
        next += *first;
        *first = next;
    }
    Ok(Unit {
        prepared,
        air,
        facts,
        funcs,
        data,
        globals,
        stubs: stubs::Stubs::default(),
        first_site,
    })
}

fn define_data(
    module: &mut dyn Module,
    id: DataId,
    bytes: Vec<u8>,
    align: u64,
) -> Result<(), Error> {
    let mut description = DataDescription::new();
    if bytes.is_empty() {
        description.define(Box::new([0]));
    } else {
        description.define(bytes.into_boxed_slice());
    }
    description.set_align(align);
    module.define_data(id, &description)?;
    Ok(())
}

/// How a function is compiled.
pub(crate) enum Stage<'a> {
    /// With the settings of the module.
    Module,
    /// With these settings alone.
    Plain(&'a dyn TargetIsa),
    /// The module's settings optimize, and these compile what [`late`] made of it.
    Late(&'a dyn TargetIsa),
}

/// Compiles a function and notes what its tables need.
pub(crate) fn define(
    module: &mut dyn Module,
    stage: Stage<'_>,
    id: FuncId,
    cx: &mut Context,
    locs: &[Loc],
    want: Want,
) -> Result<Compiled, Error> {
    let clif_insts = cx.func.dfg.num_insts();
    let mut text = String::new();
    if want.clif {
        text = cx.func.display().to_string();
    }
    cx.set_disasm(want.asm);
    let started = Instant::now();
    let plane = &mut ControlPlane::default();
    let made = match stage {
        Stage::Module => cx.compile(module.isa(), plane),
        Stage::Plain(plain) => cx.compile(plain, plane),
        Stage::Late(plain) => {
            cx.optimize(module.isa(), plane)?;
            late::increments(&mut cx.func);
            cx.compile(plain, plane)
        }
    };
    made.map_err(|error| Error::from(error.inner))?;
    let code = cx
        .compiled_code()
        .ok_or_else(|| Error::Cranelift("no code was made".to_owned()))?;
    let mut bytes = code.code_buffer().to_vec();
    if module.isa().triple().architecture == target_lexicon::Architecture::X86_64 {
        epilogue::shorten(&cx.func, &mut bytes);
    }
    let relocs = code.buffer.relocs().iter();
    let relocs: Vec<ModuleReloc> = relocs
        .map(|reloc| ModuleReloc::from_mach_reloc(reloc, &cx.func, id))
        .collect();
    module.define_function_bytes(id, u64::from(code.buffer.alignment), &bytes, &relocs)?;
    let compile_ns = started.elapsed().as_nanos() as u64;
    if want.asm {
        text = code.vcode.clone().unwrap_or_default();
    }
    let located = code.buffer.get_srclocs_sorted().iter();
    let compiled = Compiled {
        id,
        func: None,
        name: String::new(),
        len: code.code_buffer().len() as u32,
        locs: located
            .filter(|range| !range.loc.is_default())
            .filter_map(|range| Some((range.start, *locs.get(range.loc.bits() as usize)?)))
            .collect(),
        unwind: if want.unwind {
            code.create_unwind_info(module.isa())?
        } else {
            None
        },
        text,
        clif_insts,
        build_ns: 0,
        compile_ns,
    };
    module.clear_context(cx);
    Ok(compiled)
}

/// Functions imported into one function, so that each is imported once.
#[derive(Default)]
pub(super) struct Imports(HashMap<FuncId, FuncRef>);

impl Imports {
    /// The reference of a declared function.
    pub(super) fn get(
        &mut self,
        module: &mut dyn Module,
        id: FuncId,
        function: &mut Function,
    ) -> FuncRef {
        *self
            .0
            .entry(id)
            .or_insert_with(|| module.declare_func_in_func(id, function))
    }
}
