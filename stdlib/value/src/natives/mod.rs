//! Natives: the functions of the library, by number and by name.
//!
//! Natives take any number of arguments and do not throw for wrong ones (but `asr.*`): they answer
//! the fallback that the language defines.

use asr_abi::Thread;

use crate::error::{Res, message};
use crate::heap::Heap;
use crate::word::Value;

mod core;
mod hash;
mod heal;
mod io;
mod list;
mod number;
pub(crate) mod random;
mod search;
mod string;
mod sys;
mod table;

pub(crate) use heal::{is_sound, type_id};
pub use table::TABLE;

/// What a native works on.
pub struct Cx<'a> {
    /// The calling thread.
    pub th: &'a Thread,
    /// Its heap.
    pub heap: &'a Heap,
}

/// A native.
pub type Run = fn(&Cx<'_>, &[Value]) -> Res;

/// A row of the table of natives.
pub struct Native {
    /// Full name: `len`, `std.core.typeOf`.
    pub name: &'static str,
    /// What it does.
    pub run: Run,
}

/// The number of the native of this full name.
pub fn by_name(name: &str) -> Option<u32> {
    TABLE
        .iter()
        .position(|native| native.name == name)
        .map(|at| at as u32)
}

/// Calls a native.
///
/// # Errors
/// Out of memory; the messages of `asr.*`.
pub fn call(cx: &Cx<'_>, id: u32, args: &[Value]) -> Res {
    match TABLE.get(id as usize) {
        Some(native) => (native.run)(cx, args),
        None => Err(cx.heap.thrown(message::INTERNAL)),
    }
}

/// The bytes of a string argument.
fn text<'h>(args: &[Value], at: usize) -> Option<&'h [u8]> {
    args.get(at)?.as_str().map(|s| s.bytes())
}

/// A number argument.
fn num(args: &[Value], at: usize) -> Option<f64> {
    args.get(at)?.as_number()
}
