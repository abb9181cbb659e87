//! CPU time of this thread: what others do on the machine does not count.
#![allow(unsafe_code, reason = "asks the system for a clock")]

use std::time::Duration;

/// CPU time used by this thread so far.
pub(crate) fn cpu() -> Duration {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure is ours to write; the clock exists on every Linux.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    assert_eq!(status, 0);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
