//! One small table, expanded in every way: data, functions for compiled code and for C, symbols.
#![allow(unsafe_code, reason = "defines and calls exported functions")]

use asr_intrinsics::{Effect, Refusal, Ret, Table, Thread, Ty};

macro_rules! sample_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// Adds.
        sample_add(a: i64, b: i64) -> i64, fails [], does [];
        /// Refuses to halve an odd number, and hands it back.
        sample_halve(n: u64) -> u64, fails [BAD_ARGUMENT], does [];
        /// Half of a double.
        sample_half(x: f64) -> f64, fails [], does [];
        /// Does nothing, but may be cancelled.
        sample_nop() -> unit, fails [CANCELLED], does [CancelPoint];
    } };
}

const SAMPLE: Table = sample_table!(asr_intrinsics::rows, "sample");

mod imp {
    use super::*;
    pub(super) unsafe fn sample_add(_: *const Thread, a: i64, b: i64) -> i64 {
        a + b
    }
    pub(super) unsafe fn sample_halve(_: *const Thread, n: u64) -> Result<u64, Refusal> {
        if n.is_multiple_of(2) {
            Ok(n / 2)
        } else {
            Err(Refusal {
                status: 28,
                value: n,
            })
        }
    }
    pub(super) unsafe fn sample_half(_: *const Thread, x: f64) -> f64 {
        x / 2.0
    }
    pub(super) unsafe fn sample_nop(_: *const Thread) -> Result<(), Refusal> {
        Ok(())
    }
}

fn no_thread() -> *const Thread {
    std::ptr::null()
}

mod compiled {
    use super::imp;
    sample_table!(asr_intrinsics::export_compiled, imp);
}

mod c {
    use super::{imp, no_thread};
    sample_table!(asr_intrinsics::export_c, imp, no_thread);
}

#[test]
fn rows_are_data() {
    assert_eq!(SAMPLE.name, "sample");
    let row = SAMPLE.row("sample_halve").unwrap();
    assert_eq!(
        (row.params[0].name, row.params[0].ty, row.result),
        ("n", Ty::U64, Ty::U64)
    );
    assert!(row.can_fail());
    assert_eq!(row.compiled_symbol(), "asr_i_sample_halve");
    assert_eq!(row.c_symbol(), "asr_sample_halve");
    assert!(SAMPLE.row("sample_nop").unwrap().has(Effect::CancelPoint));
    assert!(!SAMPLE.row("sample_add").unwrap().can_fail());
}

#[test]
fn compiled_functions_answer_value_and_status() {
    let th = no_thread();
    // SAFETY: the implementations ignore the thread.
    let (sum, half, odd) = unsafe {
        (
            compiled::sample_add(th, 40, 2),
            compiled::sample_half(th, 3.0),
            compiled::sample_halve(th, 7),
        )
    };
    let pair = |ret: Ret| (ret.value, ret.status);
    assert_eq!(pair(sum), (42, 0));
    assert_eq!(pair(half), (1.5f64.to_bits(), 0));
    assert_eq!(pair(odd), (7, 28));
}

#[test]
fn c_functions_answer_status_and_write_the_value() {
    let mut out = 0u64;
    // SAFETY: `out` is valid for writing; the implementations ignore the thread.
    unsafe {
        assert_eq!(c::sample_halve(8, &mut out), 0);
        assert_eq!(out, 4);
        assert_eq!(c::sample_halve(8, std::ptr::null_mut()), 28);
        assert_eq!(c::sample_nop(), 0);
    }
}

#[test]
fn symbols_name_the_compiled_functions() {
    let symbols = sample_table!(asr_intrinsics::symbols, compiled);
    assert_eq!(symbols.len(), SAMPLE.rows.len());
    assert_eq!(symbols[0].0, "asr_i_sample_add");
    assert_eq!(symbols[0].1, compiled::sample_add as *const () as *const u8);
}

#[test]
fn abi_12_no_row_yields_a_reserved_name() {
    for row in asr_intrinsics::CORE.rows {
        assert!(
            !asr_intrinsics::RESERVED.contains(&row.c_symbol().as_str()),
            "{}",
            row.name
        );
    }
}
