//! Arithmetic, with the explicit compares of its faults (rule ABI-24).

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value};

use super::func::Lower;
use super::types::clif;
use crate::Error;
use crate::air::{
    BinOp, CmpOp, Edge, Op, Operand, OverflowOp, SiteKind, Type, UnOp, fault, kinds_of,
};

impl Lower<'_, '_, '_> {
    pub(super) fn unary(&mut self, op: UnOp, ty: Type, x: Value) -> Value {
        let ins = self.b.ins();
        match op {
            UnOp::Neg => ins.ineg(x),
            UnOp::Not if ty == Type::Bool => ins.bxor_imm_u(x, 1),
            UnOp::Not => ins.bnot(x),
            UnOp::Clz => ins.clz(x),
            UnOp::Ctz => ins.ctz(x),
            UnOp::Popcnt => ins.popcnt(x),
            UnOp::FNeg => ins.fneg(x),
            UnOp::FAbs => ins.fabs(x),
            UnOp::FSqrt => ins.sqrt(x),
            UnOp::FFloor => ins.floor(x),
            UnOp::FCeil => ins.ceil(x),
            UnOp::FTrunc => ins.trunc(x),
            UnOp::FNearest => ins.nearest(x),
        }
    }

    /// The checks of a division, in the order of its sites: zero, then overflow.
    pub(super) fn divisor_checks(
        &mut self,
        op: BinOp,
        ty: Type,
        a: Operand,
        b: Operand,
        edge: &Edge,
    ) -> Result<(), Error> {
        // The destination does not matter for the kinds.
        let dst = crate::air::LocalId(0);
        let kinds = kinds_of(&Op::Binary { op, ty, dst, a, b });
        for kind in kinds.into_iter().flatten() {
            let divisor = self.operand(b, ty);
            let bad = if kind == SiteKind::Fault(fault::DIVISION) {
                self.b.ins().icmp_imm_u(IntCC::Equal, divisor, 0)
            } else {
                let least = 1u64 << (ty.size() * 8 - 1);
                let least = super::types::immediate(&mut self.b, ty, least);
                let dividend = self.operand(a, ty);
                let is_least = self.b.ins().icmp(IntCC::Equal, dividend, least);
                let is_minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, divisor, -1);
                self.b.ins().band(is_least, is_minus_one)
            };
            self.fault_if(bad, kind.fault_code(), edge)?;
        }
        Ok(())
    }

    pub(super) fn binary(&mut self, op: BinOp, ty: Type, a: Value, b: Value) -> Value {
        let cc = match op {
            BinOp::SMin => Some(IntCC::SignedLessThan),
            BinOp::SMax => Some(IntCC::SignedGreaterThan),
            BinOp::UMin => Some(IntCC::UnsignedLessThan),
            BinOp::UMax => Some(IntCC::UnsignedGreaterThan),
            _ => None,
        };
        if let Some(cc) = cc {
            let first = self.b.ins().icmp(cc, a, b);
            return self.b.ins().select(first, a, b);
        }
        if matches!(op, BinOp::Shl | BinOp::SShr | BinOp::UShr) {
            return self.shift(op, ty, a, b);
        }
        let ins = self.b.ins();
        match op {
            BinOp::Add => ins.iadd(a, b),
            BinOp::Sub => ins.isub(a, b),
            BinOp::Mul => ins.imul(a, b),
            BinOp::SDiv => ins.sdiv(a, b),
            BinOp::UDiv => ins.udiv(a, b),
            BinOp::SRem => ins.srem(a, b),
            BinOp::URem => ins.urem(a, b),
            BinOp::And => ins.band(a, b),
            BinOp::Or => ins.bor(a, b),
            BinOp::FAdd => ins.fadd(a, b),
            BinOp::FSub => ins.fsub(a, b),
            BinOp::FMul => ins.fmul(a, b),
            BinOp::FDiv => ins.fdiv(a, b),
            _ => ins.bxor(a, b),
        }
    }

    /// A shift; Cranelift takes the count modulo the width, as AIR does.
    fn shift(&mut self, op: BinOp, ty: Type, a: Value, count: Value) -> Value {
        debug_assert_eq!(self.b.func.dfg.value_type(a), clif(ty));
        let ins = self.b.ins();
        match op {
            BinOp::Shl => ins.ishl(a, count),
            BinOp::SShr => ins.sshr(a, count),
            _ => ins.ushr(a, count),
        }
    }

    pub(super) fn overflow(&mut self, op: OverflowOp, a: Value, b: Value) -> (Value, Value) {
        let ins = self.b.ins();
        match op {
            OverflowOp::SAdd => ins.sadd_overflow(a, b),
            OverflowOp::SSub => ins.ssub_overflow(a, b),
            OverflowOp::SMul => ins.smul_overflow(a, b),
        }
    }

    pub(super) fn compare(&mut self, op: CmpOp, a: Value, b: Value) -> Value {
        use CmpOp::*;
        let int = match op {
            Eq => IntCC::Equal,
            Ne => IntCC::NotEqual,
            Slt => IntCC::SignedLessThan,
            Sle => IntCC::SignedLessThanOrEqual,
            Sgt => IntCC::SignedGreaterThan,
            Sge => IntCC::SignedGreaterThanOrEqual,
            Ult => IntCC::UnsignedLessThan,
            Ule => IntCC::UnsignedLessThanOrEqual,
            Ugt => IntCC::UnsignedGreaterThan,
            Uge => IntCC::UnsignedGreaterThanOrEqual,
            FEq => return self.b.ins().fcmp(FloatCC::Equal, a, b),
            FNe => return self.b.ins().fcmp(FloatCC::NotEqual, a, b),
            FLt => return self.b.ins().fcmp(FloatCC::LessThan, a, b),
            FLe => return self.b.ins().fcmp(FloatCC::LessThanOrEqual, a, b),
            FGt => return self.b.ins().fcmp(FloatCC::GreaterThan, a, b),
            FGe => return self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, a, b),
        };
        self.b.ins().icmp(int, a, b)
    }
}
