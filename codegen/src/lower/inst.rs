//! Instructions: one arm per operation, the arithmetic and the calls in files of their own.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData};

use super::func::Lower;
use super::types::clif;
use crate::Error;
use crate::air::{Inst, Op, Type, fault};

/// Memory of the program: AIR promises neither alignment nor that an address is good, and a bad
/// one is a signal (rule ABI-25), which no code of Cranelift's handles.
fn program_memory() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

impl Lower<'_, '_, '_> {
    /// Lowers one instruction.
    pub(super) fn inst(&mut self, inst: &Inst) -> Result<(), Error> {
        let edge = &inst.edge;
        match &inst.op {
            &Op::Copy { ty, dst, src } => {
                let value = self.operand(src, ty);
                self.define(dst, value);
            }
            &Op::Unary { op, ty, dst, src } => {
                let value = self.operand(src, ty);
                let value = self.unary(op, ty, value);
                self.define(dst, value);
            }
            &Op::Binary { op, ty, dst, a, b } => {
                if op.can_fault() {
                    self.divisor_checks(op, ty, a, b, edge)?;
                }
                let (a, b) = (self.operand(a, ty), self.operand(b, ty));
                let value = self.binary(op, ty, a, b);
                self.define(dst, value);
            }
            &Op::Overflow {
                op,
                ty,
                dst,
                flag,
                a,
                b,
            } => {
                let (a, b) = (self.operand(a, ty), self.operand(b, ty));
                let (value, overflow) = self.overflow(op, a, b);
                self.define(dst, value);
                self.define(flag, overflow);
            }
            &Op::Compare { op, ty, dst, a, b } => {
                let (a, b) = (self.operand(a, ty), self.operand(b, ty));
                let value = self.compare(op, a, b);
                self.define(dst, value);
            }
            &Op::Convert {
                op,
                from,
                to,
                dst,
                src,
            } => {
                let value = self.operand(src, from);
                if op.can_fault() {
                    self.conversion_check(op, from, to, value, edge)?;
                }
                let value = self.convert(op, from, to, value);
                self.define(dst, value);
            }
            &Op::Select {
                ty,
                dst,
                cond,
                a,
                b,
            } => {
                let cond = self.operand(cond, Type::Bool);
                let (a, b) = (self.operand(a, ty), self.operand(b, ty));
                let value = self.b.ins().select(cond, a, b);
                self.define(dst, value);
            }
            &Op::Load {
                ty,
                dst,
                addr,
                offset,
            } => {
                let addr = self.operand(addr, Type::Ptr);
                let flags = program_memory();
                let value = self.b.ins().load(clif(ty), flags, addr, offset);
                self.define(dst, value);
            }
            &Op::Store {
                ty,
                src,
                addr,
                offset,
            } => {
                let src = self.operand(src, ty);
                let addr = self.operand(addr, Type::Ptr);
                self.b.ins().store(program_memory(), src, addr, offset);
            }
            &Op::GlobalGet { dst, global } => {
                let ty = self.unit.air.globals[global.index()].ty;
                let addr = self.data_address(self.unit.globals[global.index()]);
                let flags = MemFlagsData::trusted();
                let value = self.b.ins().load(clif(ty), flags, addr, 0);
                self.define(dst, value);
            }
            &Op::GlobalSet { global, src } => {
                let ty = self.unit.air.globals[global.index()].ty;
                let src = self.operand(src, ty);
                let addr = self.data_address(self.unit.globals[global.index()]);
                self.b.ins().store(MemFlagsData::trusted(), src, addr, 0);
            }
            &Op::DataAddr { dst, data } => {
                let addr = self.data_address(self.unit.data[data.index()]);
                self.define(dst, addr);
            }
            &Op::FuncAddr { dst, func } => {
                let func = self.import(self.unit.funcs[func.index()]);
                let addr = self.b.ins().func_addr(I64, func);
                self.define(dst, addr);
            }
            &Op::SlotAddr { dst, slot } => {
                let addr = self.slot_address(slot);
                self.define(dst, addr);
            }
            &Op::CheckBounds { ty, index, len } => {
                let (index, len) = (self.operand(index, ty), self.operand(len, ty));
                let cc = IntCC::UnsignedGreaterThanOrEqual;
                let bad = self.b.ins().icmp(cc, index, len);
                self.fault_if(bad, fault::BOUNDS, edge)?;
            }
            &Op::CheckNull { addr } => {
                let addr = self.operand(addr, Type::Ptr);
                let bad = self.b.ins().icmp_imm_u(IntCC::Equal, addr, 0);
                self.fault_if(bad, fault::NULL, edge)?;
            }
            Op::Call { dst, func, args } => self.call(*dst, *func, args, edge)?,
            Op::CallIndirect {
                dst,
                sig,
                callee,
                args,
            } => self.call_indirect(*dst, *sig, *callee, args, edge)?,
            Op::CallExtern { dst, func, args } => self.call_extern(*dst, *func, args)?,
            Op::Intrinsic { dst, row, args } => self.intrinsic(*dst, row, args, edge)?,
            Op::Await { dst, func, args } => self.await_func(*dst, *func, args, edge)?,
            Op::AwaitIndirect {
                dst,
                sig,
                callee,
                args,
            } => self.await_indirect(*dst, *sig, *callee, args, edge)?,
            Op::Spawn {
                dst,
                region,
                func,
                args,
            } => self.spawn(*dst, *region, *func, args, edge)?,
            Op::SpawnIndirect {
                dst,
                region,
                sig,
                callee,
                args,
            } => self.spawn_indirect(*dst, *region, *sig, *callee, args, edge)?,
            Op::Probe { .. } => self.probe(edge)?,
            Op::CheckStack => self.check_stack(edge)?,
            &Op::Chunk {
                ty,
                dst,
                i,
                end,
                step,
                count,
            } => {
                let (i, end) = (self.operand(i, ty), self.operand(end, ty));
                let value = self.chunk(ty, i, end, step, count);
                self.define(dst, value);
            }
        }
        Ok(())
    }
}
