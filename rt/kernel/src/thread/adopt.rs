//! Giving a thread its state, and finding it again.
#![allow(
    unsafe_code,
    reason = "owns the raw states that compiled code points to"
)]

use std::cell::Cell;
use std::ptr;

use asr_abi::Thread;

use super::local::Local;
use super::stack;

/// The states of one thread, freed when it ends.
struct Owner {
    state: Cell<*mut Thread>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let state = self.state.replace(ptr::null_mut());
        STATE.set(ptr::null());
        if state.is_null() {
            return;
        }
        // SAFETY: made by `adopt` on this thread from two boxes; by invariant 2 nobody else holds
        // a reference, and the hooks below get the chance to forget the flag word first.
        unsafe {
            super::hooks::thread_ends(&*state);
            if let Some(local) = Local::of(&*state) {
                local.poller.leave();
            }
            crate::compiled::give_back(&*state);
            let local = (*state).kernel.replace(ptr::null_mut()).cast::<Local>();
            drop(Box::from_raw(local));
            drop(Box::from_raw(state));
        }
    }
}

thread_local! {
    static OWNER: Owner = const { Owner { state: Cell::new(ptr::null_mut()) } };
    /// The state again, in a cell without destructor: the first use of one with a destructor
    /// registers it, which allocates, and neither a report nor a signal handler may do that.
    static STATE: Cell<*const Thread> = const { Cell::new(ptr::null()) };
}

/// The state of the calling thread, or null when it has none.
///
/// Async-signal-safe, allocates nothing.
pub fn current() -> *const Thread {
    STATE.get()
}

/// The state of the calling thread, made now if it has none.
///
/// The stack limit is that of the thread's native stack with the default reserve.
///
/// # Panics
/// On a thread that is already being torn down.
pub fn adopt() -> &'static Thread {
    let th = adopt_ptr();
    assert!(!th.is_null(), "the thread is being torn down");
    // SAFETY: the state lives as long as the thread; a `&'static` cannot leave it, because `Thread`
    // is neither `Send` nor `Sync`.
    unsafe { &*th }
}

/// Like [`adopt`], but null on a thread that is being torn down.
pub fn adopt_ptr() -> *const Thread {
    let found = current();
    if !found.is_null() {
        return found;
    }
    OWNER
        .try_with(|owner| {
            let th = Box::new(Thread::new());
            th.stack_limit
                .set(stack::limit(stack::DEFAULT_ACYCLIC_DEPTH));
            th.kernel.set(Box::into_raw(Box::new(Local::new())).cast());
            let th = Box::into_raw(th);
            owner.state.set(th);
            STATE.set(th);
            th.cast_const()
        })
        .unwrap_or(ptr::null())
}
