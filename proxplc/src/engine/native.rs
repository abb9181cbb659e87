//! Calling machine code whose signature is known only at run time.
//!
//! Integers and addresses go into the integer registers and then onto the stack, doubles into the
//! float registers, each in their order; how the two are mixed in a signature makes no difference
//! on x86-64 and AArch64. So one Rust signature with enough of both calls every function of the
//! runtime: what the callee does not ask for, it does not read.

#![allow(unsafe_code, reason = "calls addresses of machine code")]

use asr_abi::{Ret, Thread};
use asr_intrinsics::{Row, Ty};

/// Integer arguments behind `th`.
const INTS: usize = 8;
/// Float arguments.
const FLOATS: usize = 4;

type Code = unsafe extern "C" fn(
    *const Thread,
    u64,
    u64,
    u64,
    u64,
    u64,
    u64,
    u64,
    u64,
    f64,
    f64,
    f64,
    f64,
) -> Ret;

/// Call the implementation of `row` at `code`, with an op slot if it may wait. `None` if the row
/// has too many parameters.
///
/// # Safety
/// `code` implements `row` in this process, `th` is the state of the calling thread, and `args` are
/// words that the row accepts.
pub(super) unsafe fn call_row(
    th: *const Thread,
    row: &Row,
    slot: Option<u64>,
    code: *const u8,
    args: &[u64],
) -> Option<Ret> {
    let floats = row.params.iter().map(|p| p.ty == Ty::F64);
    let slot = slot.map(|slot| (false, slot)).into_iter();
    // SAFETY: forwarded; the classes of the arguments are those of the row.
    unsafe { call(th, code, slot.chain(floats.zip(args.iter().copied()))) }
}

/// Call a function of the program's convention at `code`: all arguments are words.
///
/// # Safety
/// `code` is a function of that convention with at most as many parameters as `args`.
pub(super) unsafe fn call_words(th: *const Thread, code: *const u8, args: &[u64]) -> Option<Ret> {
    // SAFETY: forwarded.
    unsafe { call(th, code, args.iter().map(|arg| (false, *arg))) }
}

/// # Safety
/// `code` returns a `Ret`, and its arguments have these classes (`true`: a double).
unsafe fn call(
    th: *const Thread,
    code: *const u8,
    args: impl Iterator<Item = (bool, u64)>,
) -> Option<Ret> {
    let (mut ints, mut floats) = ([0; INTS], [0.0; FLOATS]);
    let (mut next_int, mut next_float) = (ints.iter_mut(), floats.iter_mut());
    for (is_float, bits) in args {
        if is_float {
            *next_float.next()? = f64::from_bits(bits);
        } else {
            *next_int.next()? = bits;
        }
    }
    // SAFETY: the caller promises that `code` is a function; reading fewer arguments than were
    // passed is defined by both calling conventions.
    let function = unsafe { std::mem::transmute::<*const u8, Code>(code) };
    let [a, b, c, d, e, f, g, h] = ints;
    let [w, x, y, z] = floats;
    // SAFETY: as above; the words are what the function accepts, by the caller's promise.
    Some(unsafe { function(th, a, b, c, d, e, f, g, h, w, x, y, z) })
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" fn mixed(_: *const Thread, a: u32, x: f64, b: u64, y: f64, c: bool) -> Ret {
        let value = (x - y).to_bits();
        Ret {
            value,
            status: u64::from(a) + b + u64::from(c),
        }
    }

    #[test]
    fn integers_and_doubles_find_their_registers() {
        let code = mixed as *const () as *const u8;
        let words = [
            (false, 1),
            (true, 2.5_f64.to_bits()),
            (false, 20),
            (true, 0.5_f64.to_bits()),
            (false, 1),
        ];
        // SAFETY: the classes are those of `mixed`.
        let ret = unsafe { call(std::ptr::null(), code, words.into_iter()) };
        let ret = ret.map(|r| (f64::from_bits(r.value), r.status));
        assert_eq!(ret, Some((2.0, 22)));
        let many = std::iter::repeat_n((false, 0), INTS + 1);
        // SAFETY: nothing is called when there are too many.
        let ret = unsafe { call(std::ptr::null(), code, many) };
        assert!(ret.is_none());
    }
}
