//! Rows that wait. Their operation lives in the op slot until it has an answer.

use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, InstBuilder, Value};

use super::super::facts::Fails;
use super::super::func::Lower;
use super::super::types::row_signature;
use super::suspend::Who;
use crate::Error;
use crate::air::{Edge, LocalId, Operand, Type};
use asr_intrinsics::Row;

impl Lower<'_, '_, '_> {
    /// A call of a row with an op slot.
    pub(in super::super) fn wait(
        &mut self,
        dst: Option<LocalId>,
        row: &Row,
        args: &[Operand],
        types: &[Type],
        edge: &Edge,
    ) -> Result<(), Error> {
        let coroutine = self.coroutine()?;
        let (frame, area) = (coroutine.frame, i64::from(coroutine.plan.area));
        let (site, point) = (self.next_site(), self.point()?);
        let missing = || Error::Invalid(format!("`{}` waits where nothing suspends", row.name));
        let point = point.ok_or_else(missing)?;
        let (fails, ret) = (Fails::of_row(row), Type::of_row(row.result));

        let slot = self.b.ins().iadd_imm_s(frame, area);
        let mut args = self.with_thread(args, types);
        args.insert(1, slot);
        let row = self.declare_runtime(&row.compiled_symbol(), &row_signature(row))?;
        let call = self.b.ins().call(row, &args);
        let results = self.b.inst_results(call);
        let (value, status) = (results[0], results[1]);

        let (cold, ok, join) = (
            self.cold_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        let failed = self.failed_block(fails);
        self.b.ins().brif(status, cold, &[], ok, &[]);
        self.go_on_in(ok);
        self.assign(dst, ret, value);
        self.b.ins().jump(join, &[]);

        self.go_on_in(cold);
        if let Some(failed) = failed {
            let (suspend, error) = (self.cold_block(), self.cold_block());
            self.brif_pending(status, suspend, error);
            self.go_on_in(error);
            self.b.ins().jump(failed, &[value.into(), status.into()]);
            self.go_on_in(suspend);
        }
        self.suspend(point, Who::Leaf)?;

        self.resume(point)?;
        let slot = self.b.ins().iadd_imm_s(frame, area);
        let answer = self.call_runtime("asr_i_op_poll", &[slot], 2)?;
        let (value, status) = (answer[0], answer[1]);
        let (again, done) = (self.cold_block(), self.cold_block());
        self.brif_pending(status, again, done);
        self.go_on_in(again);
        self.pause(point, Who::Leaf)?;
        self.go_on_in(done);
        self.reload(point)?;
        let ok = self.cold_block();
        self.branch_on(value, status, failed, ok);
        self.go_on_in(ok);
        self.assign(dst, ret, value);
        self.b.ins().jump(join, &[]);

        self.failed(failed, site, fails, edge)?;
        self.go_on_in(join);
        Ok(())
    }

    /// A block `(value, status)` for what may fail so; none if nothing can.
    pub(super) fn failed_block(&mut self, fails: Fails) -> Option<Block> {
        fails.any().then(|| {
            let block = self.cold_block();
            self.b.append_block_param(block, I64);
            self.b.append_block_param(block, I64);
            block
        })
    }

    /// Ends the current block: to `failed` with any status but OK.
    pub(super) fn branch_on(
        &mut self,
        value: Value,
        status: Value,
        failed: Option<Block>,
        ok: Block,
    ) {
        let Some(failed) = failed else {
            self.b.ins().jump(ok, &[]);
            return;
        };
        let error = self.cold_block();
        self.b.ins().brif(status, error, &[], ok, &[]);
        self.go_on_in(error);
        self.b.ins().jump(failed, &[value.into(), status.into()]);
    }

    /// The body of a `failed` block.
    pub(super) fn failed(
        &mut self,
        failed: Option<Block>,
        site: u32,
        fails: Fails,
        edge: &Edge,
    ) -> Result<(), Error> {
        let Some(block) = failed else { return Ok(()) };
        self.go_on_in(block);
        let params = self.b.block_params(block).to_vec();
        self.leave_at(site, params[0], params[1], fails, edge)
    }
}
