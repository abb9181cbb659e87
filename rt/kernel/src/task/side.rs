//! The side record of a task: what few tasks need, made when first needed (TSK-29). It lives in a
//! slab of the kernel: a storm of cancels makes one for each task on one thread and gives them back
//! on others, where memory of the system's is slow.
//!
//! The lock is held for a few loads and stores only; wakers and destructors run after it.
#![allow(unsafe_code, reason = "reads a message through a pointer to a static")]

use std::ptr;
use std::task::Waker;

use asr_base::{
    Budget, CancelReason, CancelRequest, Error, ObligationId, Outcome, PanicPayload, Time, TimerId,
};

use asr_trace::Resource;

use crate::compiled::across::Across;
use crate::region::finalizer::{Runner, Stack};
use crate::slab::Record;
use crate::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::*};
use crate::sync::{Mutex, MutexGuard, lock, owned, rank};

/// A message of a checkpoint: a reference to a literal, so that storing it is one store.
pub type Message = &'static &'static str;

/// See the module.
pub(crate) struct Side {
    index: u32,
    generation: AtomicU32,
    /// The next free one, or [`OWNED`].
    link: AtomicU32,
    message: Slot,
    /// Calls for entropy so far (CAP-4).
    pub(crate) entropy: AtomicU64,
    /// Cancel points passed while watched.
    pub(crate) points: AtomicU32,
    inner: Mutex<Inner, rank::Task>,
}

/// What a cancel needs.
#[derive(Default)]
pub(crate) struct Inner {
    /// A budget of its own.
    pub(crate) own: Option<Box<OwnBudget>>,
    /// The pending cancel, merged.
    pub(crate) cancel: Option<CancelRequest>,
    /// Number of the event of its last change (CAN-28).
    pub(crate) asked: u64,
    /// Polls of cleanup left, once a cancel is pending.
    pub(crate) cleanup_left: u32,
    /// Checkpoints passed since the cancel was observed (CAN-7).
    pub(crate) passed: u32,
    /// When its last poll with a cancel pending began (CAN-24).
    pub(crate) cleanup_poll: Time,
    /// Deadline of the budget, until a cancel is pending.
    pub(crate) timer: Option<TimerId>,
    /// It was said that the cleanup outlasts its budget (CAN-22).
    pub(crate) overdue: bool,
    /// It is among those whose cleanup is watched.
    pub(crate) counted: bool,
    rare: Option<Box<Rare>>,
}

// A storm of cancels touches one for each task.
#[cfg(not(loom))]
const _: () = assert!(size_of::<Side>() <= 192);

/// The budget of a task, if it has one of its own.
pub(crate) struct OwnBudget {
    /// Met with that of its region.
    pub(crate) budget: Budget,
    /// What is left of its own cost quota.
    pub(crate) cost_left: Option<u64>,
}

/// What hardly any task needs, made when first needed.
#[derive(Default)]
pub(crate) struct Rare {
    /// A name for people and for targeted injection.
    pub(crate) name: Option<Box<str>>,
    /// When it got its name; kept for the deadline monitor.
    pub(crate) named: Option<Time>,
    /// The budget of the finalizer that runs now.
    pub(crate) finalizing: Option<Budget>,
    /// Who waits for the cancel through a waker that is not the task's.
    pub(crate) cancel_wakers: Vec<(u64, Waker)>,
    pub(crate) next_waker: u64,
    /// Finalizers of the task itself; the last registered runs first.
    pub(crate) finalizers: Stack,
    /// The finalizers, while they run.
    pub(crate) runner: Option<Box<Runner>>,
    /// The outcome of the body, while finalizers run.
    pub(crate) ended: Option<Outcome<(), Error>>,
    /// What it said in its last poll that it waits for; kept while events are written.
    pub(crate) waits_for: Vec<Resource>,
    /// Records of the obligations it holds.
    pub(crate) held: Vec<ObligationId>,
    /// What a compiled task keeps of its thread's state.
    pub(crate) across: Option<Box<Across>>,
    /// A token leaked while the task ran, and the response is Panic (OBL-11).
    pub(crate) leaked: Option<PanicPayload>,
}

/// No link has this value.
const OWNED: u32 = u32::MAX;

impl Record for Side {
    fn new(index: u32) -> Side {
        Side {
            index,
            generation: AtomicU32::new(0),
            link: AtomicU32::new(0),
            message: Slot::default(),
            entropy: AtomicU64::new(0),
            points: AtomicU32::new(0),
            inner: Mutex::default(),
        }
    }

    fn index(&self) -> u32 {
        self.index
    }

    fn generation(&self) -> &AtomicU32 {
        &self.generation
    }

    fn link(&self) -> &AtomicU32 {
        &self.link
    }

    fn is_owned(&self) -> bool {
        self.link.load(Relaxed) == OWNED
    }
}

/// The address of a literal.
struct Slot(AtomicPtr<&'static str>);

impl Default for Slot {
    fn default() -> Slot {
        Slot(AtomicPtr::new(ptr::null_mut()))
    }
}

impl Inner {
    /// The budget that holds now, unless it is the region's.
    pub(crate) fn budget(&self) -> Option<Budget> {
        if let Some(budget) = self.rare().and_then(|rare| rare.finalizing) {
            return Some(budget);
        }
        let Some(request) = &self.cancel else {
            return self.own.as_ref().map(|own| own.budget);
        };
        Some(request.cleanup.with_polls(self.cleanup_left))
    }

    /// What is rare, if there is any.
    pub(crate) fn rare(&self) -> Option<&Rare> {
        self.rare.as_deref()
    }

    /// The same, to change it.
    pub(crate) fn rare_mut(&mut self) -> Option<&mut Rare> {
        self.rare.as_deref_mut()
    }

    /// What is rare, made if need be.
    pub(crate) fn rare_or_new(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

impl Side {
    /// It was handed out, as empty as a new one.
    pub(crate) fn taken(&self) {
        self.link.store(OWNED, Relaxed);
    }

    /// Empties it.
    ///
    /// # Safety
    /// Nobody else uses it; who looks for a free one may still read its link.
    pub(crate) unsafe fn empty(&self) {
        self.message.0.store(ptr::null_mut(), Relaxed);
        self.entropy.store(0, Relaxed);
        self.points.store(0, Relaxed);
        // SAFETY: by the contract.
        drop(unsafe { owned(&self.inner, std::mem::take) });
    }

    #[inline]
    #[track_caller]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner, rank::Task> {
        lock(&self.inner)
    }

    /// Stores the message of a checkpoint.
    #[inline]
    pub(crate) fn set_message(&self, message: Message) {
        // Release pairs with `message`: a static is always initialized, so Relaxed would do, but a
        // reader then could see the message before what the task did ahead of it.
        self.message
            .0
            .store(ptr::from_ref(message).cast_mut(), Release);
    }

    /// The message of the last checkpoint.
    pub(crate) fn message(&self) -> Option<&'static str> {
        let message = self.message.0.load(Acquire);
        // SAFETY: only `set_message` stores it, from a `&'static &'static str`.
        unsafe { message.as_ref() }.copied()
    }

    /// The reason of the pending cancel.
    pub(crate) fn reason(&self) -> Option<CancelReason> {
        self.lock()
            .cancel
            .as_ref()
            .map(|request| request.reason.clone())
    }
}
