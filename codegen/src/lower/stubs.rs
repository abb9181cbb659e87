//! The three `PreserveAll` stubs of a unit: checkpoint, fault and trace.
//!
//! A stub saves every register and calls the runtime with the C convention. `PreserveAll` has no
//! results: a checkpoint answers in `th.action`, a fault leaves its exception word in `th.exc`.

use std::mem::offset_of;

use asr_abi::Thread;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    self, AbiParam, Function, InstBuilder, MemFlagsData, Signature, UserFuncName,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module};

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

/// The bodies of the stubs that were used.
pub(super) fn bodies(
    stubs: &Stubs,
    module: &mut dyn Module,
) -> Result<Vec<(FuncId, &'static str, Function)>, Error> {
    let mut out = Vec::new();
    for stub in ALL {
        if let Some(id) = stubs.ids[stub as usize] {
            out.push((id, stub.name(), body(stub, id, module)?));
        }
    }
    Ok(out)
}

fn body(stub: Stub, id: FuncId, module: &mut dyn Module) -> Result<Function, Error> {
    let mut signature = stub.signature(CallConv::SystemV);
    if stub != Stub::Checkpoint {
        signature.returns = vec![AbiParam::new(I64), AbiParam::new(I64)];
    }
    let target = module.declare_function(stub.target(), Linkage::Import, &signature)?;
    let mut function = Function::with_name_signature(
        UserFuncName::user(0, id.as_u32()),
        stub.signature(CallConv::PreserveAll),
    );
    let mut cx = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut function, &mut cx);
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
    Ok(function)
}
