//! Leaving a `poll` with PENDING, and coming back.

use std::mem::offset_of;

use asr_abi::{Frame, Thread, status};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};

use super::super::func::Lower;
use super::super::types::clif;
use crate::Error;
use crate::air::Edge;

/// Who suspends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Who {
    /// The frame itself: the runtime resumes it.
    Leaf,
    /// A child, which is linked already.
    Child,
}

impl Lower<'_, '_, '_> {
    /// Ends the current block: saves what lives on, and suspends at this point.
    pub(in super::super) fn suspend(&mut self, point: usize, who: Who) -> Result<(), Error> {
        let coroutine = self.coroutine()?;
        let (plan, frame) = (coroutine.plan.clone(), coroutine.frame);
        for &local in &plan.points[point].live {
            if let Some(at) = plan.homes[local.index()] {
                let value = self.b.use_var(self.vars[local.index()]);
                self.b
                    .ins()
                    .store(MemFlagsData::trusted(), value, frame, at as i32);
            }
        }
        self.pause(point, who)
    }

    /// Ends the current block: suspends at this point, where all is saved.
    pub(in super::super) fn pause(&mut self, point: usize, who: Who) -> Result<(), Error> {
        let coroutine = self.coroutine()?;
        let known = match who {
            Who::Leaf => coroutine.pause,
            Who::Child => coroutine.pause_linked,
        };
        let block = match known {
            Some(block) => block,
            None => {
                let block = self.cold_block();
                self.b.append_block_param(block, I32);
                let coroutine = self.coroutine()?;
                match who {
                    Who::Leaf => coroutine.pause = Some(block),
                    Who::Child => coroutine.pause_linked = Some(block),
                }
                block
            }
        };
        let state = self.b.ins().iconst(I32, point as i64 + 1);
        self.b.ins().jump(block, &[state.into()]);
        Ok(())
    }

    /// Goes on in the block to which a poll at this point comes.
    pub(in super::super) fn resume(&mut self, point: usize) -> Result<(), Error> {
        let block = self.coroutine()?.resume[point];
        self.b.switch_to_block(block);
        Ok(())
    }

    /// Takes back what lived across this point.
    pub(in super::super) fn reload(&mut self, point: usize) -> Result<(), Error> {
        let coroutine = self.coroutine()?;
        let (plan, frame) = (coroutine.plan.clone(), coroutine.frame);
        for &local in &plan.points[point].live {
            if let Some(at) = plan.homes[local.index()] {
                let ty = clif(self.type_of(local));
                let flags = MemFlagsData::trusted();
                let value = self.b.ins().load(ty, flags, frame, at as i32);
                self.define(local, value);
            }
        }
        Ok(())
    }

    /// The bodies of the blocks that suspensions of this function share; they leave as failures do.
    pub(in super::super) fn pause_blocks(&mut self) -> Result<(), Error> {
        let Some(coroutine) = &self.coroutine else {
            return Ok(());
        };
        let frame = coroutine.frame;
        let both = [
            (coroutine.pause, Who::Leaf),
            (coroutine.pause_linked, Who::Child),
        ];
        for (block, who) in both {
            if let Some(block) = block {
                self.pause_block(block, who, frame)?;
            }
        }
        Ok(())
    }

    fn pause_block(&mut self, block: Block, who: Who, frame: Value) -> Result<(), Error> {
        self.go_on_in(block);
        let flags = MemFlagsData::trusted();
        let state = self.b.block_params(block)[0];
        let at = offset_of!(Frame, state) as i32;
        self.b.ins().store(flags, state, frame, at);
        if who == Who::Leaf {
            let at = offset_of!(Thread, leaf) as i32;
            self.b.ins().store(flags, frame, self.th, at);
        }
        // The value says nothing. A constant would be shared with hot code, and live across calls.
        let pending = self.b.ins().iconst(I64, i64::from(status::PENDING));
        self.clean_up(&Edge::NONE, frame, pending)
    }
}
