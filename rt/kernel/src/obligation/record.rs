//! Records of tokens, found by id without a lock that regions share (OBL-23).
//!
//! Invariants
//! 1. A record keeps its place. It is on the free list or belongs to one token; the generation
//!    grows each time it is handed out, so an id names one token for ever (VAL-28).
//! 2. The last record freed is handed out first (VAL-30); one whose generation reached its end is
//!    never handed out again (VAL-29).
//! 3. The body is under the lock of the record alone. Under it the lock of one list of tokens, or
//!    of one region, may be taken; never the other way.
//! 4. `position` is where the id stands in the list of its holder, and is written under the lock of
//!    that list.
//!
//! The free list is a stack linked through the records. Its head counts how often it changed, so a
//! head that was popped and pushed again in between is told from one that stayed.

use std::panic::Location;
use std::sync::OnceLock;

use asr_base::{ObligationId, Time};

use super::cause::AbortCause;
use super::place::Place;
use crate::kernel::Counter;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};
use crate::sync::{Mutex, MutexGuard, lock, rank};

/// What gives up the thing behind a token that nobody resolved.
pub type ImplicitAbort = Box<dyn FnOnce(AbortCause) + Send>;

/// How far a token is (OBL-2). Committed and aborted are both final, and differ in the marking
/// only. A record on the free list is resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TokenState {
    Reserved,
    #[default]
    Resolved,
}

#[derive(Default)]
pub(super) struct Body {
    pub(super) generation: u32,
    pub(super) state: TokenState,
    /// Who holds it, while it is reserved.
    pub(super) place: Option<Place>,
    pub(super) reserved_at: Time,
    pub(super) location: Option<&'static Location<'static>>,
    /// Made by compiled code or through C: it has no destructor.
    pub(super) raw: bool,
    pub(super) abort: Option<ImplicitAbort>,
    /// What a raw token stands for, as its maker names it.
    pub(super) behind: Behind,
}

/// What a raw token stands for: two numbers of its maker.
pub type Behind = (u64, u32);

#[derive(Default)]
pub(super) struct Record {
    next: AtomicU32,
    pub(super) position: AtomicU32,
    body: Mutex<Body, rank::Obligation>,
}

impl Record {
    #[inline]
    #[track_caller]
    pub(super) fn lock(&self) -> MutexGuard<'_, Body, rank::Obligation> {
        lock(&self.body)
    }
}

/// Records of the first chunk; few in models, which keep account of each.
const FIRST: u32 = if cfg!(loom) { 2 } else { 64 };
const CHUNKS: usize = 26;

/// All records of a kernel.
pub(super) struct Records {
    chunks: [OnceLock<Box<[Record]>>; CHUNKS],
    /// Records that were ever handed out.
    len: AtomicU32,
    /// How often the list changed, above the index of the first free record + 1.
    free: AtomicU64,
    live: AtomicU64,
    /// How often threads may have waited for each other, for a fresh chunk.
    pub(super) waits: Counter,
}

impl Records {
    pub(super) fn new() -> Records {
        let records = Records {
            chunks: std::array::from_fn(|_| OnceLock::new()),
            len: AtomicU32::new(0),
            free: AtomicU64::new(0),
            live: AtomicU64::new(0),
            waits: Counter::default(),
        };
        records.chunks[0].get_or_init(|| chunk(0));
        records
    }

    /// How many belong to a token.
    pub(super) fn live(&self) -> u64 {
        self.live.load(Relaxed)
    }

    /// A record for a token that is filled in by `fill`.
    pub(super) fn alloc(&self, fill: impl FnOnce(&mut Body)) -> ObligationId {
        self.live.fetch_add(1, Relaxed);
        let index = self.pop().unwrap_or_else(|| self.fresh());
        let record = self.at(index).expect("handed out");
        let mut body = record.lock();
        body.generation += 1;
        body.state = TokenState::Reserved;
        fill(&mut body);
        ObligationId::new(index, body.generation)
    }

    /// Gives a record back. It was resolved, and the caller is who resolved it.
    pub(super) fn free(&self, id: ObligationId) {
        self.live.fetch_sub(1, Relaxed);
        if id.generation() < u32::MAX {
            self.push(id.index());
        }
    }

    /// The record at an index, whosever it is now.
    pub(super) fn at(&self, index: u32) -> Option<&Record> {
        let (chunk, offset) = locate(index);
        self.chunks.get(chunk)?.get()?.get(offset)
    }

    fn fresh(&self) -> u32 {
        let index = self.len.fetch_add(1, Relaxed);
        let (number, _) = locate(index);
        assert!(number < CHUNKS, "4 billion tokens are alive");
        if self.chunks[number].get().is_none() {
            // Blocks only threads that need the same fresh chunk, 25 times in the life of a kernel.
            self.waits.add(1);
            self.chunks[number].get_or_init(|| chunk(number));
        }
        index
    }

    fn push(&self, index: u32) {
        let record = self.at(index).expect("it was handed out");
        let mut head = self.free.load(Relaxed);
        loop {
            record.next.store(head as u32, Relaxed);
            let next = changed(head) | u64::from(index + 1);
            // Release publishes the link to who pops it.
            match self
                .free
                .compare_exchange_weak(head, next, Release, Relaxed)
            {
                Ok(_) => return,
                Err(seen) => head = seen,
            }
        }
    }

    fn pop(&self) -> Option<u32> {
        let mut head = self.free.load(Acquire);
        loop {
            let index = (head as u32).checked_sub(1)?;
            // May be stale if somebody else pops it now; then the head has changed too.
            let link = self
                .at(index)
                .expect("it was handed out")
                .next
                .load(Relaxed);
            let next = changed(head) | u64::from(link);
            match self
                .free
                .compare_exchange_weak(head, next, Acquire, Acquire)
            {
                Ok(_) => return Some(index),
                Err(seen) => head = seen,
            }
        }
    }
}

fn chunk(number: usize) -> Box<[Record]> {
    let records = (FIRST as usize) << number;
    (0..records).map(|_| Record::default()).collect()
}

/// The upper half of the next head.
fn changed(head: u64) -> u64 {
    ((head >> 32) + 1) << 32
}

/// Chunk and offset of an index: chunk `k` holds `FIRST << k` records.
fn locate(index: u32) -> (usize, usize) {
    let chunk = (index / FIRST + 1).ilog2();
    let start = FIRST as u64 * ((1u64 << chunk) - 1);
    (chunk as usize, (u64::from(index) - start) as usize)
}
