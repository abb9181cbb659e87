//! Errors of the language: every one is a thrown value.

use asr_intrinsics::Refusal;

use crate::word::Value;

/// A thrown value: a message string for errors of the language itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thrown(pub Value);

/// What an operation of the language yields.
pub type Res<T = Value> = Result<T, Thrown>;

impl From<Thrown> for Refusal {
    fn from(thrown: Thrown) -> Refusal {
        Refusal::threw(thrown.0.word())
    }
}

/// The fixed messages of the language.
pub mod message {
    macro_rules! messages {
        ($($name:ident = $text:literal;)*) => {
            $(#[doc = $text] pub const $name: &str = $text;)*
            /// All of them.
            pub const ALL: &[&str] = &[$($text),*];
        };
    }

    messages! {
        OUT_OF_MEMORY = "Out of memory.";
        DIVISION_BY_ZERO = "Division by zero.";
        MODULO_BY_ZERO = "Modulo by zero.";
        NUMBERS = "Operands must be numbers.";
        NUMBER = "Operand must be a number.";
        NEGATE = "Operand must be a number or implement operator-.";
        NUMBERS_OR_STRINGS = "Operands must be numbers or strings.";
        SHIFT = "Shift amount must be between 0 and 31.";
        HAVE_PROPERTIES = "Only instances and modules have properties.";
        HAVE_FIELDS = "Only instances have fields.";
        NOT_CALLABLE = "Can only call functions, classes, and foreign functions.";
        STACK_OVERFLOW = "Stack overflow.";
        INDEX_NUMBER = "List index must be a number.";
        INDEX_BOUNDS = "List index out of bounds.";
        KEY_STRING = "Dictionary key must be a string.";
        NOT_INDEXABLE = "Can only index lists and dictionaries.";
        NOT_A_LIST = "Only lists can be appended to.";
        INTERNAL = "Internal error: a malformed value.";
    }
}
