//! What loading code asks of the runtime, through the rows of the core.

#![allow(unsafe_code, reason = "hands raw records and handlers to the runtime")]

use asr_abi::{CodeRecord, StartHandler, status};
use asr_codegen::jit;

use super::native;

/// The runtime of this process.
pub(super) struct Runtime;

impl Runtime {
    /// Call a row of the core that gives nothing but a status.
    pub(super) fn ask(self, row: &str, args: &[u64]) -> u32 {
        let symbol = format!("asr_i_{row}");
        let code = asr_rt::symbols()
            .into_iter()
            .find(|(name, _)| *name == symbol);
        let (Some((_, code)), Some(row)) = (code, asr_intrinsics::CORE.row(row)) else {
            return status::BAD_ARGUMENT;
        };
        let th = asr_rt::kernel::thread::adopt_ptr();
        // SAFETY: the symbol implements the row, the state is this thread's, and the callers below
        // pass what the rows ask for.
        let ret = unsafe { native::call_row(th, row, None, code, args) };
        ret.map_or(status::BAD_ARGUMENT, |ret| ret.status as u32)
    }
}

impl jit::Registry for Runtime {
    fn register(&self, record: *const CodeRecord) -> u32 {
        Runtime.ask("code_register", &[record.expose_provenance() as u64])
    }

    fn unregister(&self, record: *const CodeRecord) -> u32 {
        Runtime.ask("code_unregister", &[record.expose_provenance() as u64])
    }

    fn handler(&self, handler: &StartHandler) -> u32 {
        let code = handler.handler.expose_provenance() as u64;
        Runtime.ask(
            "handler_register",
            &[handler.type_id, code, handler.bound_ns],
        )
    }
}
