//! Awaits. The child is called like a function; only if it answers PENDING is it linked to its
//! parent, which then suspends with it and goes on when it has ended.

use std::mem::offset_of;

use asr_abi::{Frame, status};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{FuncRef, InstBuilder, MemFlagsData, Value};

use super::super::facts::Fails;
use super::super::func::Lower;
use super::super::types::{from_word, poll_signature, to_word};
use super::suspend::Who;
use crate::Error;
use crate::air::{Edge, FuncId, LocalId, Operand, SigId, Type};

/// What is awaited.
struct Awaited {
    /// Its frame.
    frame: Value,
    /// Its code; none if its frame says it already.
    poll: Option<FuncRef>,
    /// Bytes of its frame if it is on the heap; 0 is as its frame says.
    heap: Option<u32>,
    fails: Fails,
}

impl Lower<'_, '_, '_> {
    pub(in super::super) fn await_func(
        &mut self,
        dst: Option<LocalId>,
        func: FuncId,
        args: &[Operand],
        edge: &Edge,
    ) -> Result<(), Error> {
        let flags = MemFlagsData::trusted();
        let sig = self.unit.air.funcs[func.index()].signature();
        let size = self.unit.frame_size(func)?;
        let coroutine = self.coroutine()?;
        let (embedded, own) = (coroutine.plan.embeds(func), coroutine.frame);
        let (frame, class) = if embedded {
            let area = i64::from(coroutine.plan.area);
            (self.b.ins().iadd_imm_s(own, area), 0)
        } else {
            let bytes = self.b.ins().iconst(I64, i64::from(size));
            let frame = self.call_runtime("asr_i_frame_alloc", &[bytes], 1)?[0];
            (frame, size / 16)
        };
        self.store_args(frame, args, &sig.params);
        // State and size class in one.
        const _: () = assert!(offset_of!(Frame, size_class) == offset_of!(Frame, state) + 4);
        let word = self.b.ins().iconst(I64, i64::from(class) << 32);
        let at = offset_of!(Frame, state) as i32;
        self.b.ins().store(flags, word, frame, at);
        let poll = self.import(self.unit.funcs[func.index()]);
        let call = self.b.ins().call(poll, &[frame, self.th]);
        let results = self.b.inst_results(call).to_vec();
        let awaited = Awaited {
            frame,
            poll: Some(poll),
            heap: (!embedded).then_some(size),
            fails: self.unit.facts.fails(func),
        };
        self.awaited(&awaited, (results[0], results[1]), dst, sig.ret, edge)
    }

    pub(in super::super) fn await_indirect(
        &mut self,
        dst: Option<LocalId>,
        sig: SigId,
        callee: Operand,
        args: &[Operand],
        edge: &Edge,
    ) -> Result<(), Error> {
        let air = self.unit.air;
        let sig = &air.sigs[sig.index()];
        let poll = self.operand(callee, Type::Ptr);
        let frame = self.call_runtime("asr_i_frame_new", &[poll], 1)?[0];
        self.store_args(frame, args, &sig.params);
        let imported = self.b.import_signature(poll_signature());
        let call = self
            .b
            .ins()
            .call_indirect(imported, poll, &[frame, self.th]);
        let results = self.b.inst_results(call).to_vec();
        let awaited = Awaited {
            frame,
            poll: None,
            heap: Some(0),
            fails: Fails::ANY,
        };
        self.awaited(&awaited, (results[0], results[1]), dst, sig.ret, edge)
    }

    /// Writes arguments into a frame.
    pub(super) fn store_args(&mut self, frame: Value, args: &[Operand], types: &[Type]) {
        for (n, (&arg, &ty)) in args.iter().zip(types).enumerate() {
            let value = self.operand(arg, ty);
            let word = to_word(&mut self.b, value, ty);
            let at = (size_of::<Frame>() + 8 * n) as i32;
            self.b.ins().store(MemFlagsData::trusted(), word, frame, at);
        }
    }

    /// What follows the poll of a child.
    fn awaited(
        &mut self,
        child: &Awaited,
        (value, status): (Value, Value),
        dst: Option<LocalId>,
        ret: Option<Type>,
        edge: &Edge,
    ) -> Result<(), Error> {
        let site = self.next_site();
        let Some(point) = self.point()? else {
            if let Some(size) = child.heap {
                self.free(child.frame, size)?;
            }
            self.error_at(site, value, status, child.fails, edge)?;
            self.assign(dst, ret, value);
            return Ok(());
        };
        // `(value, status)`, and the frame if it is on the heap.
        let ended = child.heap.map(|_| self.b.create_block());
        if let Some(block) = ended {
            (0..3).for_each(|_| _ = self.b.append_block_param(block, I64));
        }
        let join = self.b.create_block();
        let failed = self.failed_block(child.fails);

        let suspend = self.cold_block();
        match (ended, failed) {
            (Some(ended), _) => {
                let done = self.b.create_block();
                self.brif_pending(status, suspend, done);
                self.go_on_in(done);
                let args = [value.into(), status.into(), child.frame.into()];
                self.b.ins().jump(ended, &args);
            }
            (None, Some(failed)) => {
                let (cold, ok) = (self.cold_block(), self.b.create_block());
                let error = self.cold_block();
                self.b.ins().brif(status, cold, &[], ok, &[]);
                self.go_on_in(cold);
                self.brif_pending(status, suspend, error);
                self.go_on_in(error);
                self.b.ins().jump(failed, &[value.into(), status.into()]);
                self.go_on_in(ok);
                self.assign(dst, ret, value);
                self.b.ins().jump(join, &[]);
            }
            (None, None) => {
                let ok = self.b.create_block();
                self.b.ins().brif(status, suspend, &[], ok, &[]);
                self.go_on_in(ok);
                self.assign(dst, ret, value);
                self.b.ins().jump(join, &[]);
            }
        }

        self.go_on_in(suspend);
        self.link(child)?;
        self.suspend(point, Who::Child)?;

        self.resume(point)?;
        let (frame, value, status) = self.ended_child(child.heap.is_some())?;
        self.reload(point)?;
        let ok = match ended {
            Some(ended) => {
                self.b
                    .ins()
                    .jump(ended, &[value.into(), status.into(), frame.into()]);
                self.go_on_in(ended);
                let params = self.b.block_params(ended).to_vec();
                self.free(params[2], child.heap.unwrap_or_default())?;
                let ok = self.b.create_block();
                self.branch_on(params[0], params[1], failed, ok);
                self.go_on_in(ok);
                params[0]
            }
            None => {
                let ok = self.cold_block();
                self.branch_on(value, status, failed, ok);
                self.go_on_in(ok);
                value
            }
        };
        self.assign(dst, ret, ok);
        self.b.ins().jump(join, &[]);
        self.failed(failed, site, child.fails, edge)?;
        self.go_on_in(join);
        Ok(())
    }

    /// Makes the child one that goes on to this frame when it ends.
    fn link(&mut self, child: &Awaited) -> Result<(), Error> {
        let flags = MemFlagsData::trusted();
        let coroutine = self.coroutine()?;
        let (frame, area) = (coroutine.frame, coroutine.plan.area as i32);
        if let Some(poll) = child.poll {
            let poll = self.b.ins().func_addr(I64, poll);
            let at = offset_of!(Frame, poll) as i32;
            self.b.ins().store(flags, poll, child.frame, at);
        }
        let at = offset_of!(Frame, parent) as i32;
        self.b.ins().store(flags, frame, child.frame, at);
        if child.heap.is_some() {
            self.b.ins().store(flags, child.frame, frame, area);
        }
        Ok(())
    }

    /// Frame, value and status of the child that has ended.
    fn ended_child(&mut self, heap: bool) -> Result<(Value, Value, Value), Error> {
        let flags = MemFlagsData::trusted();
        let coroutine = self.coroutine()?;
        let (frame, area) = (coroutine.frame, coroutine.plan.area);
        let (child, base) = match heap {
            true => (self.b.ins().load(I64, flags, frame, area as i32), 0),
            false => (frame, area as i32),
        };
        let at = base + offset_of!(Frame, value) as i32;
        let value = self.b.ins().load(I64, flags, child, at);
        let at = base + offset_of!(Frame, state) as i32;
        let state = self.b.ins().load(I32, flags, child, at);
        let status = self.b.ins().uextend(I64, state);
        let status = self.b.ins().band_imm_u(status, 0xff);
        Ok((child, value, status))
    }

    fn free(&mut self, frame: Value, size: u32) -> Result<(), Error> {
        let size = self.b.ins().iconst(I64, i64::from(size));
        self.call_runtime("asr_i_frame_free", &[frame, size], 0)?;
        Ok(())
    }

    pub(in super::super) fn brif_pending(
        &mut self,
        status: Value,
        yes: cranelift_codegen::ir::Block,
        no: cranelift_codegen::ir::Block,
    ) {
        let pending = i64::from(status::PENDING);
        let pending = self.b.ins().icmp_imm_u(IntCC::Equal, status, pending);
        self.b.ins().brif(pending, yes, &[], no, &[]);
    }

    /// Assigns a result that came as a word.
    pub(super) fn assign(&mut self, dst: Option<LocalId>, ret: Option<Type>, word: Value) {
        if let (Some(dst), Some(ty)) = (dst, ret) {
            let value = from_word(&mut self.b, word, ty);
            self.define(dst, value);
        }
    }
}
