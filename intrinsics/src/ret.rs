//! From what a row's implementation returns to the two registers that compiled code reads.

use asr_abi::Ret;

/// A type that fits the value register.
pub trait Word: Sized {
    /// The bits in `Ret::value`.
    fn to_bits(self) -> u64;
    /// The value of these bits, as `to_bits` made them.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! word {
    ($($t:ty: $x:ident => $to:expr, $from:expr;)*) => {
        $(impl Word for $t {
            fn to_bits(self) -> u64 { let $x = self; $to }
            fn from_bits($x: u64) -> Self { $from }
        })*
    };
}

word! {
    i32: x => x as u32 as u64, x as u32 as i32;
    u32: x => x as u64, x as u32;
    i64: x => x as u64, x as i64;
    u64: x => x, x;
    bool: x => x as u64, x != 0;
    f64: x => f64::to_bits(x), f64::from_bits(x);
    *mut u8: x => x.expose_provenance() as u64, core::ptr::with_exposed_provenance_mut(x as usize);
    *const u8: x => x.expose_provenance() as u64, core::ptr::with_exposed_provenance(x as usize);
}

impl Word for () {
    fn to_bits(self) -> u64 {
        0
    }
    fn from_bits(_: u64) -> Self {}
}

/// Why a row did not do what was asked: a status of VAL-33 (never `OK`) and the value that goes
/// with it, an exception word for `THREW`, what is handed back for the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The status, at least 1.
    pub status: u32,
    /// The value that goes with it.
    pub value: u64,
}

impl Refusal {
    /// A refusal that hands nothing back.
    pub const fn status(status: u32) -> Self {
        Refusal { status, value: 0 }
    }

    /// `THREW` with this exception word.
    pub const fn threw(value: u64) -> Self {
        Refusal {
            status: asr_abi::status::THREW,
            value,
        }
    }
}

/// What a row's implementation may return.
pub trait IntoRet {
    /// The pair of registers.
    fn into_ret(self) -> Ret;
}

impl<T: Word> IntoRet for T {
    fn into_ret(self) -> Ret {
        Ret {
            value: self.to_bits(),
            status: asr_abi::status::OK as u64,
        }
    }
}

impl IntoRet for Ret {
    fn into_ret(self) -> Ret {
        self
    }
}

impl<T: Word> IntoRet for Result<T, Refusal> {
    fn into_ret(self) -> Ret {
        match self {
            Ok(value) => value.into_ret(),
            Err(refusal) => Ret {
                value: refusal.value,
                status: refusal.status as u64,
            },
        }
    }
}
