//! The home thread of a heap: handlers that touch a heap run only there, inline or at the next
//! probe (repair bit of the thread's flag).
//!
//! Invariants
//! 1. The flag word is written by others only while `users` counts them; the end of the thread
//!    withdraws the word and waits until nobody is counted.
//! 2. After that what is pushed is drained by the pusher, into quarantine: nothing waits forever.
#![allow(unsafe_code, reason = "reaches the flag word of another thread")]

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering::*};

use asr_abi::{ObjectHeader, RepairContext, Thread, flag};
use asr_kernel::thread;

use crate::ledger::COUNTERS;
use crate::repair::{self, Done};
use crate::report::unknown;
use crate::stack::Stack;
use crate::{handlers, local, notes, queue, word};

/// What other threads need to know of a heap's thread. Shared by the handlers that live there.
pub struct Home {
    thread: *const Thread,
    flag: AtomicPtr<AtomicU32>,
    users: AtomicUsize,
    waiting: Stack<ObjectHeader>,
}

// SAFETY: `thread` is only compared; all else is atomic.
unsafe impl Send for Home {}
// SAFETY: as above.
unsafe impl Sync for Home {}

impl Home {
    /// The home that the calling thread is.
    pub fn here(th: &Thread) -> Arc<Home> {
        let found = th.heal.get().cast::<Home>().cast_const();
        if found.is_null() {
            let home = Arc::new(Home {
                thread: th,
                flag: AtomicPtr::new(ptr::from_ref(&th.flag).cast_mut()),
                users: AtomicUsize::new(0),
                waiting: Stack::new(),
            });
            th.heal.set(Arc::into_raw(home.clone()).cast_mut().cast());
            return home;
        }
        // SAFETY: `heal` holds one count of the arc until `thread_ends`.
        unsafe {
            Arc::increment_strong_count(found);
            Arc::from_raw(found)
        }
    }

    /// Whether the calling thread is this home.
    pub fn is_here(&self) -> bool {
        thread::current() == self.thread && !self.flag.load(Relaxed).is_null()
    }

    /// Queues a marked object as a new job for this home.
    ///
    /// # Safety
    /// The caller owns the object and gives it away.
    pub(crate) unsafe fn enqueue(&self, object: *mut ObjectHeader, report: &RepairContext) {
        COUNTERS.enqueued.up();
        COUNTERS.queued.up();
        // SAFETY: owned, so it is alive.
        word::step(
            unsafe { &(*object).repair },
            asr_abi::repair_word::QUEUED,
            0,
        );
        // SAFETY: forwarded.
        unsafe { self.push(object, report) };
    }

    /// Gives a Queued object to this home.
    ///
    /// # Safety
    /// The caller owns the object and gives it away.
    pub(crate) unsafe fn push(&self, object: *mut ObjectHeader, report: &RepairContext) {
        notes::leave(object, report);
        // SAFETY: forwarded.
        unsafe { self.waiting.push(object) };
        // SeqCst, with the store in `ends`: either this thread sees the word withdrawn, or `ends`
        // sees it counted, or its drain sees the object.
        self.users.fetch_add(1, SeqCst);
        let flag_word = self.flag.load(SeqCst);
        // SAFETY: counted as a user, so the word is not freed (invariant 1).
        if let Some(word) = unsafe { flag_word.as_ref() } {
            thread::checkpoint::request(word, flag::REPAIR);
        }
        self.users.fetch_sub(1, SeqCst);
        if flag_word.is_null() {
            self.abandon();
        }
    }

    /// Runs the repairs that wait. On the home thread only.
    pub fn drain(&self) {
        debug_assert!(self.is_here(), "repairs of a heap run on its thread");
        for object in self.waiting.take() {
            // SAFETY: taken, so owned, and Queued.
            let now = unsafe { &(*object).repair }.load(Acquire);
            // SAFETY: as above.
            let handler = handlers::find(unsafe { (*object).type_id });
            let mut ctx = notes::take(object).unwrap_or_else(unknown);
            ctx.attempt = word::attempts(now);
            // SAFETY: as above.
            if let Done::Delayed(_) = unsafe { repair::attempt(handler.as_deref(), object, ctx) } {
                COUNTERS.delayed.down();
                // The supervisor keeps the time of the next attempt, from the attempts made.
                // SAFETY: Delayed by this thread, so owned; given away.
                unsafe { queue::enqueue(object, Some(ctx), ctx.attempt + 1, false) };
            }
        }
    }

    /// The thread has ended: what waits for it cannot be repaired.
    fn abandon(&self) {
        for object in self.waiting.take() {
            let ctx = notes::take(object).unwrap_or_else(unknown);
            // SAFETY: taken, so owned, and Queued.
            unsafe { repair::attempt(None, object, ctx) };
        }
    }
}

/// Hook: repairs of this thread, at a probe. A probe inside a handler leaves them to the end of
/// the outermost one: drains inside drains would nest as deep as reports come.
pub fn at_probe(th: &Thread) {
    if !th.heal.get().is_null() && !local::in_handler() {
        Home::here(th).drain();
    }
}

/// Runs the repairs that wait for the calling thread; whether there were any.
pub(crate) fn drain_here() -> bool {
    // SAFETY: the state of this thread.
    let Some(th) = (unsafe { thread::current().as_ref() }) else {
        return false;
    };
    if th.heal.get().is_null() || local::in_handler() {
        return false;
    }
    let home = Home::here(th);
    let found = !home.waiting.is_empty();
    home.drain();
    found
}

/// The outermost handler of this thread has ended: asks for a probe if repairs wait here.
pub(crate) fn after_handler() {
    // SAFETY: the state of this thread.
    if let Some(th) = unsafe { thread::current().as_ref() }
        && !th.heal.get().is_null()
        && !Home::here(th).waiting.is_empty()
    {
        thread::checkpoint::request(&th.flag, flag::REPAIR);
    }
}

/// Hook: the thread ends.
pub fn ends(th: &Thread) {
    let home = th.heal.replace(ptr::null_mut()).cast::<Home>();
    if home.is_null() {
        return;
    }
    // SAFETY: the count that `here` left in `heal`.
    let home = unsafe { Arc::from_raw(home.cast_const()) };
    home.flag.store(ptr::null_mut(), SeqCst);
    while home.users.load(SeqCst) != 0 {
        std::thread::yield_now();
    }
    home.abandon();
}
