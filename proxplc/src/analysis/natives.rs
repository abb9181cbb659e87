//! What the front end knows about the natives: their names and the types of their results.
//!
//! How a native is run is the library's affair; a test compares the names with the library's table.

use super::hir::NativeId;
use super::infer::Ty;

/// A native function, or a constant of a module.
#[derive(Debug)]
pub struct Native {
    /// Full name: `len`, `std.core.typeOf`.
    pub name: &'static str,
    /// Type of every result.
    pub ret: Ty,
    /// Whether a function of the program may run inside, a repair handler for example.
    pub calls_back: bool,
    /// An operation of concurrency, which is no native of the library.
    pub op: Option<Operation>,
    /// A member that is a value, not a function: it is called without arguments where it is read.
    pub constant: bool,
}

/// The operations of concurrency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `channel(n)`
    Channel,
    /// `close(c)`
    Close,
    /// `cancel(t)`
    Cancel,
    /// `await send(c, v)`
    Send,
    /// `await recv(c)`
    Recv,
    /// `await sleep(ms)`
    Sleep,
}

impl Operation {
    /// Whether it waits: it is called with `await`.
    pub fn waits(self) -> bool {
        matches!(self, Operation::Send | Operation::Recv | Operation::Sleep)
    }

    /// How many arguments it takes.
    pub fn arity(self) -> usize {
        match self {
            Operation::Send => 2,
            _ => 1,
        }
    }
}

impl Native {
    /// Whether it is called with `await`.
    pub fn waits(&self) -> bool {
        self.op.is_some_and(Operation::waits)
    }
}

const fn native(name: &'static str, ret: Ty) -> Native {
    Native {
        name,
        ret,
        calls_back: false,
        op: None,
        constant: false,
    }
}

const fn calls_back(name: &'static str) -> Native {
    let mut native = native(name, Ty::Value);
    native.calls_back = true;
    native
}

const fn operation(name: &'static str, op: Operation) -> Native {
    let mut native = native(name, Ty::Value);
    native.op = Some(op);
    native
}

const fn constant(name: &'static str) -> Native {
    let mut native = native(name, Ty::Value);
    native.constant = true;
    native
}

use Ty::{Bool, Int, Num, Str, Value};

/// All natives that the front end accepts.
pub const TABLE: &[Native] = &[
    native("clock", Num),
    native("len", Int),
    native("push", Value),
    native("list_push", Value),
    native("pop", Value),
    native("list_pop", Value),
    native("limit_pop", Value),
    native("substr", Value),
    native("char_at", Value),
    native("upper", Value),
    native("lower", Value),
    native("trim", Value),
    native("trim_left", Value),
    native("trim_right", Value),
    native("split", Value),
    native("replace", Value),
    native("contains", Bool),
    native("startswith", Bool),
    native("endswith", Bool),
    native("repeat", Value),
    native("pad_left", Value),
    native("pad_right", Value),
    native("count_occurrences", Int),
    native("str_reverse", Value),
    native("index_of", Int),
    native("to_int", Int),
    native("to_float", Num),
    native("to_string", Str),
    native("to_bool", Bool),
    native("to_hex", Str),
    native("to_bin", Str),
    native("abs", Value),
    native("ceil", Num),
    native("floor", Num),
    native("sqrt", Num),
    native("sin", Num),
    native("cos", Num),
    native("tan", Num),
    native("asin", Num),
    native("acos", Num),
    native("atan", Num),
    native("exp", Num),
    native("round", Num),
    native("max", Value),
    native("min", Value),
    native("pow", Num),
    native("log", Num),
    native("random", Num),
    native("randint", Num),
    native("seed", Value),
    native("println", Value),
    native("input", Value),
    native("std.io.print", Value),
    native("std.io.write", Value),
    native("std.io.print_raw", Value),
    native("std.io.println", Value),
    native("std.io.eprint_raw", Value),
    native("std.io.input", Value),
    native("std.io.input_raw", Value),
    native("std.io.flush_raw", Value),
    native("std.fs.read_file", Value),
    native("std.fs.write_file", Bool),
    native("std.fs.append_file", Bool),
    native("std.fs.exists", Bool),
    native("std.fs.remove", Bool),
    native("std.sys.exit", Value),
    native("std.sys.env", Value),
    native("std.sys.cwd", Value),
    native("std.sys.args", Value),
    constant("std.sys.OS_NAME"),
    constant("std.sys.ARCH"),
    native("std.core.assert", Value),
    native("std.core.typeOf", Str),
    native("std.core.unwrap", Value),
    native("std.hash.md5", Value),
    native("std.hash.sha256", Value),
    operation("channel", Operation::Channel),
    operation("close", Operation::Close),
    operation("cancel", Operation::Cancel),
    operation("send", Operation::Send),
    operation("recv", Operation::Recv),
    operation("sleep", Operation::Sleep),
    calls_back("asr.object"),
    calls_back("asr.handler"),
    calls_back("asr.report"),
    calls_back("asr.check"),
    calls_back("asr.stats"),
];

/// The native of this full name.
pub fn by_name(name: &str) -> Option<NativeId> {
    TABLE
        .iter()
        .position(|n| n.name == name)
        .map(|at| NativeId(at as u32))
}

/// What is known about a native.
pub fn get(id: NativeId) -> &'static Native {
    &TABLE[id.0 as usize]
}

/// The number by which the library runs a native.
pub fn number(id: NativeId) -> u32 {
    asr_value::natives::by_name(get(id).name).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_every_native() {
        for native in TABLE.iter().filter(|n| n.op.is_none()) {
            assert!(
                asr_value::natives::by_name(native.name).is_some(),
                "{}",
                native.name
            );
        }
    }
}
