//! Codes of the front end's errors. The refusals of features (E02xx) are in
//! [`crate::syntax::feature`]; the sentences behind all of them are in the `codes!` table of
//! `asr-abi`.

/// A byte outside of strings is not UTF-8.
pub const INVALID_UTF8: &str = "E0001";
/// A character has no meaning in ProXPL.
pub const UNEXPECTED_CHARACTER: &str = "E0002";
/// A string, template or comment never ends.
pub const UNTERMINATED: &str = "E0003";
/// Something else was expected here.
pub const SYNTAX: &str = "E0101";
/// The program nests too deeply.
pub const TOO_DEEP: &str = "E0102";
/// The program, or one function of it, is too large.
pub const TOO_LARGE: &str = "E0103";
/// `break` or `continue` outside of a loop.
pub const OUTSIDE_LOOP: &str = "E0104";
/// What stands left of `=` cannot be assigned.
pub const ASSIGN_TARGET: &str = "E0105";
/// A constant is assigned.
pub const ASSIGN_CONST: &str = "E0106";
/// A parameter name occurs twice.
pub const DUPLICATE_PARAMETER: &str = "E0107";
/// A reserved word is used as a name.
pub const RESERVED_WORD: &str = "E0108";
/// A constant has no value.
pub const CONST_WITHOUT_VALUE: &str = "E0109";
/// A function is called with the wrong number of arguments.
pub const ARITY: &str = "E0110";
/// A file cannot be read or written.
pub const FILE: &str = "E0301";
/// The program cannot be linked.
pub const LINK: &str = "E0302";
