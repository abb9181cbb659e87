//! Probes, the stack check, and the bound of a chunk.

use std::mem::offset_of;

use asr_abi::Thread;
use asr_abi::thread::SUSPENDABLE;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};

use super::coroutine::Who;
use super::facts::Fails;
use super::fail::Status;
use super::func::Lower;
use super::stubs::Stub;
use super::types::{clif, immediate};
use crate::Error;
use crate::air::{Edge, Type, fault, site_id};

// `atomic_load` takes no offset.
const _: () = assert!(offset_of!(Thread, flag) == 0);

impl Lower<'_, '_, '_> {
    /// A probe: one atomic load of the flag word, one test, one branch to a cold block.
    ///
    /// The load is atomic because Cranelift may replace a plain one by an earlier one when nothing
    /// between them stores: a loop would then test a stale register forever.
    pub(super) fn probe(&mut self, edge: &Edge) -> Result<(), Error> {
        let site = self.next_site();
        let flags = MemFlagsData::trusted();
        let (cold, rejoin) = (self.cold_block(), self.cold_block());
        let (leave, cont) = (self.cold_block(), self.b.create_block());
        // A poll that suspended here comes back to before the test, so that a cancel that arrived
        // meanwhile acts.
        let test = match self.coroutine {
            Some(_) => Some(self.b.create_block()),
            None => None,
        };
        if let Some(test) = test {
            self.b.ins().jump(test, &[]);
            self.b.switch_to_block(test);
        }
        let mut flag = self.b.ins().atomic_load(I32, flags, self.th);
        if self.unit.prepared.options().force_slow {
            flag = self.b.ins().bor_imm_u(flag, 1);
        }
        self.b.ins().brif(flag, cold, &[], cont, &[]);

        self.go_on_in(cold);
        let mut id = site_id(self.unit.air.unit, site);
        if test.is_some() {
            id |= SUSPENDABLE;
        }
        let site = self.b.ins().iconst(I64, id as i64);
        let at = offset_of!(Thread, site) as i32;
        self.b.ins().store(flags, site, self.th, at);
        let stub = self.stub(Stub::Checkpoint)?;
        self.b.ins().call(stub, &[self.th]);
        let at = offset_of!(Thread, action) as i32;
        let action = self.b.ins().load(I32, flags, self.th, at);
        self.b.ins().brif(action, leave, &[], rejoin, &[]);

        self.go_on_in(leave);
        if let Some(test) = test {
            self.suspend_at_probe(action, test)?;
        }
        let value = self.exception();
        let status = self.b.ins().uextend(I64, action);
        self.fail(edge, value, Status::Of(status, Fails::ANY))?;

        self.go_on_in(rejoin);
        self.b.ins().jump(cont, &[]);
        self.go_on_in(cont);
        Ok(())
    }

    /// Suspends if the answer was PENDING, to go on in `test`; else goes on.
    fn suspend_at_probe(&mut self, action: Value, test: Block) -> Result<(), Error> {
        let missing = || Error::Invalid("a probe without a suspend point".to_owned());
        let point = self.point()?.ok_or_else(missing)?;
        let (suspend, error) = (self.cold_block(), self.cold_block());
        self.brif_pending(action, suspend, error);
        self.go_on_in(suspend);
        self.suspend(point, Who::Leaf)?;
        self.resume(point)?;
        self.reload(point)?;
        self.b.ins().jump(test, &[]);
        self.b.seal_block(test);
        self.go_on_in(error);
        Ok(())
    }

    /// Faults when the stack pointer is below the limit of rule ABI-45.
    pub(super) fn check_stack(&mut self, edge: &Edge) -> Result<(), Error> {
        let at = offset_of!(Thread, stack_limit) as i32;
        let flags = MemFlagsData::trusted();
        let limit = self.b.ins().load(I64, flags, self.th, at);
        let sp = self.b.ins().get_stack_pointer(I64);
        let low = self.b.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        self.fault_if(low, fault::RECURSION, edge)
    }

    /// `i + count * step`, or `end` when that is nearer or the sum overflows.
    pub(super) fn chunk(&mut self, ty: Type, i: Value, end: Value, step: i64, count: u32) -> Value {
        let width = ty.size() * 8;
        let distance = i128::from(step) * i128::from(count);
        // A stretch that no sum of this type can hold always reaches the end.
        let limit = 1i128 << (width - 1);
        if distance >= limit || distance < -limit {
            return end;
        }
        let distance = immediate(&mut self.b, ty, distance as u64);
        debug_assert_eq!(self.b.func.dfg.value_type(distance), clif(ty));
        let (sum, overflow) = self.b.ins().sadd_overflow(i, distance);
        let cc = if step < 0 {
            IntCC::SignedGreaterThan
        } else {
            IntCC::SignedLessThan
        };
        let nearer = self.b.ins().icmp(cc, sum, end);
        let bound = self.b.ins().select(nearer, sum, end);
        self.b.ins().select(overflow, end, bound)
    }
}
