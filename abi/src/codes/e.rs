//! Series E: front ends: text of AIR and of ProXPL, the driver.

use super::Code;

/// The rows, in order of their numbers. Numbers are never reused.
pub(super) const ROWS: &[Code] = codes! { E
    1 INVALID_UTF8: "a byte outside of strings is not UTF-8",
        do "save the file as UTF-8; strings may hold any bytes";
    2 UNEXPECTED_CHARACTER: "a character has no meaning in the language",
        do "remove it; text stands between double quotes";
    3 UNTERMINATED: "a string, template, hole or comment never ends",
        do "close it where it should end";
    101 SYNTAX: "something else was expected at this place",
        do "read what was expected in the message";
    102 TOO_DEEP: "the program nests too deeply",
        do "give inner parts names of their own";
    103 TOO_LARGE: "the program, or one function of it, is too large",
        do "split it, or read large data from a file at run time";
    104 OUTSIDE_LOOP: "break or continue stands outside of a loop",
        do "use return to leave a function; a switch needs no break";
    105 ASSIGN_TARGET: "what stands left of the assignment cannot be assigned",
        do "assign a variable, an element or a member; compare with ==";
    106 ASSIGN_CONST: "a constant is assigned or declared again",
        do "declare it with let";
    107 DUPLICATE_PARAMETER: "two parameters have one name",
        do "rename one of them";
    108 RESERVED_WORD: "a reserved word is used as a name",
        do "choose another name, for example with an underscore";
    109 CONST_WITHOUT_VALUE: "a constant has no value",
        do "write 'const name = value;'";
    110 NOT_ASYNC: "await or scope stands in a function that is not async",
        do "declare the function with 'async func', and await its calls";
    111 SPAWN_CALL: "what stands behind spawn is no call",
        do "write 'spawn f(a)': the function, and what it is given";
    112 NOT_AWAITED: "an operation that waits is not awaited, or used as a value",
        do "write 'await' before the call, in an async function or at the top level";
    113 LEAVES_DEFER: "a deferred statement leaves its block by return, break or continue",
        do "leave the block elsewhere; what is deferred runs on every way out";
    201 CLASSES: "not yet: classes, interfaces, traits and operator overloading",
        do "use dictionaries, and functions that take them";
    202 ASYNC: "async functions and await, which earlier versions did not have",
        do "update the compiler";
    203 ACTORS: "not yet: actors and message sends",
        do "use tasks and channels";
    204 MODULES: "not yet: modules in other files",
        do "put the program into one file; the library is reached through 'std'";
    205 CLOSURES: "functions that capture local variables, which earlier versions did not have",
        do "update the compiler";
    206 INTENTS: "not yet: intents and resolvers",
        do "call the resolver's function directly";
    207 CONTEXTS: "not yet: contexts, layers and activate",
        do "choose the function with a variable";
    208 TENSORS: "not yet: tensors, their operator @ and decorators",
        do "use lists of lists and loops";
    209 QUANTUM: "not yet: quantum blocks",
        do "remove the block";
    210 GPU: "not yet: gpu kernels",
        do "write the loop as ordinary code";
    211 MODELS: "not yet: models, train and predict",
        do "remove the declaration";
    212 TRY: "not yet: try, catch and finally",
        do "use 'resilient { } recovery (e) { }'";
    213 TEMPORAL: "not yet: temporal variables and decay",
        do "compare times from clock()";
    214 TAINT: "not yet: sanitize, tainted, pure, policy, encrypt and decrypt",
        do "check the data with a function of your own";
    215 DISTRIBUTED: "not yet: nodes, replicas and sync",
        do "remove the declaration";
    216 FOREIGN: "not yet: foreign functions",
        do "use the natives of 'std'";
    217 TYPES: "not yet: type aliases, enums, structs and pattern matching",
        do "use dictionaries and switch";
    218 COMPTIME: "not yet: blocks that run in the compiler",
        do "compute the value at run time";
    219 VERIFY: "not yet: verify blocks",
        do "use std.core.assert";
    220 UI: "not yet: the user-interface language",
        do "print text";
    221 UNWRAP: "not yet: the postfix operator ?",
        do "compare with null";
    222 DO: "not yet: do",
        do "use while";
    223 STRATEGIES: "not yet: the strategies rollback and escalate",
        do "use recover or restart";
    224 OPERATORS: "not yet: this operator is known to the scanner only",
        do "write it out, for example 'x += 1'";
    225 LIBRARY: "not yet: this member of the standard library",
        do "see the members that there are in the reference";
    226 CHANNELS: "not yet: the words channel and task as declarations",
        do "call 'channel(n)'; an async function that is called without await is a task";
    301 FILE: "a file cannot be read or written",
        do "check the path and the permissions";
    302 LINK: "the program cannot be linked",
        do "read what the linker said; a C compiler 'cc' is needed";
    303 ARCHIVE: "the archive of the runtime is missing or of another build",
        do "build it with 'cargo build -p asr-archive', or set ASR_LIB_DIR";
    304 BACKEND: "the code generator failed",
        do "this is a bug of ours; please report it with the program";
    305 NO_MAIN: "the module has no main function",
        do "export a function @program_main without parameters and result";
    801 AIR_UTF8: "a byte of AIR text is not UTF-8",
        do "write bytes as \\xx in strings";
    802 AIR_SYNTAX: "AIR text has something else where this was expected",
        do "compare the line with the text form of the instruction";
    803 AIR_UNKNOWN_NAME: "a name that nothing in the AIR text declares",
        do "declare it, or correct its spelling";
    804 AIR_NUMBER: "a number that does not fit its type, or is none",
        do "write one that the type can hold";
    805 AIR_TOO_LARGE: "more AIR text than one module can hold",
        do "split the module";
};
