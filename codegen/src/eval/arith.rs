//! Integer and float arithmetic on canonical bits.

use crate::air::{BinOp, CmpOp, OverflowOp, Type, UnOp, fault};

/// The value as a signed number.
#[inline]
pub(super) fn signed(ty: Type, bits: u64) -> i64 {
    let unused = 64 - bits_of(ty);
    (bits << unused) as i64 >> unused
}

fn bits_of(ty: Type) -> u32 {
    ty.size() * 8
}

fn least(ty: Type) -> i64 {
    i64::MIN >> (64 - bits_of(ty))
}

/// One operand.
pub(super) fn unary(op: UnOp, ty: Type, x: u64) -> u64 {
    let unused = 64 - bits_of(ty);
    match op {
        UnOp::Neg => ty.canonical(x.wrapping_neg()),
        UnOp::Not => ty.canonical(!x),
        UnOp::Clz => u64::from(x.leading_zeros() - unused),
        UnOp::Ctz => u64::from(x.trailing_zeros().min(bits_of(ty))),
        UnOp::Popcnt => u64::from(x.count_ones()),
        UnOp::FNeg if ty == Type::F32 => x ^ 1 << 31,
        UnOp::FNeg => x ^ 1 << 63,
        UnOp::FAbs if ty == Type::F32 => x & !(1 << 31),
        UnOp::FAbs => x & !(1 << 63),
        op if ty == Type::F32 => {
            let x = f32::from_bits(x as u32);
            let y = match op {
                UnOp::FSqrt => x.sqrt(),
                UnOp::FFloor => x.floor(),
                UnOp::FCeil => x.ceil(),
                UnOp::FTrunc => x.trunc(),
                _ => x.round_ties_even(),
            };
            u64::from(y.to_bits())
        }
        op => {
            let x = f64::from_bits(x);
            let y = match op {
                UnOp::FSqrt => x.sqrt(),
                UnOp::FFloor => x.floor(),
                UnOp::FCeil => x.ceil(),
                UnOp::FTrunc => x.trunc(),
                _ => x.round_ties_even(),
            };
            y.to_bits()
        }
    }
}

/// Two operands; a fault by its code.
#[inline]
pub(super) fn binary(op: BinOp, ty: Type, a: u64, b: u64) -> Result<u64, u32> {
    let result = match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::And => a & b,
        BinOp::Or => a | b,
        BinOp::Xor => a ^ b,
        BinOp::Shl => a << shift(ty, b),
        BinOp::SShr => (signed(ty, a) >> shift(ty, b)) as u64,
        BinOp::UShr => a >> shift(ty, b),
        BinOp::SMin => signed(ty, a).min(signed(ty, b)) as u64,
        BinOp::SMax => signed(ty, a).max(signed(ty, b)) as u64,
        BinOp::UMin => a.min(b),
        BinOp::UMax => a.max(b),
        BinOp::SDiv | BinOp::UDiv | BinOp::SRem | BinOp::URem => divide(op, ty, a, b)?,
        BinOp::FAdd | BinOp::FSub | BinOp::FMul | BinOp::FDiv => float(op, ty, a, b),
    };
    Ok(ty.canonical(result))
}

/// The count of a shift, modulo the width.
#[inline]
fn shift(ty: Type, count: u64) -> u32 {
    count as u32 & (bits_of(ty) - 1)
}

fn divide(op: BinOp, ty: Type, a: u64, b: u64) -> Result<u64, u32> {
    let (sa, sb) = (signed(ty, a), signed(ty, b));
    match op {
        _ if b == 0 => Err(fault::DIVISION),
        BinOp::SDiv if sb == -1 && sa == least(ty) => Err(fault::OVERFLOW),
        BinOp::SDiv => Ok(sa.wrapping_div(sb) as u64),
        BinOp::SRem => Ok(sa.wrapping_rem(sb) as u64),
        BinOp::UDiv => Ok(a / b),
        _ => Ok(a % b),
    }
}

fn float(op: BinOp, ty: Type, a: u64, b: u64) -> u64 {
    if ty == Type::F32 {
        let (a, b) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
        let result = match op {
            BinOp::FAdd => a + b,
            BinOp::FSub => a - b,
            BinOp::FMul => a * b,
            _ => a / b,
        };
        return u64::from(result.to_bits());
    }
    let (a, b) = (f64::from_bits(a), f64::from_bits(b));
    let result = match op {
        BinOp::FAdd => a + b,
        BinOp::FSub => a - b,
        BinOp::FMul => a * b,
        _ => a / b,
    };
    result.to_bits()
}

/// The wrapped result and whether it overflowed.
pub(super) fn overflow(op: OverflowOp, ty: Type, a: u64, b: u64) -> (u64, bool) {
    let (a, b) = (i128::from(signed(ty, a)), i128::from(signed(ty, b)));
    let exact = match op {
        OverflowOp::SAdd => a + b,
        OverflowOp::SSub => a - b,
        OverflowOp::SMul => a * b,
    };
    let wrapped = ty.canonical(exact as u64);
    (wrapped, i128::from(signed(ty, wrapped)) != exact)
}

/// A comparison.
#[inline]
pub(super) fn compare(op: CmpOp, ty: Type, a: u64, b: u64) -> bool {
    use CmpOp::*;
    match op {
        Eq => a == b,
        Ne => a != b,
        Slt => signed(ty, a) < signed(ty, b),
        Sle => signed(ty, a) <= signed(ty, b),
        Sgt => signed(ty, a) > signed(ty, b),
        Sge => signed(ty, a) >= signed(ty, b),
        Ult => a < b,
        Ule => a <= b,
        Ugt => a > b,
        Uge => a >= b,
        op => {
            let (a, b) = match ty {
                Type::F32 => (
                    f32::from_bits(a as u32).into(),
                    f32::from_bits(b as u32).into(),
                ),
                _ => (f64::from_bits(a), f64::from_bits(b)),
            };
            match op {
                FEq => a == b,
                FNe => a != b,
                FLt => a < b,
                FLe => a <= b,
                FGt => a > b,
                _ => a >= b,
            }
        }
    }
}

/// The bound of the next stretch of a strip-mined loop.
pub(super) fn chunk(ty: Type, i: u64, end: u64, step: i64, count: u32) -> u64 {
    let (i, last) = (i128::from(signed(ty, i)), i128::from(signed(ty, end)));
    let sum = i + i128::from(step) * i128::from(count);
    let bound = if step > 0 {
        sum.min(last)
    } else {
        sum.max(last)
    };
    // Either the end itself or nearer than it, so it fits the type.
    ty.canonical(bound as u64)
}
