//! Codes of the front end's errors. The refusals of features (E02xx) are in
//! [`crate::syntax::feature`]; the sentences behind all of them are in the `codes!` table of
//! `asr-abi`.

macro_rules! codes {
    ($($(#[$doc:meta])* $ident:ident = $code:literal;)*) => {
        $($(#[$doc])* pub const $ident: &str = $code;)*
        /// All of them.
        pub const ALL: &[&str] = &[$($ident),*];
    };
}

codes! {
    /// A byte outside of strings is not UTF-8.
    INVALID_UTF8 = "E0001";
    /// A character has no meaning in ProXPL.
    UNEXPECTED_CHARACTER = "E0002";
    /// A string, template or comment never ends.
    UNTERMINATED = "E0003";
    /// Something else was expected here.
    SYNTAX = "E0101";
    /// The program nests too deeply.
    TOO_DEEP = "E0102";
    /// The program, or one function of it, is too large.
    TOO_LARGE = "E0103";
    /// `break` or `continue` outside of a loop.
    OUTSIDE_LOOP = "E0104";
    /// What stands left of `=` cannot be assigned.
    ASSIGN_TARGET = "E0105";
    /// A constant is assigned.
    ASSIGN_CONST = "E0106";
    /// A parameter name occurs twice.
    DUPLICATE_PARAMETER = "E0107";
    /// A reserved word is used as a name.
    RESERVED_WORD = "E0108";
    /// A constant has no value.
    CONST_WITHOUT_VALUE = "E0109";
    /// `await` or `scope` in a function that is not async.
    NOT_ASYNC = "E0110";
    /// What stands behind `spawn` is no call.
    SPAWN_CALL = "E0111";
    /// An operation that waits is not awaited.
    NOT_AWAITED = "E0112";
    /// A deferred statement leaves its block, or a scope is left before it is closed.
    LEAVES_DEFER = "E0113";
    /// A file cannot be read or written.
    FILE = "E0301";
    /// The program cannot be linked.
    LINK = "E0302";
    /// The archive of the runtime is missing or of another build.
    ARCHIVE = "E0303";
    /// The module has no main function.
    NO_MAIN = "E0305";
    /// The code generator failed.
    BACKEND = "E0304";
}
