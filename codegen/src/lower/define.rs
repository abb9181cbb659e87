//! From CLIF to machine code, and into the module.
//!
//! Cranelift's `Context::compile` optimizes and then makes code. [`late`] must act between the two,
//! and optimizing once more would undo it, so the two steps are taken here: `Context::optimize`,
//! which does nothing that costs at level `none`, and the backend's `compile_function`.
//!
//! Invariant: between the two steps the layout of blocks and their edges do not change, for the
//! backend gets the dominator tree of the first.

use std::cell::Cell;
use std::time::Instant;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::unwind::UnwindInfo;
use cranelift_codegen::settings::OptLevel;
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::{FuncId, Module, ModuleReloc};
use target_lexicon::Architecture;

use super::{epilogue, late};
use crate::Error;
use crate::air::{self, Loc};

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
    /// Unwind information, if wanted.
    pub(crate) unwind: Option<UnwindInfo>,
    /// Text, if wanted.
    pub(crate) text: String,
    /// Instructions of CLIF; 0 where the code was there already.
    pub(crate) clif_insts: usize,
    /// Time of building the CLIF.
    pub(crate) build_ns: u64,
    /// Time of Cranelift's work on it.
    pub(crate) compile_ns: u64,
}

/// Machine code of one function, as the module takes it.
pub(super) struct Machine {
    pub(super) bytes: Vec<u8>,
    pub(super) align: u64,
    pub(super) relocs: Vec<ModuleReloc>,
}

/// Buffers that functions use one after the other.
pub(crate) struct Scratch {
    /// The function and what Cranelift finds out about it.
    pub(crate) cx: Context,
    /// For the frontend.
    pub(crate) builder: FunctionBuilderContext,
    registers: regalloc2::Ctx,
    /// Instructions of the largest function so far.
    largest: usize,
}

thread_local! {
    static KEPT: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    /// A function that grew the buffers more than this leaves them to be freed.
    const KEPT_INSTS: usize = 2000;

    /// The buffers that this thread kept, or new ones.
    pub(crate) fn take() -> Box<Scratch> {
        KEPT.take().unwrap_or_else(|| {
            Box::new(Scratch {
                cx: Context::new(),
                builder: FunctionBuilderContext::new(),
                registers: regalloc2::Ctx::default(),
                largest: 0,
            })
        })
    }

    /// Keeps the buffers for this thread's next unit.
    pub(crate) fn keep(mut self: Box<Self>) {
        if self.largest <= Scratch::KEPT_INSTS {
            self.cx.clear();
            KEPT.set(Some(self));
        }
    }

    /// An empty function in place of the last one.
    pub(crate) fn function(&mut self) -> &mut Function {
        self.cx.clear();
        &mut self.cx.func
    }
}

/// Compiles the function in `scratch` and notes what its tables need.
pub(crate) fn define(
    module: &mut dyn Module,
    id: FuncId,
    scratch: &mut Scratch,
    locs: &[Loc],
    want: Want,
) -> Result<Compiled, Error> {
    let (compiled, machine) = compile(module, id, scratch, locs, want)?;
    install(module, id, &machine)?;
    Ok(compiled)
}

/// Hands code to the module.
pub(super) fn install(module: &mut dyn Module, id: FuncId, machine: &Machine) -> Result<(), Error> {
    let Machine {
        bytes,
        align,
        relocs,
    } = machine;
    Ok(module.define_function_bytes(id, *align, bytes, relocs)?)
}

/// Makes machine code of the function in `scratch`.
pub(super) fn compile(
    module: &dyn Module,
    id: FuncId,
    scratch: &mut Scratch,
    locs: &[Loc],
    want: Want,
) -> Result<(Compiled, Machine), Error> {
    let Scratch { cx, registers, .. } = scratch;
    let isa = module.isa();
    let clif_insts = cx.func.dfg.num_insts();
    scratch.largest = scratch.largest.max(clif_insts);
    let mut text = String::new();
    if want.clif {
        text = cx.func.display().to_string();
    }
    let started = Instant::now();
    let plane = &mut ControlPlane::default();
    cx.optimize(isa, plane)?;
    if isa.flags().opt_level() != OptLevel::None {
        late::increments(&mut cx.func);
        cx.verify_if(isa)?;
    }
    let code = isa.compile_function(&cx.func, &cx.domtree, registers, want.asm, plane)?;
    let code = code.apply_params(&cx.func.params);
    let mut bytes = code.code_buffer().to_vec();
    if isa.triple().architecture == Architecture::X86_64 {
        epilogue::shorten(&cx.func, &mut bytes);
    }
    let relocs = code.buffer.relocs().iter();
    let machine = Machine {
        align: u64::from(code.buffer.alignment),
        relocs: relocs
            .map(|reloc| ModuleReloc::from_mach_reloc(reloc, &cx.func, id))
            .collect(),
        bytes,
    };
    let compile_ns = started.elapsed().as_nanos() as u64;
    if want.asm {
        text = code.vcode.clone().unwrap_or_default();
    }
    let located = code.buffer.get_srclocs_sorted().iter();
    let compiled = Compiled {
        id,
        func: None,
        name: String::new(),
        len: machine.bytes.len() as u32,
        locs: located
            .filter(|range| !range.loc.is_default())
            .filter_map(|range| Some((range.start, *locs.get(range.loc.bits() as usize)?)))
            .collect(),
        unwind: if want.unwind {
            code.create_unwind_info(isa)?
        } else {
            None
        },
        text,
        clif_insts,
        build_ns: 0,
        compile_ns,
    };
    Ok((compiled, machine))
}
