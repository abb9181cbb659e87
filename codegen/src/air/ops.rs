//! The operators, each with its name in the text form.

macro_rules! ops {
    ($(#[doc = $doc:literal])* $enum:ident {
        $($(#[doc = $vdoc:literal])* $variant:ident = $name:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $enum { $($(#[doc = $vdoc])* $variant,)* }

        impl $enum {
            /// All of them.
            pub const ALL: &'static [$enum] = &[$($enum::$variant),*];

            /// Name in the text form.
            pub const fn name(self) -> &'static str {
                match self { $($enum::$variant => $name,)* }
            }

            /// The operator of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some($enum::$variant),)* _ => None }
            }
        }
    };
}

ops! {
    /// One operand, one result of the same type.
    UnOp {
        /// Integer negation, wrapping.
        Neg = "neg",
        /// Bitwise complement of an integer; logical negation of a `bool`.
        Not = "not",
        /// Leading zeros.
        Clz = "clz",
        /// Trailing zeros.
        Ctz = "ctz",
        /// Bits set.
        Popcnt = "popcnt",
        /// Float: negation.
        FNeg = "fneg",
        /// Float: absolute value.
        FAbs = "fabs",
        /// Float: square root.
        FSqrt = "fsqrt",
        /// Float: round down.
        FFloor = "ffloor",
        /// Float: round up.
        FCeil = "fceil",
        /// Float: round toward zero.
        FTrunc = "ftrunc",
        /// Float: round to nearest, ties to even.
        FNearest = "fnearest",
    }
}

ops! {
    /// Two operands and a result of one type.
    BinOp {
        /// Integer sum, wrapping.
        Add = "add",
        /// Integer difference, wrapping.
        Sub = "sub",
        /// Integer product, wrapping.
        Mul = "mul",
        /// Signed quotient; faults on a zero divisor and on overflow.
        SDiv = "sdiv",
        /// Unsigned quotient; faults on a zero divisor.
        UDiv = "udiv",
        /// Signed remainder, sign of the dividend; faults on a zero divisor (`MIN % -1` is 0).
        SRem = "srem",
        /// Unsigned remainder; faults on a zero divisor.
        URem = "urem",
        /// Bitwise and; also of `bool`.
        And = "and",
        /// Bitwise or; also of `bool`.
        Or = "or",
        /// Bitwise exclusive or; also of `bool`.
        Xor = "xor",
        /// Shift left; the count is taken modulo the width.
        Shl = "shl",
        /// Arithmetic shift right; the count is taken modulo the width.
        SShr = "sshr",
        /// Logical shift right; the count is taken modulo the width.
        UShr = "ushr",
        /// Signed minimum.
        SMin = "smin",
        /// Signed maximum.
        SMax = "smax",
        /// Unsigned minimum.
        UMin = "umin",
        /// Unsigned maximum.
        UMax = "umax",
        /// Float sum.
        FAdd = "fadd",
        /// Float difference.
        FSub = "fsub",
        /// Float product.
        FMul = "fmul",
        /// Float quotient (IEEE: never faults).
        FDiv = "fdiv",
    }
}

impl BinOp {
    /// Whether it may fault.
    pub const fn can_fault(self) -> bool {
        matches!(self, BinOp::SDiv | BinOp::UDiv | BinOp::SRem | BinOp::URem)
    }

    /// Whether it is a float operator.
    pub const fn is_float(self) -> bool {
        matches!(self, BinOp::FAdd | BinOp::FSub | BinOp::FMul | BinOp::FDiv)
    }
}

ops! {
    /// Signed arithmetic with a flag that tells overflow; the result wraps.
    OverflowOp {
        /// Sum.
        SAdd = "sadd_overflow",
        /// Difference.
        SSub = "ssub_overflow",
        /// Product.
        SMul = "smul_overflow",
    }
}

ops! {
    /// Comparisons; the result is a `bool`.
    CmpOp {
        /// Equal; integers, `bool`, `ptr`, `value` (as bits).
        Eq = "eq",
        /// Not equal.
        Ne = "ne",
        /// Signed less.
        Slt = "slt",
        /// Signed less or equal.
        Sle = "sle",
        /// Signed greater.
        Sgt = "sgt",
        /// Signed greater or equal.
        Sge = "sge",
        /// Unsigned less.
        Ult = "ult",
        /// Unsigned less or equal.
        Ule = "ule",
        /// Unsigned greater.
        Ugt = "ugt",
        /// Unsigned greater or equal.
        Uge = "uge",
        /// Float: ordered and equal.
        FEq = "feq",
        /// Float: unordered or not equal.
        FNe = "fne",
        /// Float: ordered and less.
        FLt = "flt",
        /// Float: ordered and less or equal.
        FLe = "fle",
        /// Float: ordered and greater.
        FGt = "fgt",
        /// Float: ordered and greater or equal.
        FGe = "fge",
    }
}

impl CmpOp {
    /// Whether it compares floats.
    pub const fn is_float(self) -> bool {
        use CmpOp::*;
        matches!(self, FEq | FNe | FLt | FLe | FGt | FGe)
    }
}

ops! {
    /// Conversions from one type to another.
    ConvOp {
        /// Sign-extend to a wider integer.
        Sext = "sext",
        /// Zero-extend to a wider integer; also from `bool`.
        Zext = "zext",
        /// Keep the low bits of a wider integer.
        Trunc = "trunc",
        /// Signed integer to float, rounding to nearest.
        SToF = "stof",
        /// Unsigned integer to float, rounding to nearest.
        UToF = "utof",
        /// Float to signed integer toward zero; faults when it does not fit (NaN included).
        FToS = "ftos",
        /// Float to unsigned integer toward zero; faults when it does not fit.
        FToU = "ftou",
        /// Float to signed integer, saturating; NaN gives 0.
        FToSSat = "ftos_sat",
        /// Float to unsigned integer, saturating; NaN gives 0.
        FToUSat = "ftou_sat",
        /// `f32` to `f64`.
        Promote = "promote",
        /// `f64` to `f32`, rounding to nearest.
        Demote = "demote",
        /// The same bits as another type of the same size.
        Bitcast = "bitcast",
    }
}

impl ConvOp {
    /// Whether it may fault.
    pub const fn can_fault(self) -> bool {
        matches!(self, ConvOp::FToS | ConvOp::FToU)
    }
}
