//! CPU time of this process: what others do on the machine does not count.
#![allow(unsafe_code, reason = "asks the system for a clock")]

use std::time::{Duration, Instant};

/// CPU time used by all threads of this process so far.
fn cpu() -> Duration {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure is ours to write; the clock exists on every Linux.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    assert_eq!(status, 0);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// When a measure began.
pub(crate) enum Start {
    Cpu(Duration),
    Wall(Instant),
}

impl Start {
    pub(crate) fn now() -> Start {
        match std::env::var_os("ASR_BENCH_WALL") {
            Some(_) => Start::Wall(Instant::now()),
            None => Start::Cpu(cpu()),
        }
    }

    pub(crate) fn elapsed(self) -> Duration {
        match self {
            Start::Cpu(start) => cpu() - start,
            Start::Wall(start) => start.elapsed(),
        }
    }
}
