//! The beginning of a `poll`.

use std::mem::offset_of;
use std::rc::Rc;

use asr_abi::Frame;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, TrapCode, Value};

use super::super::func::Lower;
use super::super::types::clif;
use super::plan::Plan;
use crate::air::{LocalId, SlotId};

/// Up to so many suspend points are told apart by compares: these are fewer instructions.
const COMPARED: usize = 4;

/// What the lowering of an asynchronous function knows besides that of any.
pub(in super::super) struct Coroutine {
    pub(in super::super) plan: Rc<Plan>,
    /// The parameter of this poll.
    pub(super) frame: Value,
    /// Where each suspend point goes on.
    pub(super) resume: Vec<ir::Block>,
    /// `(state)`: a leaf suspends.
    pub(super) pause: Option<ir::Block>,
    /// `(state)`: a frame suspends with its child.
    pub(super) pause_linked: Option<ir::Block>,
}

impl Coroutine {
    /// The frame, and the offset of a slot of AIR in it.
    pub(in super::super) fn slot(&self, slot: SlotId) -> (Value, i64) {
        (self.frame, i64::from(self.plan.slots[slot.index()]))
    }
}

impl Lower<'_, '_, '_> {
    /// Goes on where the frame suspended; a frame that was not started takes its parameters and
    /// goes on in the current block, which is the first one of AIR.
    pub(in super::super) fn begin_poll(&mut self, plan: Rc<Plan>, frame: Value) {
        let flags = MemFlagsData::trusted();
        let mut resume = Vec::with_capacity(plan.points.len());
        if !plan.points.is_empty() {
            let (dispatch, start) = (self.cold_block(), self.b.create_block());
            let at = offset_of!(Frame, state) as i32;
            let state = self.b.ins().load(I32, flags, frame, at);
            self.b.ins().brif(state, dispatch, &[], start, &[]);
            self.go_on_in(dispatch);
            resume.extend(plan.points.iter().map(|_| self.cold_block()));
            self.dispatch(state, &resume);
            for &block in &resume {
                self.b.seal_block(block);
            }
            self.go_on_in(start);
        }
        for n in 0..self.air.params {
            if let Some(at) = plan.homes[n as usize] {
                let ty = clif(self.air.locals[n as usize].ty);
                let value = self.b.ins().load(ty, flags, frame, at as i32);
                self.define(LocalId(n), value);
            }
        }
        self.coroutine = Some(Coroutine {
            plan,
            frame,
            resume,
            pause: None,
            pause_linked: None,
        });
    }

    /// Ends the current block: to `resume[state - 1]`. A frame that has ended is not polled.
    fn dispatch(&mut self, state: Value, resume: &[ir::Block]) {
        if resume.len() > COMPARED {
            return self.dispatch_by_table(state, resume);
        }
        for (n, &block) in resume.iter().enumerate() {
            if n + 1 == resume.len() {
                self.b.ins().jump(block, &[]);
                break;
            }
            let next = self.cold_block();
            let here = self.b.ins().icmp_imm_u(IntCC::Equal, state, n as i64 + 1);
            self.b.ins().brif(here, block, &[], next, &[]);
            self.go_on_in(next);
        }
    }

    fn dispatch_by_table(&mut self, state: Value, resume: &[ir::Block]) {
        let nowhere = self.cold_block();
        let pool = &mut self.b.func.dfg.value_lists;
        let call = |block: ir::Block, pool: &mut ir::ValueListPool| {
            ir::BlockCall::new(block, std::iter::empty(), pool)
        };
        // State 0 does not come here.
        let mut calls = vec![call(nowhere, pool)];
        calls.extend(resume.iter().map(|&block| call(block, pool)));
        let default = call(nowhere, pool);
        let table = ir::JumpTableData::new(default, &calls);
        let table = self.b.create_jump_table(table);
        self.b.ins().br_table(state, table);
        self.go_on_in(nowhere);
        self.b.ins().trap(TrapCode::unwrap_user(1));
    }

    /// What is known of this asynchronous function. Awaits and the like stand in no other.
    pub(in super::super) fn coroutine(&mut self) -> Result<&mut Coroutine, crate::Error> {
        let name = &self.air.name;
        let missing = || crate::Error::Invalid(format!("`{name}` waits and is not asynchronous"));
        self.coroutine.as_mut().ok_or_else(missing)
    }
}
