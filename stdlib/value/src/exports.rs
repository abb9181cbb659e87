//! The symbols of the rows.
#![allow(unsafe_code, reason = "exports symbols")]

/// `asr_i_<row>`, for compiled code.
mod compiled {
    use crate::rows;
    crate::value_table!(asr_intrinsics::export_compiled, rows);
}

/// `asr_<row>`, for C.
mod c {
    use crate::rows;
    use asr_kernel::thread::adopt_ptr;
    crate::value_table!(asr_intrinsics::export_c, rows, adopt_ptr);
}

/// Symbols of the table that compiled code may use, for the JIT.
pub fn symbols() -> Vec<(&'static str, *const u8)> {
    crate::value_table!(asr_intrinsics::symbols, compiled).to_vec()
}
