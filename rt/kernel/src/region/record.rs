//! The record of a region, and the counted reference to it.
//!
//! Invariants
//! 1. A region keeps its parent, and the record of a task its region, as long as the record is not
//!    given back: whoever has a reference to a task or region may walk up from it, after its end
//!    too, and meets no other occupant of a slot. Each counts a reference, but for a scope that
//!    lies in the future of its opener (`count_parent`): that has one to the record of the opener,
//!    and this one to the parent.
//! 2. The slot goes back to the slab when the region is closed and no reference is left. It lets go
//!    of its parent then: in a loop, not a recursion (REG-6).
//! 3. Lock order: of two regions the parent's lock is never taken while a child's is held, nor the
//!    other way; each step holds one lock, and no user code runs under it (SCH-36).
//! 4. The record of the root lives as long as the kernel and does not keep it; so each reference to
//!    it counts one to the kernel too. Its own, and the kernel's, do not, and are never given back.
#![allow(unsafe_code, reason = "counts references to records in a slab")]

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use asr_base::{Budget, Error, Outcome, RegionId, TaskId};

use super::config::Escalation;
use super::inner::Inner;
use super::isolate::Isolate;
use super::refs::Refs;
use super::word::{State, Word};
use crate::kernel::Kernel;
use crate::slab::Record;
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering::*};
use crate::sync::{Mutex, MutexGuard, lock, owned, rank};

/// The lock of a region, held.
pub(crate) type Locked<'r> = MutexGuard<'r, Inner, rank::Region>;

/// The record of a region. See the module.
pub struct Region {
    pub(crate) word: Word,
    generation: AtomicU32,
    index: u32,
    refs: Refs,
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
    /// The isolate of its tasks: that of its parent unless it was given one (SCH-48).
    pub(super) isolate: Isolate,
    /// It counts a reference to its parent. Set once.
    counts_parent: AtomicBool,
    pub(super) inner: Mutex<Inner, rank::Region>,
}

impl Record for Region {
    fn new(index: u32) -> Region {
        Region {
            word: Word::new(),
            generation: AtomicU32::new(0),
            index,
            refs: Refs::default(),
            depth: AtomicU32::new(0),
            escalation: AtomicU8::new(0),
            shielded: AtomicBool::new(false),
            before: AtomicU32::new(0),
            after: AtomicU32::new(0),
            position: AtomicU32::new(0),
            opener: AtomicU64::new(0),
            kernel: AtomicPtr::new(ptr::null_mut()),
            parent: AtomicPtr::new(ptr::null_mut()),
            isolate: Isolate::default(),
            counts_parent: AtomicBool::new(false),
            inner: Mutex::new(Inner::default()),
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
        !self.is_root() && !self.refs.is_vacant()
    }
}

/// What a new region is filled with.
pub(crate) struct Fresh {
    pub(crate) kernel: NonNull<Kernel>,
    pub(crate) parent: *const Region,
    /// The task that opens it, for a region with a scope: it keeps the parent. A region without one
    /// counts a reference to its parent.
    pub(crate) opener: Option<TaskId>,
    pub(crate) depth: u32,
    pub(crate) escalation: Escalation,
    pub(crate) shielded: bool,
    /// Children that are already counted: the body.
    pub(crate) children: u64,
    pub(crate) refs: u32,
}

impl Region {
    /// Fills a record that the caller has just been handed, and its inside by `fill`.
    #[inline(always)]
    pub(crate) fn renew(&self, fresh: Fresh, fill: impl FnOnce(&mut Inner)) {
        let opener = fresh.opener.map_or(0, TaskId::to_bits);
        self.opener.store(opener, Relaxed);
        self.depth.store(fresh.depth, Relaxed);
        self.escalation.store(fresh.escalation as u8, Relaxed);
        self.shielded.store(fresh.shielded, Relaxed);
        self.kernel.store(fresh.kernel.as_ptr(), Relaxed);
        self.parent.store(fresh.parent.cast_mut(), Relaxed);
        self.isolate
            .renew(self.parent().map(|parent| &parent.isolate));
        self.counts_parent.store(false, Relaxed);
        self.word.renew(fresh.children);
        // SAFETY: nobody else has the slot: before the next line nobody gets a reference to it.
        unsafe { owned(&self.inner, fill) };
        if fresh.opener.is_none() {
            self.count_parent();
        }
        self.refs.renew(fresh.refs);
    }

    /// Counts a reference to the parent from here on, if it did not. Whoever calls it knows that
    /// the parent is there: the opener is not complete, the scope has it in its future, or the
    /// region still counts as a child.
    pub(super) fn count_parent(&self) {
        // Relaxed: one of several sets it, and who gives the record back comes after them all.
        if let Some(parent) = self.parent()
            && !self.counts_parent.load(Relaxed)
            && !self.counts_parent.swap(true, Relaxed)
        {
            std::mem::forget(RegionRef::of(parent));
        }
    }

    /// It counts a reference to its parent.
    #[inline]
    pub(super) fn counts_parent(&self) -> bool {
        self.counts_parent.load(Relaxed)
    }

    pub(super) fn refs(&self) -> &Refs {
        &self.refs
    }

    /// Its name.
    #[inline]
    pub fn id(&self) -> RegionId {
        RegionId::new(self.index, self.generation.load(Relaxed))
    }

    /// Where it is.
    #[inline]
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
    #[inline]
    pub(crate) fn parent(&self) -> Option<&Region> {
        // SAFETY: it is there as long as this record (invariant 1).
        unsafe { self.parent.load(Relaxed).as_ref() }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn lock(&self) -> Locked<'_> {
        lock(&self.inner)
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// The outcome, once closed.
    #[inline]
    pub fn outcome(&self) -> Option<Outcome<(), Error>> {
        if self.word.is_ok() {
            return Some(Outcome::Ok(()));
        }
        self.lock().outcome.clone()
    }

    /// The effective budget of the region (VAL-17).
    pub fn budget(&self) -> Budget {
        self.lock().budget
    }

    /// Counts a reference, unless the slot belongs to nobody.
    pub(crate) fn try_retain(&self) -> bool {
        let held = self.refs.try_retain(self.is_root());
        if held == Some(0) {
            self.kernel().retain();
        }
        held.is_some()
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
    #[inline]
    pub(crate) unsafe fn from_counted(region: NonNull<Region>) -> RegionRef {
        RegionRef(region)
    }

    /// A reference of its own to a region that the borrow keeps alive.
    #[inline]
    pub(crate) fn of(region: &Region) -> RegionRef {
        let before = region.refs.retain();
        if before == 0 {
            assert!(region.is_root(), "a reference to a region that is gone");
            region.kernel().retain();
        }
        RegionRef(NonNull::from(region))
    }

    /// Counts this reference off. True if it was the last.
    #[inline]
    fn count_off(&self) -> bool {
        self.refs.release()
    }

    /// The record.
    pub(crate) fn pointer(&self) -> NonNull<Region> {
        self.0
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

    #[inline]
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
    #[inline]
    fn drop(&mut self) {
        if self.count_off() {
            give_back(self.0);
        }
    }
}

/// The last reference to a region went, and perhaps with it the last to those around it.
fn give_back(mut last: NonNull<Region>) {
    loop {
        // SAFETY: the last reference is the caller's.
        let region = unsafe { last.as_ref() };
        let kernel = NonNull::from(region.kernel());
        if region.is_root() {
            // SAFETY: counted by whoever made the first reference.
            unsafe { Kernel::release(kernel) };
            return;
        }
        let rest = |inner: &mut Inner| {
            let some = inner.cancel.is_some() || inner.for_children.is_some();
            (some || !region.word.is_ok()).then(|| inner.take_rest())
        };
        // SAFETY: nobody else has the record. What is left may run code of the user when it is
        // dropped.
        drop(unsafe { owned(&region.inner, rest) });
        let parent = region.parent.load(Relaxed);
        debug_assert!(region.counts_parent.load(Relaxed), "closed by the long way");
        // SAFETY: the last reference; a region that is not closed holds one itself. That to the
        // parent, which goes next, keeps the kernel.
        unsafe { kernel.as_ref().free_region(last) };
        let Some(parent) = NonNull::new(parent) else {
            return;
        };
        // SAFETY: counted by `count_parent`, and the record is given back once.
        let parent = ManuallyDrop::new(unsafe { RegionRef::from_counted(parent) });
        if !parent.count_off() {
            return;
        }
        last = parent.0;
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
