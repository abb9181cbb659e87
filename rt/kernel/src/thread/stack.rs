//! The limit of the native stack (rule ABI-45).
//!
//! Compiled functions on call-graph cycles compare the stack pointer with `Thread::stack_limit`:
//! the lowest address of the stack, plus a reserve for the runtime and for acyclic compiled code
//! below the last compare.
#![allow(unsafe_code, reason = "asks the C library for the bounds of the stack")]

/// What the runtime itself needs below any compare.
pub const RESERVE: usize = 64 << 10;

/// Allowance for the deepest acyclic compiled code; callers that know better give their own.
pub const DEFAULT_ACYCLIC_DEPTH: usize = 64 << 10;

/// The limit for the calling thread's stack, with `acyclic` bytes for acyclic compiled code. 0, no
/// limit, when the bounds cannot be found.
pub fn limit(acyclic: usize) -> usize {
    lowest().map_or(0, |low| low.saturating_add(RESERVE).saturating_add(acyclic))
}

/// The lowest usable address of the calling thread's stack.
fn lowest() -> Option<usize> {
    // SAFETY: the attribute object is initialized by `pthread_getattr_np` before it is read, and
    // destroyed once.
    unsafe {
        let mut attr = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
        if libc::pthread_getattr_np(libc::pthread_self(), attr.as_mut_ptr()) != 0 {
            return None;
        }
        let mut attr = attr.assume_init();
        let (mut low, mut size, mut guard) = (std::ptr::null_mut(), 0usize, 0usize);
        let found = libc::pthread_attr_getstack(&attr, &mut low, &mut size) == 0
            && libc::pthread_attr_getguardsize(&attr, &mut guard) == 0;
        libc::pthread_attr_destroy(&mut attr);
        found.then_some(low as usize + guard)
    }
}
