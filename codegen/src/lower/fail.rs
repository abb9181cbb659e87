//! Failures: faults, error edges, and the ways out of a function.
//!
//! A check branches to a cold block of its own. Where the failure simply leaves the function, that
//! block only loads the number of its site and jumps to a block that all failures of the function
//! share. The branch never goes to the shared block itself: the edge would need a block for its
//! arguments, and Cranelift takes such a block for hot.

use std::mem::offset_of;

use asr_abi::{Thread, status};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, TrapCode, Value};

use super::facts::Fails;
use super::func::Lower;
use super::stubs::Stub;
use super::types::Shape;
use crate::Error;
use crate::air::{BlockId, Edge, LocalId, site_id};

/// A status on its way along an edge.
#[derive(Clone, Copy)]
pub(super) enum Status {
    /// THREW.
    Threw,
    /// Known at run time; how it may fail is known here.
    Of(Value, Fails),
}

impl Lower<'_, '_, '_> {
    /// Faults with this code at the next site if the condition holds.
    pub(super) fn fault_if(&mut self, bad: Value, code: u32, edge: &Edge) -> Result<(), Error> {
        let (cold, cont) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(bad, cold, &[], cont, &[]);
        self.go_on_in(cold);
        self.fault(code, edge)?;
        self.go_on_in(cont);
        Ok(())
    }

    /// Faults with this code at the next site unless the condition holds.
    pub(super) fn fault_unless(
        &mut self,
        good: Value,
        code: u32,
        edge: &Edge,
    ) -> Result<(), Error> {
        let (cold, cont) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(good, cont, &[], cold, &[]);
        self.go_on_in(cold);
        self.fault(code, edge)?;
        self.go_on_in(cont);
        Ok(())
    }

    /// Ends the current block with a fault at the next site.
    pub(super) fn fault(&mut self, code: u32, edge: &Edge) -> Result<(), Error> {
        let site = self.next_site();
        if edge.is_none() {
            let shared = shared(&mut self.b, &mut self.leave_fault, &[I64, I32]);
            let site = self.b.ins().iconst(I64, i64::from(site));
            let code = self.b.ins().iconst(I32, i64::from(code));
            self.b.ins().jump(shared, &[site.into(), code.into()]);
            return Ok(());
        }
        let site = self.site_value(site);
        let code = self.b.ins().iconst(I32, i64::from(code));
        let word = self.call_fault(site, code)?;
        self.fail(edge, word, Status::Threw)
    }

    /// Reports the fault and gives its exception word.
    fn call_fault(&mut self, site: Value, code: Value) -> Result<Value, Error> {
        let stub = self.stub(Stub::Fault)?;
        self.b.ins().call(stub, &[self.th, site, code]);
        Ok(self.exception())
    }

    /// The exception word that the slow path left.
    pub(super) fn exception(&mut self) -> Value {
        let flags = MemFlagsData::trusted();
        let offset = offset_of!(Thread, exc) as i32;
        self.b.ins().load(I64, flags, self.th, offset)
    }

    /// Takes the error edge at the next site if the status is not OK, after noting the site.
    pub(super) fn error_if_status(
        &mut self,
        value: Value,
        status: Value,
        fails: Fails,
        edge: &Edge,
    ) -> Result<(), Error> {
        let site = self.next_site();
        self.error_at(site, value, status, fails, edge)
    }

    /// The same at a site that is counted.
    pub(super) fn error_at(
        &mut self,
        site: u32,
        value: Value,
        status: Value,
        fails: Fails,
        edge: &Edge,
    ) -> Result<(), Error> {
        if !fails.any() {
            return Ok(());
        }
        let (cold, cont) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(status, cold, &[], cont, &[]);
        self.go_on_in(cold);
        self.leave_at(site, value, status, fails, edge)?;
        self.go_on_in(cont);
        Ok(())
    }

    /// Ends the current block: notes the site, and takes the error edge.
    pub(super) fn leave_at(
        &mut self,
        site: u32,
        value: Value,
        status: Value,
        fails: Fails,
        edge: &Edge,
    ) -> Result<(), Error> {
        if edge.is_none() {
            let shared = shared(&mut self.b, &mut self.leave_traced, &[I64, I64, I64]);
            let site = self.b.ins().iconst(I64, i64::from(site));
            let args: [BlockArg; 3] = [value.into(), status.into(), site.into()];
            self.b.ins().jump(shared, &args);
            return Ok(());
        }
        self.trace(site)?;
        self.fail(edge, value, Status::Of(status, fails))
    }

    /// Notes that an error passed this site.
    pub(super) fn trace(&mut self, site: u32) -> Result<(), Error> {
        let site = self.site_value(site);
        let stub = self.stub(Stub::Trace)?;
        self.b.ins().call(stub, &[self.th, site]);
        Ok(())
    }

    /// Ends the current block: goes where the edge says, else leaves the function.
    pub(super) fn fail(&mut self, edge: &Edge, value: Value, status: Status) -> Result<(), Error> {
        match (status, edge.recover) {
            (Status::Threw, Some((block, caught))) => {
                self.recover(block, caught, value);
                Ok(())
            }
            (Status::Threw, None) => {
                let threw = self.b.ins().iconst(I64, i64::from(status::THREW));
                self.clean_up(edge, value, threw)
            }
            (Status::Of(status, _), None) => self.clean_up(edge, value, status),
            (Status::Of(status, fails), Some((block, caught))) => {
                if fails.cancel {
                    let (past, here) = (self.cold_block(), self.cold_block());
                    let cancelled = i64::from(status::CANCELLED);
                    let passes = self.b.ins().icmp_imm_u(IntCC::Equal, status, cancelled);
                    self.b.ins().brif(passes, past, &[], here, &[]);
                    self.go_on_in(past);
                    self.clean_up(edge, value, status)?;
                    self.go_on_in(here);
                }
                let word = match caught {
                    Some(_) => self.exception_word(value, status),
                    None => value,
                };
                self.recover(block, caught, word);
                Ok(())
            }
        }
    }

    fn recover(&mut self, block: BlockId, caught: Option<LocalId>, word: Value) {
        if let Some(local) = caught {
            self.define(local, word);
        }
        self.b.ins().jump(self.blocks[block.index()], &[]);
    }

    /// Ends the current block: to the edge's cleanup block, else out of the function.
    pub(super) fn clean_up(
        &mut self,
        edge: &Edge,
        value: Value,
        status: Value,
    ) -> Result<(), Error> {
        if let Some((block, value_local, status_local)) = edge.cleanup {
            self.define(value_local, value);
            self.define(status_local, status);
            self.b.ins().jump(self.blocks[block.index()], &[]);
            return Ok(());
        }
        let shared = shared(&mut self.b, &mut self.leave, &[I64, I64]);
        self.b.ins().jump(shared, &[value.into(), status.into()]);
        Ok(())
    }

    /// What a recovery block binds; see [`crate::air::exception_word`].
    fn exception_word(&mut self, value: Value, status: Value) -> Value {
        let threw = i64::from(status::THREW);
        let threw = self.b.ins().icmp_imm_u(IntCC::Equal, status, threw);
        let tag = self.b.ins().iconst(I64, (0xFFFDu64 << 48) as i64);
        let made = self.b.ins().bor(status, tag);
        self.b.ins().select(threw, value, made)
    }

    /// The bodies of the blocks that failures of this function share.
    pub(super) fn shared_blocks(&mut self) -> Result<(), Error> {
        let unit = site_id(self.unit.air.unit, 0) as i64;
        if let Some(block) = self.leave_fault {
            self.go_on_in(block);
            let (site, code) = (self.b.block_params(block)[0], self.b.block_params(block)[1]);
            let site = self.b.ins().bor_imm_u(site, unit);
            let word = self.call_fault(site, code)?;
            self.fail(&Edge::NONE, word, Status::Threw)?;
        }
        if let Some(block) = self.leave_traced {
            self.go_on_in(block);
            let params = self.b.block_params(block).to_vec();
            let site = self.b.ins().bor_imm_u(params[2], unit);
            let stub = self.stub(Stub::Trace)?;
            self.b.ins().call(stub, &[self.th, site]);
            self.clean_up(&Edge::NONE, params[0], params[1])?;
        }
        if let Some(block) = self.leave {
            self.go_on_in(block);
            let params = self.b.block_params(block).to_vec();
            match self.shape {
                Shape::Pair => self.b.ins().return_(&params),
                // Not reached: the facts say that nothing leaves this function.
                Shape::Plain => self.b.ins().trap(TrapCode::unwrap_user(1)),
            };
        }
        Ok(())
    }
}

/// A cold block with these parameters, made when it is first needed.
fn shared(
    b: &mut cranelift_frontend::FunctionBuilder<'_>,
    slot: &mut Option<Block>,
    params: &[cranelift_codegen::ir::Type],
) -> Block {
    *slot.get_or_insert_with(|| {
        let block = b.create_block();
        b.set_cold_block(block);
        for &ty in params {
            b.append_block_param(block, ty);
        }
        block
    })
}
