//! Sleeping with a permit (SCH-20), and the eventfd to sleep on.
//!
//! Invariants
//! 1. A permit is one state of one word: it does not add up. An unpark that comes first makes the
//!    next park return at once.
//! 2. Only the owner parks, and only it leaves `PARKED` for `EMPTY`. Whoever takes the word out of
//!    `PARKED` wakes; so there is one system call per sleep at most, and none for somebody awake.
//! 3. A wake may come after the sleep it was meant for (its limit passed): the next sleep returns
//!    at once, without a permit. Callers look at their queues after every return.
#![allow(unsafe_code, reason = "sleeps in system calls")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use crate::sync::atomic::{AtomicU32, Ordering::*};

/// What a thread sleeps in: here an eventfd, later the turn of a reactor (SCH-24).
pub trait Wait: Send + Sync {
    /// Sleeps until a wake or until `limit` has passed. May return earlier.
    fn wait(&self, limit: Option<Duration>);

    /// Ends a wait: the present one, or the next if there is none.
    fn wake(&self);
}

impl Wait for Box<dyn Wait> {
    fn wait(&self, limit: Option<Duration>) {
        (**self).wait(limit);
    }

    fn wake(&self) {
        (**self).wake();
    }
}

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const NOTIFIED: u32 = 2;

/// The permit of one thread. See the module.
#[derive(Debug)]
pub struct Parker<W> {
    state: AtomicU32,
    wait: W,
}

impl<W: Wait> Parker<W> {
    /// No permit.
    pub fn new(wait: W) -> Parker<W> {
        Parker {
            state: AtomicU32::new(EMPTY),
            wait,
        }
    }

    /// Sleeps until an unpark or until `limit` has passed. True if it took a permit. Only for the
    /// one thread that owns this.
    pub fn park(&self, limit: Option<Duration>) -> bool {
        // Acquire, here and below: what was written before the unpark is seen after the park.
        let parked = self.state.compare_exchange(EMPTY, PARKED, Acquire, Acquire);
        if parked.is_ok() {
            self.wait.wait(limit);
        }
        // A swap, not a store: a second unpark may have come meanwhile, and its writes belong to
        // the permit that is taken here.
        self.state.swap(EMPTY, Acquire) == NOTIFIED
    }

    /// Gives the permit; wakes the owner if it sleeps. True if it did.
    pub fn unpark(&self) -> bool {
        // Release pairs with the Acquire in `park`.
        let wakes = self.state.swap(NOTIFIED, Release) == PARKED;
        if wakes {
            self.wait.wake();
        }
        wakes
    }
}

/// Lets the sleeps of this thread end when they should. The system may let a thread sleep 50 us
/// longer than it asked, to save wakes; a driver that owes somebody a timer has asked for that one.
pub fn wake_in_time() {
    // SAFETY: no pointers. A failure leaves timers late, as they were.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong) };
}

/// A counter of the kernel that is readable once somebody woke.
#[derive(Debug)]
pub struct EventFd(OwnedFd);

impl EventFd {
    /// A new one.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<EventFd> {
        // SAFETY: no pointers; the result is checked.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just opened, and nobody else has it.
        Ok(EventFd(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// True if somebody woke before the limit passed, or a signal came.
    fn readable_within(&self, limit: Duration) -> bool {
        let mut poll = libc::pollfd {
            fd: self.0.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let seconds = libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX);
        let limit = libc::timespec {
            tv_sec: seconds,
            tv_nsec: libc::c_long::from(limit.subsec_nanos() as i32),
        };
        // SAFETY: one descriptor that is ours, a limit and no signal mask.
        let ready = unsafe { libc::ppoll(&mut poll, 1, &limit, std::ptr::null()) };
        ready == 1
    }
}

impl Wait for EventFd {
    fn wait(&self, limit: Option<Duration>) {
        if limit.is_some_and(|limit| !self.readable_within(limit)) {
            return;
        }
        let mut count = [0; 8];
        // Sleeps until the counter is not 0 and sets it to 0; a signal ends it as well, which is
        // a return without a permit.
        // SAFETY: eight bytes of ours.
        let _ = unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), 8) };
    }

    fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // Cannot fail: the counter is far from its end, because each sleep sets it to 0.
        // SAFETY: eight bytes of ours.
        let _ = unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), 8) };
    }
}
