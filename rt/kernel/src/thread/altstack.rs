//! The alternate stack on which signals of a thread run (rule ABI-25): a fault near the end of the
//! native stack could not be reported on the stack itself.
#![allow(unsafe_code, reason = "maps a stack and tells the system about it")]

use std::ptr;

/// Bytes of the stack: enough for a vector register dump of the system and for our handler.
const SIZE: usize = 64 << 10;

/// The alternate stack of one thread, if this crate made it.
pub(super) struct AltStack {
    base: *mut libc::c_void,
}

impl AltStack {
    /// Gives the calling thread an alternate stack unless it has one.
    pub(super) fn install() -> AltStack {
        // SAFETY: plain system calls; the mapping is fresh and only the kernel uses it until
        // `drop` disables it.
        unsafe {
            let mut found: libc::stack_t = std::mem::zeroed();
            let none = AltStack {
                base: ptr::null_mut(),
            };
            if libc::sigaltstack(ptr::null(), &mut found) != 0
                || found.ss_flags & libc::SS_DISABLE == 0
            {
                return none;
            }
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let base = libc::mmap(ptr::null_mut(), SIZE, protection, flags, -1, 0);
            if base == libc::MAP_FAILED {
                return none;
            }
            let stack = libc::stack_t {
                ss_sp: base,
                ss_flags: 0,
                ss_size: SIZE,
            };
            if libc::sigaltstack(&stack, ptr::null_mut()) != 0 {
                libc::munmap(base, SIZE);
                return none;
            }
            AltStack { base }
        }
    }
}

impl Drop for AltStack {
    fn drop(&mut self) {
        if self.base.is_null() {
            return;
        }
        // SAFETY: made by `install` on this thread, which ends; disabled before it is unmapped.
        unsafe {
            let mut stack: libc::stack_t = std::mem::zeroed();
            stack.ss_flags = libc::SS_DISABLE;
            libc::sigaltstack(&stack, ptr::null_mut());
            libc::munmap(self.base, SIZE);
        }
    }
}
