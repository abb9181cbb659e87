//! Conversions on canonical bits.

use super::arith::signed;
use crate::air::{ConvOp, Type, fault};

/// A conversion; a fault by its code.
pub(super) fn convert(op: ConvOp, from: Type, to: Type, x: u64) -> Result<u64, u32> {
    Ok(match op {
        ConvOp::Sext => to.canonical(signed(from, x) as u64),
        ConvOp::Zext | ConvOp::Bitcast => x,
        ConvOp::Trunc => to.canonical(x),
        ConvOp::SToF if to == Type::F32 => u64::from((signed(from, x) as f32).to_bits()),
        ConvOp::SToF => (signed(from, x) as f64).to_bits(),
        ConvOp::UToF if to == Type::F32 => u64::from((x as f32).to_bits()),
        ConvOp::UToF => (x as f64).to_bits(),
        ConvOp::Promote => f64::from(f32::from_bits(x as u32)).to_bits(),
        ConvOp::Demote => u64::from((f64::from_bits(x) as f32).to_bits()),
        ConvOp::FToS | ConvOp::FToSSat => {
            let (x, half) = (float(from, x), 2f64.powi(to.size() as i32 * 8 - 1));
            let fits = (-half..half).contains(&x.trunc());
            let least = i64::MIN >> (64 - to.size() * 8);
            let clamped = match fits {
                true => x as i64,
                false if op == ConvOp::FToS => return Err(fault::CONVERSION),
                false if x.is_nan() => 0,
                false if x < 0.0 => least,
                false => !least,
            };
            to.canonical(clamped as u64)
        }
        ConvOp::FToU | ConvOp::FToUSat => {
            let (x, limit) = (float(from, x), 2f64.powi(to.size() as i32 * 8));
            let fits = (0.0..limit).contains(&x.trunc());
            match fits {
                true => x as u64,
                false if op == ConvOp::FToU => return Err(fault::CONVERSION),
                false if x.is_nan() || x < 0.0 => 0,
                false => to.canonical(u64::MAX),
            }
        }
    })
}

fn float(ty: Type, bits: u64) -> f64 {
    match ty {
        Type::F32 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_int(op: ConvOp, x: f64, to: Type) -> Option<i64> {
        convert(op, Type::F64, to, x.to_bits())
            .ok()
            .map(|bits| signed(to, bits))
    }

    #[test]
    fn floats_that_do_not_fit_fault_or_saturate() {
        use ConvOp::*;
        assert_eq!(to_int(FToS, -128.9, Type::I8), Some(-128));
        assert_eq!(to_int(FToS, -129.0, Type::I8), None);
        assert_eq!(to_int(FToS, 127.9, Type::I8), Some(127));
        assert_eq!(to_int(FToS, 128.0, Type::I8), None);
        assert_eq!(
            to_int(FToS, -9223372036854775808.0, Type::I64),
            Some(i64::MIN)
        );
        assert_eq!(to_int(FToS, 9223372036854775808.0, Type::I64), None);
        assert_eq!(to_int(FToS, f64::NAN, Type::I32), None);
        assert_eq!(to_int(FToU, -0.9, Type::I32), Some(0));
        assert_eq!(to_int(FToU, -1.0, Type::I32), None);
        assert_eq!(to_int(FToU, 4294967295.9, Type::I32), Some(-1));
        assert_eq!(to_int(FToU, 4294967296.0, Type::I32), None);
        assert_eq!(to_int(FToSSat, 1e300, Type::I16), Some(i16::MAX.into()));
        assert_eq!(
            to_int(FToSSat, f64::NEG_INFINITY, Type::I64),
            Some(i64::MIN)
        );
        assert_eq!(to_int(FToSSat, f64::NAN, Type::I64), Some(0));
        assert_eq!(to_int(FToUSat, 1e300, Type::I64), Some(-1));
        assert_eq!(to_int(FToUSat, -5.0, Type::I8), Some(0));
        assert_eq!(to_int(FToUSat, f64::NAN, Type::I8), Some(0));
    }

    #[test]
    fn integers_round_once() {
        // By way of f64 this would round twice, to another neighbour.
        let x = (1u64 << 53 | 1 << 29 | 1) << 8;
        let single = convert(ConvOp::UToF, Type::I64, Type::F32, x);
        assert_eq!(single, Ok(u64::from((x as f32).to_bits())));
        let minus = convert(ConvOp::SToF, Type::I8, Type::F64, 0xff);
        assert_eq!(minus, Ok((-1.0f64).to_bits()));
    }
}
