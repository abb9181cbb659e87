//! An intrinsic table for filetests: rows with effects that the core has not, so that the verifier,
//! the probe pass and the lowering meet each effect. `src/stub/stub.c` answers them.

/// Hands the rows to a macro, after the given arguments.
#[macro_export]
macro_rules! filetest_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// The address of 64 zeroed bytes, the same ones each time.
        test_alloc(size: i64) -> ptr, fails [], does [Allocates];
        /// `x + 1`, as if after a wait.
        test_park(x: i64) -> i64, fails [], does [Parks];
        /// Refuses with the status given and `10 * status` handed back; 0 is OK.
        test_refuse(status: i64) -> i64, fails [CLOSED BUSY], does [];
        /// `a + b + c + d`, and 1 more if `e`: a parameter of each kind.
        test_kinds(a: i32, b: u32, c: i64, d: f64, e: bool) -> f64, fails [], does [];
        /// Waits `times` times, then gives `x`; a negative number refuses with that status.
        test_wait(times: i64, x: i64) -> i64, fails [CANCELLED CLOSED BUSY], does [CancelPoint],
            slot 64;
        /// The address behind a handle.
        test_borrow(handle: u64) -> ptr, fails [], does [Borrows];
        /// `v` again.
        test_word(v: value) -> value, fails [], does [];
    } };
}

/// The table as data.
pub const TABLE: asr_intrinsics::Table = crate::filetest_table!(asr_intrinsics::rows, "filetest");
