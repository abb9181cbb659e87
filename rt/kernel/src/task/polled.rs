//! The task that is polled on this thread, so that a wait with the context of another task is
//! refused.
//!
//! A wait is a cancel point of the task whose context it uses. In a branch that waits with the
//! context of its caller, a cancel of the branch goes unheard: it is not woken, and only the end of
//! its cleanup budget would end it, of a Soft region nothing. No type tells the two contexts apart,
//! since a future may borrow what is around it and move between threads; so a wait that is about to
//! park looks, where it is not woken by its own task's waker. That is the path of a branch of
//! somebody else's combinator, and of this mistake.
//!
//! Set by each poll, and cleared after it; a thread that polls no task may wait with any context. A
//! scope that has polled its fibers puts back what was polled around them. The pointer is compared
//! only.

use std::cell::Cell;
use std::ptr;

use asr_base::Status;

use super::record::Task;

thread_local! {
    static POLLED: Cell<*const Task> = const { Cell::new(ptr::null()) };
}

/// A poll of `task` begins.
#[inline]
pub(crate) fn begins(task: &Task) {
    POLLED.set(task);
}

/// It ended.
#[inline]
pub(crate) fn ended() {
    POLLED.set(ptr::null());
}

/// Polls inside this poll: what was polled before is put back.
pub(crate) struct Nested(*const Task);

impl Nested {
    pub(crate) fn begin() -> Nested {
        Nested(POLLED.get())
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        POLLED.set(self.0);
    }
}

/// A wait with a context of `task` is to go on later.
///
/// # Panics
/// If another task is polled here.
#[inline]
pub(crate) fn expect(task: &Task) {
    let polled = POLLED.get();
    // The threads of a model share this thread.
    if !ptr::eq(polled, task) && !polled.is_null() && cfg!(not(loom)) {
        refuse(task);
    }
}

/// The panic names the task that is polled in its own words, as each panic of a task does.
#[cold]
fn refuse(task: &Task) -> ! {
    panic!(
        "{}: `cx`: it waits with the context of {}, which is not the task that runs here: a \
         cancel of this task would not be heard. Wait with the context that its closure was given",
        Status::BAD_ARGUMENT,
        task.id(),
    )
}
