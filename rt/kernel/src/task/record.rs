//! The hot record of a task: 80 bytes in a slab, and the counted reference to it.
//!
//! Invariants
//! 1. A record is handed to one task at a time; its id (index, generation) names that task only.
//! 2. The record counts a reference to its region: a context that outlived its task (CAP-9) finds
//!    the region it had, closed, and no other occupant of the slot.
//! 3. `cell` holds future and output. It is polled, replaced and emptied by whoever holds the poll
//!    (word), and its memory is freed with the record, when neither future nor output is in it.
#![allow(unsafe_code, reason = "counts references to records in a slab")]

use std::fmt;
use std::ptr::{self, NonNull};

use asr_base::{Budget, TaskId};

use super::cell::Header;
use super::queued::Queued;
use super::scopes::Scopes;
use super::side::Side;
use super::word::Word;
use crate::kernel::Kernel;
use crate::region::{Region, RegionRef};
use crate::sched::entry::Link;
use crate::slab::Record;
use crate::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, Ordering::*};

/// What kind of child a task is (TSK-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// Polled by its scope; may borrow.
    Fiber = 0,
    /// Scheduled on its own.
    Task = 1,
    /// The body of a region: a fiber with spawn index 0.
    Body = 2,
    /// Runs the finalizers of a region; no child.
    Finalizer = 3,
}

/// The bits of it beside the count of polls.
const TIER: u8 = 3;
/// Polls that are told apart.
const TURNS: u8 = 64;

const TIERS: [Tier; 4] = [Tier::Fiber, Tier::Task, Tier::Body, Tier::Finalizer];

/// The hot record. See the module.
#[repr(C)]
pub struct Task {
    pub(crate) word: Word,
    generation: AtomicU32,
    index: u32,
    region: AtomicPtr<Region>,
    pub(super) cell: AtomicPtr<Header>,
    /// Who waits for the outcome: an encoded waker (`join`).
    pub(crate) joiner: AtomicPtr<()>,
    pub(super) side: AtomicPtr<Side>,
    /// Links among the children of the region, under its lock: index + 1, 0 is none.
    pub(crate) before: AtomicU32,
    pub(crate) after: AtomicU32,
    /// Spawn index: the position in the region's outcome.
    position: AtomicU32,
    /// Polls that the budget still allows.
    pub(crate) polls_left: AtomicU32,
    /// Masks around what is polled now; written by the task only.
    pub(crate) masks: AtomicU8,
    /// Operations of this poll that did not wait (TSK-23).
    pub(crate) coop: AtomicU8,
    /// Tier, and above it how many polls began, modulo 64; who polls writes it.
    tier: AtomicU8,
    priority: AtomicU8,
    /// The worker that alone may poll it, plus one; 0 is any (SCH-16).
    pin: AtomicU16,
    /// Which entries of queues there are for it.
    pub(crate) queued: Queued,
    pub(crate) scopes: Scopes,
    /// Its place in a list of runnable tasks.
    pub(crate) link: Link<Task>,
}

// Atomics of the model checker are larger.
#[cfg(not(loom))]
const _: () = assert!(size_of::<Task>() <= 80, "TSK-29: the hot record of a task");

impl Record for Task {
    fn new(index: u32) -> Task {
        Task {
            word: Word::vacant(),
            generation: AtomicU32::new(0),
            index,
            region: AtomicPtr::new(ptr::null_mut()),
            cell: AtomicPtr::new(ptr::null_mut()),
            joiner: AtomicPtr::new(ptr::null_mut()),
            side: AtomicPtr::new(ptr::null_mut()),
            before: AtomicU32::new(0),
            after: AtomicU32::new(0),
            position: AtomicU32::new(0),
            polls_left: AtomicU32::new(0),
            masks: AtomicU8::new(0),
            coop: AtomicU8::new(0),
            tier: AtomicU8::new(0),
            priority: AtomicU8::new(0),
            pin: AtomicU16::new(0),
            queued: Queued::default(),
            scopes: Scopes::default(),
            link: Link::default(),
        }
    }

    fn index(&self) -> u32 {
        self.index
    }

    fn generation(&self) -> &AtomicU32 {
        &self.generation
    }

    fn link(&self) -> &AtomicU32 {
        &self.after
    }

    fn is_owned(&self) -> bool {
        self.word.load().refs() > 0
    }
}

/// What a new record is filled with.
pub(crate) struct Fresh {
    /// Counted for the record.
    pub(crate) region: RegionRef,
    pub(crate) cell: *mut Header,
    pub(crate) tier: Tier,
    pub(crate) position: u32,
    pub(crate) polls: u32,
    pub(crate) priority: u8,
    /// There is a deadline.
    pub(crate) timed: bool,
    /// A body whose first poll has begun.
    pub(crate) polled: bool,
}

impl Task {
    /// Fills a record that the caller has just been handed.
    #[inline(always)]
    pub(crate) fn renew(&self, fresh: Fresh) {
        // Relaxed all: the Release in `Word::renew` publishes them.
        self.region.store(fresh.region.into_raw(), Relaxed);
        self.cell.store(fresh.cell, Relaxed);
        self.joiner.store(ptr::null_mut(), Relaxed);
        self.position.store(fresh.position, Relaxed);
        self.polls_left.store(fresh.polls, Relaxed);
        self.scopes.renew();
        self.masks.store(0, Relaxed);
        self.coop.store(0, Relaxed);
        self.tier.store(fresh.tier as u8, Relaxed);
        self.priority.store(fresh.priority, Relaxed);
        self.pin.store(0, Relaxed);
        self.queued.renew(fresh.timed);
        if fresh.polled {
            debug_assert_eq!(fresh.tier, Tier::Body);
            return self.word.renew_polled();
        }
        let fiber = matches!(fresh.tier, Tier::Fiber | Tier::Body);
        let handle = matches!(fresh.tier, Tier::Fiber | Tier::Task);
        self.word.renew(fiber, handle);
    }

    /// The cell of a new task, before it is queued for the first time.
    pub(crate) fn set_cell(&self, cell: NonNull<Header>) {
        // Release pairs with the Acquire of the queue: who polls sees the cell.
        self.cell.store(cell.as_ptr(), Release);
    }

    /// The name of the task.
    #[inline]
    pub fn id(&self) -> TaskId {
        TaskId::new(self.index, self.generation.load(Relaxed))
    }

    /// What kind of child it is.
    #[inline]
    pub fn tier(&self) -> Tier {
        TIERS[usize::from(self.tier.load(Relaxed) & TIER)]
    }

    /// A poll begins.
    #[inline]
    pub(super) fn begins_turn(&self) {
        let tier = self.tier.load(Relaxed);
        self.tier.store(tier.wrapping_add(TIER + 1), Relaxed);
    }

    /// Polls that began since `turn` had this value before, modulo 64; with 0, how many at all.
    pub(crate) fn turns_since(&self, turn: u8) -> u8 {
        let now = self.tier.load(Relaxed) / (TIER + 1);
        now.wrapping_sub(turn) % TURNS
    }

    /// Spawn index in its region.
    pub fn position(&self) -> u32 {
        self.position.load(Relaxed)
    }

    /// Priority of its budget.
    pub fn priority(&self) -> u8 {
        self.priority.load(Relaxed)
    }

    /// Binds the task to a worker, before it is queued for the first time.
    pub(crate) fn set_pin(&self, worker: u16) {
        // Relaxed: the queue publishes it.
        self.pin.store(worker.saturating_add(1), Relaxed);
    }

    /// The worker that alone may poll it, if it is pinned (SCH-16).
    #[inline]
    pub fn pin(&self) -> Option<u16> {
        self.pin.load(Relaxed).checked_sub(1)
    }

    /// The region that owns the task.
    #[inline]
    pub(crate) fn region(&self) -> &Region {
        // SAFETY: set in `renew`, with a reference that is counted until the record is given back.
        unsafe { &*self.region.load(Relaxed) }
    }

    /// The kernel of the task.
    #[inline]
    pub(crate) fn kernel(&self) -> &Kernel {
        self.region().kernel()
    }

    /// The effective budget: its own, met with its region's at spawn, or the region's (VAL-17);
    /// the cleanup budget once a cancel is pending (CAN-29), and while a finalizer runs its own.
    pub(crate) fn budget(&self) -> Budget {
        self.own_budget().unwrap_or_else(|| self.region().budget())
    }

    /// The same, if it is not just that of its region.
    pub(crate) fn own_budget(&self) -> Option<Budget> {
        self.side().and_then(|side| side.lock().budget())
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<String> {
        let side = self.side()?.lock();
        side.rare()?.name.as_deref().map(str::to_owned)
    }

    /// The message of its last checkpoint.
    pub fn message(&self) -> Option<&'static str> {
        self.side()?.message()
    }

    /// What it waits for, as far as it said so in its last poll; kept while events are written.
    pub fn waits_for(&self) -> Vec<asr_trace::Resource> {
        let Some(side) = self.side() else {
            return Vec::new();
        };
        let inner = side.lock();
        inner
            .rare()
            .map_or_else(Vec::new, |rare| rare.waits_for.clone())
    }

    /// Says what the task waits for, for people; forgotten at its next poll.
    pub(crate) fn wait_for(&self, resource: asr_trace::Resource) {
        if self.kernel().trace().on() {
            let mut inner = self.side_or_new().lock();
            let waits_for = &mut inner.rare_or_new().waits_for;
            if !waits_for.contains(&resource) {
                waits_for.push(resource);
            }
        }
    }

    /// The region that owns it.
    pub fn region_id(&self) -> asr_base::RegionId {
        self.region().id()
    }

    /// How far it is.
    pub fn phase(&self) -> super::Phase {
        self.word.load().phase()
    }

    /// The place of the program that it was spawned at, as a number that is the same in every run
    /// of one executable; 0 for a task without a future of its own.
    pub(crate) fn site(&self) -> u64 {
        // SAFETY: the caller was given the task by a queue, so it is not complete, or by a counted
        // reference, and its cell is freed with the record.
        self.cell()
            .map_or(0, |cell| unsafe { super::cell::site(cell) })
    }

    #[inline]
    pub(crate) fn cell(&self) -> Option<NonNull<Header>> {
        NonNull::new(self.cell.load(Relaxed))
    }

    /// The side record, if there is one.
    #[inline]
    pub(crate) fn side(&self) -> Option<&Side> {
        let side = self.side.load(Acquire);
        // SAFETY: a side record is set once per use of the slot and freed with it, and `self` is
        // borrowed from a counted reference.
        unsafe { side.as_ref() }
    }

    /// The side record, made when first needed (TSK-29).
    pub(crate) fn side_or_new(&self) -> &Side {
        if let Some(side) = self.side() {
            return side;
        }
        let fresh = self.kernel().alloc_side();
        // Release publishes the new record, Acquire takes one that another thread made first.
        match self
            .side
            .compare_exchange(ptr::null_mut(), fresh.as_ptr(), AcqRel, Acquire)
        {
            // SAFETY: just made, and freed with the slot.
            Ok(_) => unsafe { fresh.as_ref() },
            Err(other) => {
                // SAFETY: `fresh` was not published; `other` is as in `side`.
                unsafe {
                    self.kernel().free_side(fresh);
                    &*other
                }
            }
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id())
            .field("tier", &self.tier())
            .field("phase", &self.word.load().phase())
            .finish()
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // Records are emptied when the last reference goes; a slab that is dropped has none.
        debug_assert!(self.side.load(Relaxed).is_null());
    }
}
