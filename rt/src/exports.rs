//! The symbols of the rows.
#![allow(unsafe_code, reason = "exports symbols")]

/// `asr_i_<row>`, for compiled code.
mod compiled {
    pub(super) mod core {
        use crate::rows::core;
        asr_intrinsics::core_table!(asr_intrinsics::export_compiled, core);
    }
    pub(super) mod tasks {
        use crate::rows::tasks;
        asr_intrinsics::tasks_table!(asr_intrinsics::export_compiled, tasks);
    }
    pub(super) mod sync {
        use crate::rows::sync;
        asr_intrinsics::sync_table!(asr_intrinsics::export_compiled, sync);
    }
}

/// `asr_<row>`, for C.
mod c {
    pub(super) mod core {
        use crate::rows::{core, thread};
        asr_intrinsics::core_table!(asr_intrinsics::export_c, core, thread);
    }
    pub(super) mod tasks {
        use crate::rows::{tasks, thread};
        asr_intrinsics::tasks_table!(asr_intrinsics::export_c, tasks, thread);
    }
    pub(super) mod sync {
        use crate::rows::{sync, thread};
        asr_intrinsics::sync_table!(asr_intrinsics::export_c, sync, thread);
    }
}

/// Symbols that compiled code may use, for the JIT: the rows of the runtime's tables, the
/// checkpoint, and what is called about frames.
pub fn symbols() -> Vec<(&'static str, *const u8)> {
    use compiled::{core, sync, tasks};
    let mut all = asr_intrinsics::core_table!(asr_intrinsics::symbols, core).to_vec();
    all.extend(asr_intrinsics::tasks_table!(asr_intrinsics::symbols, tasks));
    all.extend(asr_intrinsics::sync_table!(asr_intrinsics::symbols, sync));
    all.extend(crate::frames::symbols());
    all.push((
        "asr_checkpoint",
        crate::c_api::asr_checkpoint as *const () as *const u8,
    ));
    all
}
