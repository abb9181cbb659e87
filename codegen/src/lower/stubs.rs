//! The three `PreserveAll` stubs of a unit: checkpoint, fault and trace.
//!
//! A stub saves every register and calls the runtime with the C convention. `PreserveAll` has no
//! results: a checkpoint answers in `th.action`, a fault leaves its exception word in `th.exc`.

use std::mem::offset_of;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use asr_abi::Thread;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    self, AbiParam, Function, InstBuilder, MemFlagsData, Signature, UserFuncName,
};
use cranelift_codegen::isa::CallConv;
use cranelift_codegen::isa::unwind::UnwindInfo;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module, ModuleReloc, ModuleRelocTarget};
use target_lexicon::Architecture;

use super::define::{self, Compiled, Machine, Scratch, Want};
use crate::Error;

/// The stubs; each is declared when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Stubs {
    ids: [Option<FuncId>; 3],
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stub {
    /// `(th)`
    Checkpoint,
    /// `(th, site: i64, code: i32)`
    Fault,
    /// `(th, site: i64)`
    Trace,
}

const ALL: [Stub; 3] = [Stub::Checkpoint, Stub::Fault, Stub::Trace];

impl Stub {
    fn name(self) -> &'static str {
        match self {
            Stub::Checkpoint => "asr.stub.checkpoint",
            Stub::Fault => "asr.stub.fault",
            Stub::Trace => "asr.stub.trace",
        }
    }

    fn params(self) -> &'static [ir::Type] {
        match self {
            Stub::Checkpoint => &[I64],
            Stub::Fault => &[I64, I64, I32],
            Stub::Trace => &[I64, I64],
        }
    }

    fn target(self) -> &'static str {
        match self {
            Stub::Checkpoint => "asr_checkpoint",
            Stub::Fault => "asr_i_fault",
            Stub::Trace => "asr_i_trace",
        }
    }

    fn signature(self, conv: CallConv) -> Signature {
        let mut signature = Signature::new(conv);
        let params = self.params().iter().map(|&ty| AbiParam::new(ty));
        signature.params.extend(params);
        signature
    }

    fn declare_target(self, module: &mut dyn Module) -> Result<FuncId, Error> {
        let mut signature = self.signature(CallConv::SystemV);
        if self != Stub::Checkpoint {
            signature.returns = vec![AbiParam::new(I64), AbiParam::new(I64)];
        }
        Ok(module.declare_function(self.target(), Linkage::Import, &signature)?)
    }
}

impl Stubs {
    /// The stub, declared.
    pub(super) fn get(&mut self, stub: Stub, module: &mut dyn Module) -> Result<FuncId, Error> {
        let slot = &mut self.ids[stub as usize];
        if let Some(id) = *slot {
            return Ok(id);
        }
        let signature = stub.signature(CallConv::PreserveAll);
        let id = module.declare_function(stub.name(), Linkage::Local, &signature)?;
        *slot = Some(id);
        Ok(id)
    }
}

/// Code of a stub that was compiled before.
#[derive(Clone)]
struct Code {
    machine: Arc<Machine>,
    unwind: Option<UnwindInfo>,
}

/// On what the code of a stub depends: the stub, the target, whether it is position independent.
/// Whether Cranelift's verifier is to see it is a part, so that it sees it if that is asked for.
type Key = (Stub, Architecture, bool, bool);

/// Stubs are the same in every unit but for the number of the function they call.
static COMPILED: Mutex<Vec<(Key, Code)>> = Mutex::new(Vec::new());

/// Defines the stubs that were used. Each unit has its own copies, so that it is freed whole.
pub(super) fn define(
    stubs: &Stubs,
    module: &mut dyn Module,
    scratch: &mut Scratch,
    want: Want,
) -> Result<Vec<Compiled>, Error> {
    let mut out = Vec::new();
    for stub in ALL {
        if let Some(id) = stubs.ids[stub as usize] {
            let mut compiled = define_one(stub, id, module, scratch, want)?;
            compiled.name = stub.name().to_owned();
            out.push(compiled);
        }
    }
    Ok(out)
}

fn define_one(
    stub: Stub,
    id: FuncId,
    module: &mut dyn Module,
    scratch: &mut Scratch,
    want: Want,
) -> Result<Compiled, Error> {
    let started = Instant::now();
    let target = stub.declare_target(module)?;
    let flags = module.isa().flags();
    let architecture = module.isa().triple().architecture;
    let key = (stub, architecture, flags.is_pic(), flags.enable_verifier());
    let known = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    // Text is made by compiling only.
    let text = want.clif || want.asm;
    let code = known()
        .iter()
        .find(|(k, _)| *k == key)
        .map(|(_, c)| c.clone());
    if let Some(code) = code.filter(|_| !text) {
        let relocs = code.machine.relocs.iter().map(|reloc| ModuleReloc {
            name: target.into(),
            ..reloc.clone()
        });
        let machine = &code.machine;
        let relocs: Vec<ModuleReloc> = relocs.collect();
        module.define_function_bytes(id, machine.align, &machine.bytes, &relocs)?;
        return Ok(Compiled {
            id,
            func: None,
            name: String::new(),
            len: machine.bytes.len() as u32,
            locs: Vec::new(),
            unwind: code.unwind.filter(|_| want.unwind),
            text: String::new(),
            clif_insts: 0,
            build_ns: 0,
            compile_ns: started.elapsed().as_nanos() as u64,
        });
    }
    body(stub, id, target, module, scratch.function());
    let every = Want {
        unwind: true,
        ..want
    };
    let (mut compiled, machine) = define::compile(module, id, scratch, &[], every)?;
    define::install(module, id, &machine)?;
    // Only the number of the target differs from unit to unit.
    let is_target = |reloc: &ModuleReloc| match reloc.name {
        ModuleRelocTarget::User { namespace, index } => namespace == 0 && index == target.as_u32(),
        _ => false,
    };
    if !text && machine.relocs.iter().all(is_target) {
        let code = Code {
            machine: Arc::new(machine),
            unwind: compiled.unwind.clone(),
        };
        let mut known = known();
        // Another thread may have been faster.
        if known.iter().all(|(other, _)| *other != key) {
            known.push((key, code));
        }
    }
    compiled.unwind = compiled.unwind.filter(|_| want.unwind);
    Ok(compiled)
}

fn body(stub: Stub, id: FuncId, target: FuncId, module: &mut dyn Module, function: &mut Function) {
    function.name = UserFuncName::user(0, id.as_u32());
    function.signature = stub.signature(CallConv::PreserveAll);
    let mut cx = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(function, &mut cx);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let args = b.block_params(entry).to_vec();
    let target = module.declare_func_in_func(target, b.func);
    let call = b.ins().call(target, &args);
    if stub == Stub::Fault {
        let word = b.inst_results(call)[0];
        let flags = MemFlagsData::trusted();
        b.ins()
            .store(flags, word, args[0], offset_of!(Thread, exc) as i32);
    }
    b.ins().return_(&[]);
    b.finalize(module.target_config());
}
