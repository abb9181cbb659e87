//! Which operator takes which type.

use crate::air::ops::*;
use crate::air::types::Type;

pub(super) fn unary(op: UnOp, ty: Type) -> bool {
    match op {
        UnOp::Not => ty.is_int() || ty == Type::Bool,
        UnOp::Neg | UnOp::Clz | UnOp::Ctz | UnOp::Popcnt => ty.is_int(),
        _ => ty.is_float(),
    }
}

pub(super) fn binary(op: BinOp, ty: Type) -> bool {
    match op {
        BinOp::And | BinOp::Or | BinOp::Xor => ty.is_int() || ty == Type::Bool,
        op if op.is_float() => ty.is_float(),
        _ => ty.is_int(),
    }
}

pub(super) fn compare(op: CmpOp, ty: Type) -> bool {
    use CmpOp::*;
    match op {
        Eq | Ne => !ty.is_float() && ty.handle().is_none(),
        Slt | Sle | Sgt | Sge => ty.is_int(),
        Ult | Ule | Ugt | Uge => ty.is_int() || matches!(ty, Type::Ptr | Type::Value),
        _ => ty.is_float(),
    }
}

pub(super) fn convert(op: ConvOp, from: Type, to: Type) -> bool {
    use ConvOp::*;
    match op {
        Sext => from.is_int() && to.is_int() && from.size() < to.size(),
        Zext if from == Type::Bool => to.is_int(),
        Zext => from.is_int() && to.is_int() && from.size() < to.size(),
        Trunc => from.is_int() && to.is_int() && from.size() > to.size(),
        SToF | UToF => from.is_int() && to.is_float(),
        FToS | FToU | FToSSat | FToUSat => from.is_float() && to.is_int(),
        Promote => (from, to) == (Type::F32, Type::F64),
        Demote => (from, to) == (Type::F64, Type::F32),
        // A `bool` is made by comparing: other bits than 0 and 1 would be no `bool`.
        Bitcast => from.size() == to.size() && from != Type::Bool && to != Type::Bool,
    }
}
