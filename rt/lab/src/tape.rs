//! The sink of a lab: gives events their causes, numbers and logical times, shows each to the
//! oracles, and keeps it if the trace is captured.
//!
//! The lab is one thread, so the lock is never waited for; it is there because wakers may be used
//! from other threads by a test.

use std::fmt;

use asr_lock::{Mutex, rank};
use asr_trace::{ClockMode, Draft, Dropped, Event, LamportClock, Log, Sink};

use crate::config::LabConfig;
use crate::futurelock::{Idle, Watch};
use crate::link::Linker;
use crate::oracle::{Finding, Oracles};

/// See the module.
pub(crate) struct Tape {
    inner: Mutex<Inner, rank::LabTape>,
}

struct Inner {
    linker: Linker,
    clock: LamportClock,
    oracles: Oracles,
    events: Vec<Event>,
    idle: Watch,
    keep: bool,
    next: u64,
    found: Option<Finding>,
}

impl Tape {
    /// An empty tape.
    pub(crate) fn new(config: &LabConfig, oracles: Oracles) -> Tape {
        Tape {
            inner: Mutex::new(Inner {
                linker: Linker::new(),
                clock: LamportClock::new(),
                oracles,
                events: Vec::new(),
                keep: config.capture_trace,
                idle: Watch::new(config.futurelock_max_idle_steps),
                next: 1,
                found: None,
            }),
        }
    }

    /// What is kept, which is then forgotten here.
    pub(crate) fn take(&self) -> Log {
        log(std::mem::take(&mut self.inner.lock().events))
    }

    /// What is kept.
    pub(crate) fn copy(&self) -> Log {
        log(self.inner.lock().events.clone())
    }

    /// A step ended: who holds something and was not polled for too long.
    pub(crate) fn stepped(&self, step: u64) -> Vec<Idle> {
        self.inner.lock().idle.step(step)
    }

    /// The first violation, once.
    pub(crate) fn found(&self) -> Option<Finding> {
        self.inner.lock().found.take()
    }
}

fn log(events: Vec<Event>) -> Log {
    Log {
        events,
        clock: ClockMode::Lamport,
        dropped: Dropped::default(),
    }
}

impl Sink for Tape {
    fn emit(&self, draft: Draft) -> u64 {
        let inner = &mut *self.inner.lock();
        let seq = inner.next;
        inner.next += 1;
        let draft = inner.linker.link(draft, seq);
        let event = draft.event(seq, inner.clock.tick(seq, &draft));
        inner.idle.event(&event);
        if inner.keep {
            inner.events.push(event);
        }
        if inner.found.is_none() {
            inner.found = inner.oracles.step(&event).err();
        }
        seq
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").finish_non_exhaustive()
    }
}
