//! The seam through which the checkpoint serves healing, collection and the task machinery.
//!
//! The kernel calls; the runtime installs the table once, before any compiled code runs. Without
//! it every hook does nothing.

use asr_abi::Thread;

use crate::sync::atomic::{AtomicPtr, Ordering::*};

/// What a checkpoint, a fault or the end of a thread asks others to do. None of them may unwind.
pub struct Hooks {
    /// Bit 1: run the repairs that wait for this thread.
    pub repair: fn(&Thread),
    /// Bit 2: an expiry is due. Answers the action, a status.
    pub expiry: fn(&Thread) -> u32,
    /// Bit 8: collect the heap of the current isolate within its pause bound.
    pub collect: fn(&Thread),
    /// Bit 7: the runtime shuts down. Answers the action.
    pub shutdown: fn(&Thread) -> u32,
    /// A fault of the language: report an anomaly of this code with null data.
    pub fault: fn(&Thread, u32),
    /// The thread ends: forget every pointer to its state.
    pub thread_ends: fn(&Thread),
}

/// What happens when nothing is installed.
static NONE: Hooks = Hooks {
    repair: |_| (),
    expiry: |_| asr_abi::status::OK,
    collect: |_| (),
    shutdown: |_| asr_abi::status::OK,
    fault: |_, _| (),
    thread_ends: |_| (),
};

#[cfg(not(loom))]
static INSTALLED: AtomicPtr<Hooks> = AtomicPtr::new(std::ptr::null_mut());

impl Hooks {
    /// See [`Hooks::fault`].
    pub(super) fn anomaly(&self, th: &Thread, code: u32) {
        (self.fault)(th, code);
    }
}

/// Installs the table for the whole process; a second call replaces it.
#[cfg(not(loom))]
pub fn install(hooks: &'static Hooks) {
    // Release: publishes what the hooks rely on; pairs with the acquire in `get`.
    INSTALLED.store(std::ptr::from_ref(hooks).cast_mut(), Release);
}

/// The table in force.
#[cfg(not(loom))]
pub(crate) fn get() -> &'static Hooks {
    let hooks = INSTALLED.load(Acquire);
    #[allow(unsafe_code, reason = "a static reference that went through an atomic")]
    // SAFETY: only `install` stores here, from a `&'static Hooks`; null until then.
    unsafe {
        hooks.cast_const().as_ref().unwrap_or(&NONE)
    }
}

/// Under loom no runtime is installed.
#[cfg(loom)]
pub(crate) fn get() -> &'static Hooks {
    let _ = (Acquire, std::mem::size_of::<AtomicPtr<Hooks>>());
    &NONE
}

/// Tells the owner of hooks that a thread ends.
pub(super) fn thread_ends(th: &Thread) {
    (get().thread_ends)(th);
}
