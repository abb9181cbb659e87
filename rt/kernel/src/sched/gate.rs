//! What a thread sleeps in that waits for nothing but wakes and time: no descriptor, so none that
//! the system could refuse.
//!
//! A wake sets the flag under the lock, and who waits looks at it under the lock before it sleeps:
//! so a wake that comes first ends the wait that follows.

use std::time::Duration;

use asr_lock::{Condvar, Mutex, rank};

use super::park::Wait;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Gate {
    woken: Mutex<bool, rank::SchedGate>,
    changed: Condvar,
}

impl Wait for Gate {
    fn wait(&self, limit: Option<Duration>) {
        let mut woken = self.woken.lock();
        if !*woken {
            match limit {
                None => self.changed.wait(&mut woken),
                Some(limit) => _ = self.changed.wait_for(&mut woken, limit),
            }
        }
        *woken = false;
    }

    fn wake(&self) {
        *self.woken.lock() = true;
        self.changed.notify_one();
    }
}
