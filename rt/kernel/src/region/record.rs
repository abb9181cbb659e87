//! The record of a region, and the counted reference to it.
//!
//! Invariants
//! 1. A region counts a reference to its parent, and the record of a task one to its region, as
//!    long as the record is not given back: whoever has a reference to a task or region may walk up
//!    from it, after its end too, and meets no other occupant of a slot.
//! 2. The slot goes back to the slab when the region is closed and no reference is left. It lets go
//!    of its parent then: in a loop, not a recursion (REG-6).
//! 3. Lock order: of two regions the parent's lock is never taken while a child's is held, nor the
//!    other way; each step holds one lock, and no user code runs under it (SCH-36).
//! 4. The record of the root lives as long as the kernel and does not keep it; so each reference to
//!    it counts one to the kernel too. Its own, and the kernel's, do not, and are never given back.
#![allow(unsafe_code, reason = "counts references to records in a slab")]

use std::fmt;
use std::ptr::{self, NonNull};
use std::task::Waker;

use asr_base::{
    Budget, CancelRequest, Error, Fold, ObligationId, Outcome, RegionId, TaskId, TimerId,
};

use super::config::{Escalation, Policy};
use super::finalizer::Stack;
use super::ready::Scope;
use super::word::{State, Word};
use crate::cancel::Asked;
use crate::kernel::Kernel;
use crate::obligation::Marking;
use crate::slab::Record;
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering::*};
use crate::sync::{Mutex, MutexGuard, lock};

/// The record of a region. See the module.
pub struct Region {
    pub(crate) word: Word,
    generation: AtomicU32,
    index: u32,
    refs: AtomicU32,
    /// Distance from the root.
    depth: AtomicU32,
    escalation: AtomicU8,
    /// Opened under a mask: the cancel of an outer region stops here (REG-5, CAN-16).
    shielded: AtomicBool,
    /// Links among its siblings, under the lock of the parent: index + 1, 0 is none.
    pub(crate) before: AtomicU32,
    pub(crate) after: AtomicU32,
    /// Spawn index in the parent.
    pub(crate) position: AtomicU32,
    /// The task whose future the scope lies in, as a number; 0 for a region without a scope.
    opener: AtomicU64,
    kernel: AtomicPtr<Kernel>,
    parent: AtomicPtr<Region>,
    inner: Mutex<Inner>,
    scope: Mutex<Scope>,
}

/// What the lock of a region guards.
#[derive(Default)]
pub(crate) struct Inner {
    /// Children that are tasks, in spawn order: index + 1 of first and last.
    pub(crate) first_task: u32,
    pub(crate) last_task: u32,
    /// Children that are regions, in order of opening.
    pub(crate) first_region: u32,
    pub(crate) last_region: u32,
    /// Spawn index of the next child.
    pub(crate) next_position: u32,
    pub(crate) policy: Policy,
    pub(crate) budget: Option<Budget>,
    pub(crate) cost_left: Option<u64>,
    /// The cancel of the region itself.
    pub(crate) cancel: Option<CancelRequest>,
    /// Number of the event of its last change (CAN-28).
    pub(crate) asked: u64,
    /// What its children were asked, and new ones start with.
    pub(crate) for_children: Option<Asked>,
    pub(crate) fold: Fold,
    /// Its outcome counts in the parent's: nobody else gets it (REG-13, REG-36).
    pub(crate) counts: bool,
    /// Nobody polls fibers any more.
    pub(crate) scope_gone: bool,
    pub(crate) finalizers: Stack,
    /// The last finalizer was taken: none is registered any more (REG-17).
    pub(crate) finalizers_done: bool,
    pub(crate) closers: Vec<Waker>,
    pub(crate) outcome: Option<Outcome<(), Error>>,
    pub(crate) timer: Option<TimerId>,
    /// Tokens of its tasks, by kind.
    pub(crate) marking: Marking,
    /// Recorded tokens that it holds itself.
    pub(crate) held: Vec<ObligationId>,
    /// The marking went to the totals; nothing is counted any more.
    pub(crate) settled: bool,
}

impl Inner {
    /// The spawn index of a new child. After four billion children numbers come again: then the
    /// order of outcomes, which they are for, is that of the last four billion.
    pub(crate) fn take_position(&mut self) -> u32 {
        let position = self.next_position;
        self.next_position = position.wrapping_add(1);
        position
    }

    /// A fresh inside; what lists had room for stays.
    pub(crate) fn reset(
        &mut self,
        policy: Policy,
        budget: Budget,
        cost: Option<u64>,
        counts: bool,
    ) {
        debug_assert!(self.closers.is_empty());
        self.finalizers.reset();
        self.next_position = 0;
        self.policy = policy;
        self.budget = Some(budget);
        self.cost_left = cost;
        self.finalizers_done = false;
        self.cancel = None;
        self.asked = 0;
        self.for_children = None;
        self.fold = Fold::new();
        self.counts = counts;
        self.scope_gone = false;
        self.outcome = None;
        self.timer = None;
        self.settled = false;
    }
}

impl Record for Region {
    fn new(index: u32) -> Region {
        Region {
            word: Word::new(),
            generation: AtomicU32::new(0),
            index,
            refs: AtomicU32::new(0),
            depth: AtomicU32::new(0),
            escalation: AtomicU8::new(0),
            shielded: AtomicBool::new(false),
            before: AtomicU32::new(0),
            after: AtomicU32::new(0),
            position: AtomicU32::new(0),
            opener: AtomicU64::new(0),
            kernel: AtomicPtr::new(ptr::null_mut()),
            parent: AtomicPtr::new(ptr::null_mut()),
            inner: Mutex::new(Inner::default()),
            scope: Mutex::new(Scope::default()),
        }
    }

    fn index(&self) -> u32 {
        self.index
    }

    fn generation(&self) -> &AtomicU32 {
        &self.generation
    }
}

/// What a new region is filled with.
pub(crate) struct Fresh {
    pub(crate) kernel: NonNull<Kernel>,
    pub(crate) parent: Option<RegionRef>,
    /// The task that opens it, for a region with a scope.
    pub(crate) opener: Option<TaskId>,
    pub(crate) depth: u32,
    pub(crate) escalation: Escalation,
    pub(crate) shielded: bool,
    /// Children that are already counted: the body.
    pub(crate) children: u64,
    pub(crate) refs: u32,
}

impl Region {
    /// Fills a record that the caller has just been handed; the inside is filled by the caller.
    pub(crate) fn renew(&self, fresh: Fresh) {
        self.scope().reset();
        let opener = fresh.opener.map_or(0, TaskId::to_bits);
        self.opener.store(opener, Relaxed);
        self.depth.store(fresh.depth, Relaxed);
        self.escalation.store(fresh.escalation as u8, Relaxed);
        self.shielded.store(fresh.shielded, Relaxed);
        self.kernel.store(fresh.kernel.as_ptr(), Relaxed);
        let parent = fresh.parent.map_or(ptr::null_mut(), RegionRef::into_raw);
        self.parent.store(parent, Relaxed);
        self.word.renew(fresh.children);
        // Release pairs with the Acquire of `try_retain`: who gets a reference sees all of it.
        self.refs.store(fresh.refs, Release);
    }

    /// Its name.
    pub fn id(&self) -> RegionId {
        RegionId::new(self.index, self.generation.load(Relaxed))
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.word.state()
    }

    /// Whether a cancel of it is pending.
    pub fn has_cancel(&self) -> bool {
        self.word.has_cancel()
    }

    /// Opened under a mask.
    pub(crate) fn is_shielded(&self) -> bool {
        self.shielded.load(Relaxed)
    }

    /// Distance from the root, which has 0.
    pub fn depth(&self) -> u32 {
        self.depth.load(Relaxed)
    }

    /// The root is the first region of a kernel, and its slot is not used again.
    fn is_root(&self) -> bool {
        self.index == 0
    }

    /// Spawn index in the parent.
    pub fn position(&self) -> u32 {
        self.position.load(Relaxed)
    }

    /// Whether it has a scope that lies in the future of this task.
    pub(crate) fn is_scope_of(&self, task: TaskId) -> bool {
        self.opener.load(Relaxed) == task.to_bits()
    }

    /// How it treats children that do not end in their cleanup budget (CAN-22).
    pub fn escalation(&self) -> Escalation {
        Escalation::from_u8(self.escalation.load(Relaxed))
    }

    #[inline]
    pub(crate) fn kernel(&self) -> &Kernel {
        // SAFETY: set before the region was published, the same for every use of the slot; the slot
        // lives in that kernel.
        unsafe { &*self.kernel.load(Relaxed) }
    }

    /// The owning region. `None` for the root.
    pub(crate) fn parent(&self) -> Option<&Region> {
        // SAFETY: a reference to it is counted (invariant 1).
        unsafe { self.parent.load(Relaxed).as_ref() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    pub(crate) fn scope(&self) -> MutexGuard<'_, Scope> {
        lock(&self.scope)
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// The outcome, once closed.
    pub fn outcome(&self) -> Option<Outcome<(), Error>> {
        self.lock().outcome.clone()
    }

    /// The effective budget of the region (VAL-17).
    pub fn budget(&self) -> Budget {
        self.lock().budget.unwrap_or(Budget::UNLIMITED)
    }

    /// Counts a reference, unless the slot belongs to nobody.
    pub(crate) fn try_retain(&self) -> bool {
        // Acquire pairs with the Release of `renew`: who gets a reference sees the region.
        let root = self.is_root();
        let held = self
            .refs
            .fetch_update(AcqRel, Acquire, |refs| (refs > 0 || root).then(|| refs + 1));
        if held == Ok(0) {
            self.kernel().retain();
        }
        held.is_ok()
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region")
            .field("id", &self.id())
            .field("state", &self.state())
            .field("live", &self.word.live())
            .finish()
    }
}

/// A counted reference to the record of a region. The region itself counts one until it is closed.
///
/// The record of the root stays as long as the kernel. The first reference that somebody has to it
/// counts one to the kernel, and the last gives that back; the open root counts none to itself.
pub struct RegionRef(NonNull<Region>);

// SAFETY: all that `&Region` offers is atomic or under a lock.
unsafe impl Send for RegionRef {}
// SAFETY: as above.
unsafe impl Sync for RegionRef {}

impl RegionRef {
    /// # Safety
    /// `region` counts one reference that nobody else drops.
    pub(crate) unsafe fn from_counted(region: NonNull<Region>) -> RegionRef {
        RegionRef(region)
    }

    /// A reference of its own to a region that the borrow keeps alive.
    pub(crate) fn of(region: &Region) -> RegionRef {
        let before = region.refs.fetch_add(1, Relaxed);
        if before == 0 {
            assert!(region.is_root(), "a reference to a region that is gone");
            region.kernel().retain();
        }
        RegionRef(NonNull::from(region))
    }

    /// Gives the counted reference away as a pointer.
    pub(crate) fn into_raw(self) -> *mut Region {
        let region = self.0.as_ptr();
        std::mem::forget(self);
        region
    }
}

impl std::ops::Deref for RegionRef {
    type Target = Region;

    fn deref(&self) -> &Region {
        // SAFETY: the counted reference keeps the record.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for RegionRef {
    fn clone(&self) -> RegionRef {
        RegionRef::of(self)
    }
}

impl Drop for RegionRef {
    fn drop(&mut self) {
        let mut last = self.0;
        loop {
            // SAFETY: the reference that goes keeps the record.
            let region = unsafe { last.as_ref() };
            // Release publishes this user's last accesses, Acquire gives the last one everybody's.
            if region.refs.fetch_sub(1, AcqRel) != 1 {
                return;
            }
            let kernel = NonNull::from(region.kernel());
            if region.is_root() {
                // SAFETY: counted by whoever made the first reference.
                unsafe { Kernel::release(kernel) };
                return;
            }
            let mut inner = region.lock();
            // What they hold may run code of the user when it is dropped: after the lock.
            let held = (
                inner.outcome.take(),
                inner.cancel.take(),
                inner.for_children.take(),
            );
            drop(inner);
            drop(held);
            let parent = region.parent.swap(ptr::null_mut(), Relaxed);
            // SAFETY: the last reference; a region that is not closed holds one itself.
            unsafe { Kernel::free_region(kernel, last) };
            // The reference to the parent goes in the next turn. The kernel is there for it: the
            // parent is a record that is owned.
            let Some(parent) = NonNull::new(parent) else {
                return;
            };
            last = parent;
        }
    }
}

impl fmt::Debug for RegionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for RegionRef {
    fn eq(&self, other: &RegionRef) -> bool {
        self.0 == other.0
    }
}
