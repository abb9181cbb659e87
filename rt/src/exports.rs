//! The symbols of the core's rows.
#![allow(unsafe_code, reason = "exports symbols")]

/// `asr_i_<row>`, for compiled code.
mod compiled {
    use crate::rows;
    asr_intrinsics::core_table!(asr_intrinsics::export_compiled, rows);
}

/// `asr_<row>`, for C.
mod c {
    use crate::rows::{self, current};
    asr_intrinsics::core_table!(asr_intrinsics::export_c, rows, current);
}

/// Symbols of the core that compiled code may use, for the JIT: the rows and the checkpoint.
pub fn symbols() -> Vec<(&'static str, *const u8)> {
    let rows = asr_intrinsics::core_table!(asr_intrinsics::symbols, compiled);
    let mut all = rows.to_vec();
    all.push((
        "asr_checkpoint",
        crate::c_api::asr_checkpoint as *const () as *const u8,
    ));
    all
}
