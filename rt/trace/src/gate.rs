//! The switch in front of every emit site.
//!
//! Off, a site costs one relaxed load and one predictable branch (TRC-5): everything behind it is
//! in a cold function, and the draft is not even built. The load is relaxed because it orders
//! nothing: a site that sees an old value emits one event fewer or finds no sink, and the sink
//! itself is read under its own lock. That lock is only ever tried, so that no emit waits for a
//! change of sinks (TRC-4); sinks change before the start and after the end of a run.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use asr_lock::{RwLock, rank};

use crate::event::Draft;

/// Where events go.
pub trait Sink: Send + Sync {
    /// Takes an event and says its sequence number; 0 if it kept none.
    fn emit(&self, draft: Draft) -> u64;
}

/// What emit sites ask first.
#[derive(Default)]
pub struct Gate {
    on: AtomicBool,
    sink: RwLock<Option<Arc<dyn Sink>>, rank::TraceGate>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate::default()
    }

    /// Whether there is a sink.
    #[inline(always)]
    pub fn on(&self) -> bool {
        self.on.load(Relaxed)
    }

    /// Emits what `draft` builds if the gate is open; the sequence number, or 0.
    #[inline(always)]
    pub fn emit(&self, draft: impl FnOnce() -> Draft) -> u64 {
        if self.on() { self.open(draft) } else { 0 }
    }

    #[cold]
    #[inline(never)]
    fn open(&self, draft: impl FnOnce() -> Draft) -> u64 {
        match self.sink.try_read().as_deref() {
            Some(Some(sink)) => sink.emit(draft()),
            _ => 0,
        }
    }

    /// Opens the gate to this sink.
    pub fn set(&self, sink: Arc<dyn Sink>) {
        let before = self.sink.write().replace(sink);
        self.on.store(true, Relaxed);
        // Dropped after the lock: it may be anybody's.
        drop(before);
    }

    /// Closes the gate and gives its sink back.
    pub fn clear(&self) -> Option<Arc<dyn Sink>> {
        self.on.store(false, Relaxed);
        self.sink.write().take()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("on", &self.on())
            .finish_non_exhaustive()
    }
}
