//! Processor time.
#![allow(unsafe_code, reason = "calls clock_gettime")]

/// Processor time of this process in seconds.
pub(crate) fn cpu_seconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` may be written. A failure leaves the zeros.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
