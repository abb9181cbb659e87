//! Values of calls in text form, by the type that the function declares.

use asr_codegen::air::Type;

/// The bits of `text` as a `ty`, zero above its width; none if it is not one.
///
/// Integers are decimal or `0x...`, floats as Rust writes them or `0x...` for their bits, `bool` is
/// `true` or `false`, `ptr` and `value` are words.
pub fn parse(ty: Type, text: &str) -> Option<u64> {
    let hex = text
        .strip_prefix("0x")
        .map(|hex| u64::from_str_radix(&hex.replace('_', ""), 16));
    let bits = match (ty, hex) {
        (_, Some(bits)) => bits.ok()?,
        (Type::Bool, None) => u64::from(text.parse::<bool>().ok()?),
        (Type::F32, None) => u64::from(text.parse::<f32>().ok()?.to_bits()),
        (Type::F64, None) => text.parse::<f64>().ok()?.to_bits(),
        (_, None) => match text.parse::<i64>() {
            Ok(signed) => signed as u64,
            Err(_) => text.parse::<u64>().ok()?,
        },
    };
    let signed = bits as i64;
    let fits = match ty.size() {
        8 => true,
        size => {
            let width = size * 8;
            bits >> width == 0 || signed >> (width - 1) == -1
        }
    };
    fits.then(|| low(ty, bits))
}

/// The part of a register that a `ty` occupies.
pub fn low(ty: Type, bits: u64) -> u64 {
    match ty.size() {
        8 => bits,
        size => bits & ((1 << (size * 8)) - 1),
    }
}

/// `bits` as [`parse`] reads them.
pub fn show(ty: Type, bits: u64) -> String {
    match ty {
        Type::I8 => (bits as i8).to_string(),
        Type::I16 => (bits as i16).to_string(),
        Type::I32 => (bits as i32).to_string(),
        Type::I64 => (bits as i64).to_string(),
        Type::Bool => if bits & 0xff == 0 { "false" } else { "true" }.to_string(),
        Type::F32 => format!("{:?}", f32::from_bits(bits as u32)),
        Type::F64 => format!("{:?}", f64::from_bits(bits)),
        _ => format!("{bits:#x}"),
    }
}

/// Whether two results of one type are the same. NaNs are: engines may differ in sign and payload.
pub fn same(ty: Type, a: u64, b: u64) -> bool {
    let nan = |bits: u64| match ty {
        Type::F32 => f32::from_bits(bits as u32).is_nan(),
        Type::F64 => f64::from_bits(bits).is_nan(),
        _ => false,
    };
    low(ty, a) == low(ty, b) || (nan(a) && nan(b))
}

#[cfg(test)]
mod tests {
    use super::{parse, same, show};
    use asr_codegen::air::Type;

    #[test]
    fn literals_round_trip() {
        for (ty, text) in [
            (Type::I8, "-128"),
            (Type::I32, "-1"),
            (Type::I64, "-9223372036854775808"),
            (Type::Bool, "true"),
            (Type::F64, "-0.0"),
            (Type::F32, "1.5"),
            (Type::Value, "0xfffb000000000003"),
        ] {
            assert_eq!(show(ty, parse(ty, text).unwrap()), text);
        }
        assert_eq!(parse(Type::I32, "-1"), Some(0xffff_ffff));
        assert_eq!(parse(Type::I8, "256"), None);
        assert_eq!(parse(Type::Bool, "2"), None);
    }

    #[test]
    fn all_nans_are_the_same() {
        assert!(same(Type::F64, f64::NAN.to_bits(), (-f64::NAN).to_bits()));
        assert!(!same(Type::F64, 0.0f64.to_bits(), (-0.0f64).to_bits()));
    }
}
