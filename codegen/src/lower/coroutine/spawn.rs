//! Spawns: the runtime makes a task with the root frame in it, the arguments are written, and the
//! task is started. What is refused is told by the start, which frees the frame.

use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::super::facts::Fails;
use super::super::func::Lower;
use super::super::types::pair_signature;
use crate::Error;
use crate::air::{Edge, FuncId, LocalId, Operand, SigId, Type};

impl Lower<'_, '_, '_> {
    pub(in super::super) fn spawn(
        &mut self,
        dst: LocalId,
        region: Option<Operand>,
        func: FuncId,
        args: &[Operand],
        edge: &Edge,
    ) -> Result<(), Error> {
        let sig = self.unit.air.funcs[func.index()].signature();
        let size = self.unit.frame_size(func)?;
        let poll = self.import(self.unit.funcs[func.index()]);
        let poll = self.b.ins().func_addr(I64, poll);
        self.start(dst, region, (poll, size), args, &sig.params, edge)
    }

    pub(in super::super) fn spawn_indirect(
        &mut self,
        dst: LocalId,
        region: Option<Operand>,
        sig: SigId,
        callee: Operand,
        args: &[Operand],
        edge: &Edge,
    ) -> Result<(), Error> {
        let air = self.unit.air;
        let types = &air.sigs[sig.index()].params;
        let poll = self.operand(callee, Type::Ptr);
        self.start(dst, region, (poll, 0), args, types, edge)
    }

    fn start(
        &mut self,
        dst: LocalId,
        region: Option<Operand>,
        (poll, size): (Value, u32),
        args: &[Operand],
        types: &[Type],
        edge: &Edge,
    ) -> Result<(), Error> {
        let size = self.b.ins().iconst(I64, i64::from(size));
        let frame = self.call_runtime("asr_i_task_new", &[poll, size], 1)?[0];
        self.store_args(frame, args, types);
        let region = match region {
            Some(region) => self.operand(region, Type::Region),
            None => self.b.ins().iconst(I64, 0),
        };
        let start = self.declare_runtime("asr_i_task_start", &pair_signature(&[I64, I64]))?;
        let call = self.b.ins().call(start, &[self.th, region, frame]);
        self.pair(call, Some(dst), Some(Type::Task), Fails::ANY, edge)
    }
}
