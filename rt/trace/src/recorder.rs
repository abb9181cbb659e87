//! A bounded sink in memory (TRC-4).
//!
//! Events go into shards, each with its own lock that is only ever tried: an emitter whose shard
//! is busy takes the next one. An event is lost, and counted, only if all are busy. The lab has
//! one shard and one thread; there the lock is waited for, because no semantic event may be lost.
//!
//! A shard keeps semantic events and sub-events in two rings, preallocated, that share one
//! capacity. When it is full, the oldest sub-event goes first; without one, the oldest semantic
//! event. In the lab nothing goes: the rings grow. [`Recorder::make_room`] lets the lab grow them
//! between steps, so that an emit itself allocates nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_base::Duration;
use asr_lock::{Mutex, MutexGuard, rank};

use crate::clock::{ClockMode, HybridClock, LamportClock};
use crate::event::{Draft, Event};
use crate::gate::Sink;
use crate::log::{Dropped, Log};

#[derive(Default)]
struct Shard {
    semantic: VecDeque<Event>,
    notes: VecDeque<Event>,
    dropped: Dropped,
}

impl Shard {
    fn with_capacity(capacity: usize) -> Shard {
        Shard {
            semantic: VecDeque::with_capacity(capacity),
            notes: VecDeque::with_capacity(capacity),
            dropped: Dropped::default(),
        }
    }

    fn push(&mut self, event: Event, capacity: usize, grow: bool) {
        if !grow && self.semantic.len() + self.notes.len() >= capacity {
            if self.notes.pop_front().is_some() {
                self.dropped.notes += 1;
            } else if !event.is_semantic() {
                self.dropped.notes += 1;
                return;
            } else if self.semantic.pop_front().is_some() {
                self.dropped.semantic += 1;
            }
        }
        if event.is_semantic() {
            self.semantic.push_back(event);
        } else {
            self.notes.push_back(event);
        }
    }
}

enum Clock {
    /// How the times are to be read: as they are, or derived from the causes.
    Lamport(LamportClock, ClockMode),
    Hybrid(Arc<HybridClock>, Duration),
}

/// Keeps the last events of a run, or in the lab all of them.
pub struct Recorder {
    shards: Vec<Mutex<Shard, rank::TraceShard>>,
    capacity: usize,
    grow: bool,
    clock: Clock,
    seq: AtomicU64,
    lost_semantic: AtomicU64,
    lost_notes: AtomicU64,
}

impl Recorder {
    /// Shards of a recorder for many threads.
    pub const SHARDS: usize = 16;

    /// For many threads: room for about `capacity` events in each shard.
    pub fn new(capacity: usize) -> Recorder {
        Recorder::build(Recorder::SHARDS, capacity, false)
    }

    /// For one thread: room for exactly `capacity` events, then the oldest are dropped.
    pub fn single(capacity: usize) -> Recorder {
        Recorder::build(1, capacity, false)
    }

    /// For the lab: one shard, which grows rather than drop an event.
    pub fn lab(capacity: usize) -> Recorder {
        Recorder::build(1, capacity, true)
    }

    fn build(shards: usize, capacity: usize, grow: bool) -> Recorder {
        let capacity = capacity.max(1);
        Recorder {
            shards: (0..shards)
                .map(|_| Mutex::new(Shard::with_capacity(capacity)))
                .collect(),
            capacity,
            grow,
            clock: Clock::Lamport(LamportClock::new(), ClockMode::Lamport),
            seq: AtomicU64::new(0),
            lost_semantic: AtomicU64::new(0),
            lost_notes: AtomicU64::new(0),
        }
    }

    /// With a hybrid clock, which the node's messages move as well. `start` is the wall-clock time
    /// at time zero: physical time is that plus the monotone time of each event.
    #[must_use]
    pub fn hybrid(mut self, clock: Arc<HybridClock>, start: Duration) -> Recorder {
        self.clock = Clock::Hybrid(clock, start);
        self
    }

    /// For vector times: they are derived from the causes of the finished trace
    /// ([`HappensBefore`](crate::HappensBefore)), and until then the times are Lamport's.
    #[must_use]
    pub fn vector(mut self) -> Recorder {
        self.clock = Clock::Lamport(LamportClock::new(), ClockMode::Vector);
        self
    }

    /// Makes room for so many events more, where the recorder may grow.
    pub fn make_room(&self, events: usize) {
        if self.grow {
            for shard in &self.shards {
                let mut shard = shard.lock();
                shard.semantic.reserve(events);
                shard.notes.reserve(events);
            }
        }
    }

    /// What was recorded since the last `take`, by sequence number; the recorder goes on.
    pub fn take(&self) -> Log {
        let mut events = Vec::new();
        let mut dropped = Dropped {
            semantic: self.lost_semantic.swap(0, Relaxed),
            notes: self.lost_notes.swap(0, Relaxed),
        };
        for shard in &self.shards {
            let mut shard = shard.lock();
            let Shard {
                semantic, notes, ..
            } = &mut *shard;
            events.extend(semantic.drain(..));
            events.extend(notes.drain(..));
            dropped.add(std::mem::take(&mut shard.dropped));
        }
        events.sort_unstable_by_key(|event| event.seq);
        Log {
            events,
            clock: match self.clock {
                Clock::Lamport(_, mode) => mode,
                Clock::Hybrid(..) => ClockMode::Hybrid,
            },
            dropped,
        }
    }

    fn shard(&self, seq: u64) -> Option<MutexGuard<'_, Shard, rank::TraceShard>> {
        if self.grow {
            return Some(self.shards[0].lock());
        }
        let count = self.shards.len();
        let first = (seq % count as u64) as usize;
        (0..count).find_map(|i| self.shards[(first + i) % count].try_lock())
    }
}

impl Sink for Recorder {
    /// The relaxed count only has to give each event its own number. That an effect has a larger
    /// one than its cause follows from how the cause's number got here: the emitter read it, and
    /// a later change of the same counter comes later in its order.
    fn emit(&self, draft: Draft) -> u64 {
        let seq = self.seq.fetch_add(1, Relaxed) + 1;
        let logical = match &self.clock {
            Clock::Lamport(clock, _) => clock.tick(seq, &draft),
            Clock::Hybrid(clock, start) => {
                let running = Duration::from_nanos(draft.time.as_nanos());
                clock.tick(start.saturating_add(running)).to_bits()
            }
        };
        let event = draft.event(seq, logical);
        match self.shard(seq) {
            Some(mut shard) => shard.push(event, self.capacity, self.grow),
            None if event.is_semantic() => drop(self.lost_semantic.fetch_add(1, Relaxed)),
            None => drop(self.lost_notes.fetch_add(1, Relaxed)),
        }
        seq
    }
}
