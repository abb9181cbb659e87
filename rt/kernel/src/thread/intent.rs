//! Intents: what compiled code says it is doing, as ids that nest like a stack (HEAL-5, HEAL-6).

use asr_abi::Thread;

use super::local::Local;

/// Intents that may be open at once: deeper nesting is recursion without bound.
pub const DEPTH_MAX: usize = 4096;

/// Enters an intent. `false` when too many are open, or the thread is not the kernel's.
#[must_use]
pub fn push(th: &Thread, intent: u64) -> bool {
    let Some(local) = Local::of(th) else {
        return false;
    };
    let mut around = local.intents.borrow_mut();
    if around.len() == DEPTH_MAX {
        return false;
    }
    around.push(th.intent.replace(intent));
    true
}

/// Leaves the innermost intent; nothing happens when none is open.
pub fn pop(th: &Thread) {
    if let Some(local) = Local::of(th)
        && let Some(outer) = local.intents.borrow_mut().pop()
    {
        th.intent.set(outer);
    }
}
