//! Labels of the errors that the parser and the verifier report. Each has its row in the `codes!`
//! table of `asr-abi`; `every_code_has_a_row` compares.

macro_rules! labels {
    ($($(#[doc = $doc:literal])* $name:ident = $label:literal;)*) => {
        $($(#[doc = $doc])* pub const $name: &str = $label;)*

        /// All of them, with their names.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $label)),*];
    };
}

labels! {
    /// A byte of the text is not UTF-8.
    AIR_UTF8 = "E0801";
    /// Something else was expected here.
    AIR_SYNTAX = "E0802";
    /// A name that nothing declares.
    AIR_UNKNOWN_NAME = "E0803";
    /// A number that does not fit its type, or is not one.
    AIR_NUMBER = "E0804";
    /// More of something than the format can hold.
    AIR_TOO_LARGE = "E0805";

    /// Two things of one kind have one name.
    DUPLICATE_NAME = "V0001";
    /// An index refers to nothing.
    BAD_REFERENCE = "V0002";
    /// A module imports a table that this compiler does not have.
    UNKNOWN_TABLE = "V0003";
    /// A property of a module, function or slot is out of its range.
    BAD_DECLARATION = "V0004";
    /// A function without blocks.
    EMPTY_FUNCTION = "V0005";
    /// A block that nothing reaches.
    UNREACHABLE_BLOCK = "V0006";
    /// A jump to the entry block.
    ENTRY_TARGET = "V0007";
    /// An operand, result or operator of the wrong type.
    TYPE_MISMATCH = "V0008";
    /// An immediate that is not one of its type.
    BAD_IMMEDIATE = "V0009";
    /// A call whose arguments or result do not agree with the signature.
    BAD_CALL = "V0010";
    /// A return that does not agree with the function's result.
    BAD_RETURN = "V0011";
    /// Two cases of a switch have one value.
    DUPLICATE_CASE = "V0012";
    /// An edge on something that cannot fail.
    USELESS_EDGE = "V0013";
    /// An intrinsic that no imported table has (rule ABI-30 g).
    UNKNOWN_INTRINSIC = "V0014";
    /// An intrinsic called against its row's signature (rule ABI-30 g).
    BAD_INTRINSIC_CALL = "V0015";
    /// A block is left open, closed twice, or differs between paths (rule ABI-30 f).
    UNBALANCED = "V0016";
    /// A failure that would leave a function not declared `throws` (rule ABI-30 h).
    UNCAUGHT = "V0017";
    /// A failure that would leave a block open or a handle held (rule ABI-30 h).
    NO_CLEANUP = "V0018";
    /// A cycle without a probe or a bound on its iterations (rule ABI-30 a).
    BARE_CYCLE = "V0019";
    /// An entry without the probe or the stack check that it needs (rule ABI-30 b).
    UNGUARDED_ENTRY = "V0020";
    /// An allocation that a path reaches without a probe (rule ABI-30 b).
    UNGUARDED_ALLOCATION = "V0021";
    /// A return from a call that may have blocked, without a probe behind it (rule ABI-1).
    UNGUARDED_RETURN = "V0022";
    /// More code between two probes than rule ABI-3 allows (rule ABI-30 c).
    PROBE_GAP = "V0023";
    /// An await or a waiting intrinsic in a function that is not asynchronous, a call of one that
    /// is, or an await or spawn of one that is not.
    BAD_ASYNC = "V0024";
    /// A handle where none may be (rules OBL-34, ABI-30 m).
    HANDLE_KEPT = "V0025";
    /// A handle that is held at an end of the function, or overwritten (rule OBL-34).
    HANDLE_DROPPED = "V0026";
    /// A use of a handle that is not held (rule OBL-34).
    HANDLE_SPENT = "V0027";
    /// A handle that is held on one path into a block and not on another (rule OBL-34).
    HANDLE_MAYBE = "V0028";
    /// The address of a stack slot where it may outlive its function (rule ABI-30 i).
    ADDRESS_ESCAPES = "V0029";
    /// An address behind a handle that is kept across a probe (rule ABI-30 k).
    ADDRESS_KEPT = "V0030";
    /// A wait without bound inside a mask (rule ABI-32).
    UNBOUNDED_MASK = "V0031";
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_has_a_row() {
        for (name, label) in super::ALL {
            let row = asr_abi::codes::lookup(label).unwrap_or_else(|| panic!("no row of {label}"));
            assert_eq!((row.name, &*row.label()), (*name, *label));
        }
    }
}
