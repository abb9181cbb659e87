//! Series V: the verifier of AIR.

use super::Code;

/// The rows, in order of their numbers. Numbers are never reused.
pub(super) const ROWS: &[Code] = codes! { V
    1 DUPLICATE_NAME: "two things of one kind have one name",
        do "rename one of them";
    2 BAD_REFERENCE: "an index refers to nothing",
        do "let the builder make the indices";
    3 UNKNOWN_TABLE: "a module imports a table of intrinsics that this compiler does not have",
        do "correct the name, or link the library that has the table";
    4 BAD_DECLARATION: "a property of a module, function or slot is out of its range",
        do "use a value in the range that the message names";
    5 EMPTY_FUNCTION: "a function without blocks",
        do "give it a body";
    6 UNREACHABLE_BLOCK: "a block that nothing reaches",
        do "remove the block, or jump to it";
    7 ENTRY_TARGET: "a jump to the entry block",
        do "jump to a block of its own behind the entry";
    8 TYPE_MISMATCH: "an operand, result or operator of the wrong type",
        do "convert the operand, or use the operator of its type";
    9 BAD_IMMEDIATE: "an immediate that is none of its type",
        do "write integers sign-extended and bools as 0 or 1";
    10 BAD_CALL: "a call whose arguments or result do not agree with the signature",
        do "pass what the signature lists";
    11 BAD_RETURN: "a return that does not agree with the function's result",
        do "return what the function declares";
    12 DUPLICATE_CASE: "two cases of a switch have one value",
        do "remove one of them";
    13 USELESS_EDGE: "an edge on something that cannot fail",
        do "remove the edge";
    14 UNKNOWN_INTRINSIC: "an intrinsic that no imported table has",
        do "import its table with `use`, or correct the name";
    15 BAD_INTRINSIC_CALL: "an intrinsic called against the signature of its row",
        do "pass what the reference page of the table lists";
    16 UNBALANCED: "an intent, mask or commit section left open, closed twice, or open on one path only",
        do "close it once on every path, error edges included";
    17 UNCAUGHT: "a failure that would leave a function not declared `throws`",
        do "declare the function `throws`, or give the instruction a recovery or cleanup edge";
    18 NO_CLEANUP: "a failure that would leave a block open or a handle held",
        do "give the instruction a cleanup edge that gives it up";
    19 BARE_CYCLE: "a cycle without a probe, and no bound on its iterations",
        do "let the probe pass place probes, or put one into the cycle";
    20 UNGUARDED_ENTRY: "an entry without the probe or the stack check that it needs",
        do "let the probe pass place probes, or begin the function with both";
    21 UNGUARDED_ALLOCATION: "an allocation that a path reaches without a probe",
        do "let the probe pass place probes, or put one before the allocation";
    22 UNGUARDED_RETURN: "a foreign or blocking call with no probe behind it",
        do "let the probe pass place probes, or put one behind the call";
    23 PROBE_GAP: "too much code between two probes",
        do "let the probe pass place probes, or put one between";
    24 BAD_ASYNC: "an await or a wait in a function that is not asynchronous, or a call of one that is",
        do "declare the function `async fn`, or await or spawn what is asynchronous";
    25 HANDLE_KEPT: "a handle where none may be: memory, a global, a dynamic value, foreign code",
        do "hold it in a local, and pass it to a function or intrinsic that takes it";
    26 HANDLE_DROPPED: "a handle that is held where the function ends, or that is overwritten",
        do "use it up on every path: commit, abort, join, detach, close, or return it";
    27 HANDLE_SPENT: "a use of a handle that is not held here",
        do "use a handle once, after it was made";
    28 HANDLE_MAYBE: "a handle that one path into a block holds and another does not",
        do "use it up on both paths before they meet, or on none";
    29 ADDRESS_ESCAPES: "the address of a stack slot where it may outlive the function",
        do "copy what is in the slot, or allocate";
    30 ADDRESS_KEPT: "an address behind a handle that is kept across a probe or a call",
        do "take the address anew behind the probe";
    31 UNBOUNDED_MASK: "a wait without bound inside a mask",
        do "move the wait, the loop around it or the recursion out of the mask";
};
