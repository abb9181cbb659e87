//! Value words: NaN boxing.
//!
//! | word                     | meaning                                              |
//! |--------------------------|------------------------------------------------------|
//! | below `FFF9 << 48`       | bits of a double; a NaN is canonical                 |
//! | `FFF9_0000_xxxx_xxxx`    | 32-bit integer, the same number to the program       |
//! | `FFFA_pppp_pppp_pppp`    | address of an object                                 |
//! | `FFFB_0000_0000_000n`    | null 0, false 2, true 3, undefined 4                 |
//! | `FFFC_ssss_ssss_ssss`    | fault at a site; an exception word only, not a value |
//!
//! An integer word never stands for -0.

use crate::object::Object;

/// First word that is not a double.
pub const INT_TAG: u64 = 0xFFF9 << 48;
/// Tag of objects.
pub const OBJECT_TAG: u64 = 0xFFFA << 48;
/// Tag of the constants.
pub const CONST_TAG: u64 = 0xFFFB << 48;
/// Tag of fault words.
pub const FAULT_TAG: u64 = 0xFFFC << 48;
/// Mask of the payload.
pub const PAYLOAD: u64 = (1 << 48) - 1;

/// A dynamic value. The only way from a foreign word to a `Value` is [`Value::from_word`].
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Value(u64);

impl Value {
    /// Null.
    pub const NULL: Value = Value(CONST_TAG);
    /// False.
    pub const FALSE: Value = Value(CONST_TAG | 2);
    /// True.
    pub const TRUE: Value = Value(CONST_TAG | 3);
    /// A global before its declaration; never visible to programs.
    pub const UNDEFINED: Value = Value(CONST_TAG | 4);

    /// The word.
    pub const fn word(self) -> u64 {
        self.0
    }

    /// A truth value.
    pub const fn bool(b: bool) -> Value {
        if b { Value::TRUE } else { Value::FALSE }
    }

    /// An integer.
    pub const fn int(n: i32) -> Value {
        Value(INT_TAG | n as u32 as u64)
    }

    /// A double, canonical if it is a NaN.
    pub const fn double(x: f64) -> Value {
        if x.is_nan() {
            Value(0x7FF8 << 48)
        } else {
            Value(x.to_bits())
        }
    }

    /// A number: an integer word when it is one that fits and is not -0.
    pub const fn number(x: f64) -> Value {
        let n = x as i32;
        if n as f64 == x && (n != 0 || x.is_sign_positive()) {
            Value::int(n)
        } else {
            Value::double(x)
        }
    }

    /// A count.
    pub const fn count(n: usize) -> Value {
        Value::number(n as f64)
    }

    /// Whether a word has the tag of objects.
    pub(crate) const fn is_object_word(word: u64) -> bool {
        word & !PAYLOAD == OBJECT_TAG
    }

    /// The object of this reference.
    pub fn object(o: &Object) -> Value {
        let address = core::ptr::from_ref(o).expose_provenance() as u64;
        Value(OBJECT_TAG | address & PAYLOAD)
    }

    /// A word that came from outside of this crate.
    ///
    /// # Safety
    /// If it has the tag of objects, it was made by [`Value::object`] and that object's heap lives
    /// for as long as the value is used.
    #[allow(unsafe_code, reason = "whoever makes words by hand takes the blame")]
    pub const unsafe fn from_word(word: u64) -> Value {
        Value(word)
    }

    /// A fault word.
    pub const fn fault(site: u64) -> Value {
        Value(FAULT_TAG | site & PAYLOAD)
    }

    /// The site, if this is a fault word.
    pub const fn fault_site(self) -> Option<u64> {
        if self.0 & !PAYLOAD == FAULT_TAG {
            Some(self.0 & PAYLOAD)
        } else {
            None
        }
    }

    /// The integer, if the word holds one.
    pub const fn as_int(self) -> Option<i32> {
        if self.0 & !PAYLOAD == INT_TAG {
            Some(self.0 as u32 as i32)
        } else {
            None
        }
    }

    /// The number, if it is one.
    pub const fn as_number(self) -> Option<f64> {
        if self.0 < INT_TAG {
            Some(f64::from_bits(self.0))
        } else if let Some(n) = self.as_int() {
            Some(n as f64)
        } else {
            None
        }
    }

    /// The address of the object, if it is one; for [`crate::object`] only.
    pub(crate) const fn address(self) -> Option<usize> {
        if self.0 & !PAYLOAD == OBJECT_TAG {
            Some((self.0 & PAYLOAD) as usize)
        } else {
            None
        }
    }

    /// Whether a condition takes it for false: null and false alone.
    pub const fn is_falsey(self) -> bool {
        self.0 & !2 == CONST_TAG
    }

    /// Whether it is null.
    pub const fn is_null(self) -> bool {
        self.0 == CONST_TAG
    }

    /// The truth value, if it is one.
    pub const fn as_bool(self) -> Option<bool> {
        match self.0 {
            w if w == Value::TRUE.0 => Some(true),
            w if w == Value::FALSE.0 => Some(false),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.as_number() {
            Some(x) => write!(f, "{x}"),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_value_and_minus_zero_its_sign() {
        for x in [0.0, 1.0, -1.0, 2147483647.0, -2147483648.0] {
            let v = Value::number(x);
            assert!(v.as_int().is_some(), "{x}");
            assert_eq!(v.as_number(), Some(x));
        }
        for x in [0.5, 2147483648.0, -2147483649.0, f64::INFINITY] {
            let v = Value::number(x);
            assert_eq!((v.as_int(), v.as_number()), (None, Some(x)));
        }
        let zero = Value::number(-0.0);
        assert!(zero.as_int().is_none() && zero.as_number().unwrap().is_sign_negative());
    }

    #[test]
    fn every_nan_is_a_number() {
        for bits in [
            0x7FF0_0000_0000_0001u64,
            u64::MAX,
            0xFFFA << 48,
            0x7FF8 << 48,
        ] {
            let v = Value::number(f64::from_bits(bits));
            assert!(v.as_number().is_some_and(f64::is_nan));
            assert!(v.address().is_none());
        }
    }

    #[test]
    fn null_and_false_alone_are_falsey() {
        assert!(Value::NULL.is_falsey() && Value::FALSE.is_falsey());
        for v in [
            Value::TRUE,
            Value::UNDEFINED,
            Value::int(0),
            Value::double(0.0),
        ] {
            assert!(!v.is_falsey());
        }
    }
}
