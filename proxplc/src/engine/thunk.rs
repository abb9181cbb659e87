//! Addresses for functions that are evaluated, so that the runtime can call them like machine code.
//!
//! Each of the thunks is a function of its own; it finds the evaluation that is running on this
//! thread and enters it with its number and its arguments. An address is given out once per
//! function of the program; there are [`MAX`].

#![allow(
    unsafe_code,
    reason = "reaches the evaluation that waits below on this thread's stack"
)]

use std::cell::Cell;

use asr_abi::{Ret, Thread};

/// Words that a thunk hands on; what the function does not take is dropped.
const WORDS: usize = 7;
/// Functions of one program that may have an address.
pub(super) const MAX: usize = 256;

type Thunk = extern "C" fn(*const Thread, u64, u64, u64, u64, u64, u64, u64) -> Ret;

/// What a thunk enters: the evaluation behind `target` with the number of the thunk.
#[derive(Clone, Copy)]
pub(super) struct Active {
    pub(super) target: *mut (),
    pub(super) enter: unsafe fn(*mut (), usize, &[u64; WORDS]) -> Ret,
}

thread_local! {
    static ACTIVE: Cell<Option<Active>> = const { Cell::new(None) };
}

/// Make `active` what thunks enter while `inside` runs.
pub(super) fn with<R>(active: Active, inside: impl FnOnce() -> R) -> R {
    let outer = ACTIVE.replace(Some(active));
    let result = inside();
    ACTIVE.set(outer);
    result
}

/// What thunks enter now, on this thread.
pub(super) fn target() -> Option<*mut ()> {
    ACTIVE.get().map(|active| active.target)
}

/// The address of a thunk.
pub(super) fn address(number: usize) -> u64 {
    TABLE[number] as *const () as u64
}

/// The number of the thunk at an address.
pub(super) fn number(address: u64) -> Option<usize> {
    TABLE
        .iter()
        .position(|thunk| *thunk as *const () as u64 == address)
}

fn enter(number: usize, words: &[u64; WORDS]) -> Ret {
    match ACTIVE.get() {
        // SAFETY: `with` is running on this thread with this target, further down the stack, and
        // the target stays in place until it has returned.
        Some(active) => unsafe { (active.enter)(active.target, number, words) },
        // An address that outlived its evaluation: the runtime is shutting down.
        None => Ret {
            value: 0,
            status: asr_abi::status::CANCELLED.into(),
        },
    }
}

extern "C" fn thunk<const N: usize>(
    _: *const Thread,
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: u64,
) -> Ret {
    enter(N, &[a, b, c, d, e, f, g])
}

macro_rules! row {
    ($($high:literal)*) => {
        [$(
            thunk::<{ $high * 16 }>, thunk::<{ $high * 16 + 1 }>, thunk::<{ $high * 16 + 2 }>,
            thunk::<{ $high * 16 + 3 }>, thunk::<{ $high * 16 + 4 }>, thunk::<{ $high * 16 + 5 }>,
            thunk::<{ $high * 16 + 6 }>, thunk::<{ $high * 16 + 7 }>, thunk::<{ $high * 16 + 8 }>,
            thunk::<{ $high * 16 + 9 }>, thunk::<{ $high * 16 + 10 }>,
            thunk::<{ $high * 16 + 11 }>, thunk::<{ $high * 16 + 12 }>,
            thunk::<{ $high * 16 + 13 }>, thunk::<{ $high * 16 + 14 }>,
            thunk::<{ $high * 16 + 15 }>,
        )*]
    };
}

static TABLE: [Thunk; MAX] = row!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thunk_has_an_address_of_its_own() {
        for n in 0..MAX {
            assert_eq!(number(address(n)), Some(n));
        }
    }

    #[test]
    fn a_thunk_enters_what_is_active() {
        unsafe fn note(target: *mut (), number: usize, words: &[u64; WORDS]) -> Ret {
            // SAFETY: the target below is this integer.
            unsafe { *target.cast::<u64>() += words[1] };
            Ret {
                value: number as u64,
                status: 0,
            }
        }
        let mut sum = 1_u64;
        let active = Active {
            target: (&raw mut sum).cast(),
            enter: note,
        };
        let ret = with(active, || TABLE[7](std::ptr::null(), 0, 41, 0, 0, 0, 0, 0));
        assert_eq!((ret.value, sum), (7, 42));
        assert_eq!(TABLE[7](std::ptr::null(), 0, 0, 0, 0, 0, 0, 0).status, 3);
    }
}
