//! What the healer keeps per thread: const-initialized thread-locals without destructors, so that
//! signal handlers and foreign threads may use them.

use std::cell::Cell;

use asr_abi::ObjectHeader;

/// Handlers of one thread that may run inside each other; deeper reports are queued.
pub(crate) const DEPTH_MAX: usize = 8;

thread_local! {
    static SIGNAL_DEPTH: Cell<u32> = const { Cell::new(0) };
    static TICKET: Cell<u32> = const { Cell::new(u32::MAX) };
    static LANE: Cell<usize> = const { Cell::new(usize::MAX) };
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static SELF_REPORTED: Cell<u32> = const { Cell::new(0) };
    static REPAIRING: [Cell<*const ObjectHeader>; DEPTH_MAX] =
        const { [const { Cell::new(std::ptr::null()) }; DEPTH_MAX] };
}

/// What follows on this thread runs inside a signal handler: reports only enqueue.
pub fn signal_enter() {
    SIGNAL_DEPTH.with(|depth| depth.set(depth.get().saturating_add(1)));
}

/// Ends the innermost [`signal_enter`].
pub fn signal_leave() {
    SIGNAL_DEPTH.with(|depth| depth.set(depth.get().saturating_sub(1)));
}

/// Whether the calling thread is inside a signal handler, as far as it told.
pub fn in_signal() -> bool {
    SIGNAL_DEPTH.with(|depth| depth.get() != 0)
}

/// This thread's ticket for null reports, one of `count`.
pub(crate) fn ticket(count: u32) -> usize {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    TICKET.with(|ticket| {
        if ticket.get() == u32::MAX {
            // Relaxed: only distinctness matters.
            ticket.set(NEXT.fetch_add(1, Relaxed) % count);
        }
        ticket.get() as usize
    })
}

/// A small number of this thread's, different from those of most others: which of several counts
/// or slots it uses first.
pub(crate) fn lane() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    LANE.with(|lane| {
        if lane.get() == usize::MAX {
            // Relaxed: only distinctness matters.
            lane.set(NEXT.fetch_add(1, Relaxed));
        }
        lane.get()
    })
}

/// Whether a handler runs on this thread's stack.
pub(crate) fn in_handler() -> bool {
    DEPTH.with(Cell::get) != 0
}

/// Whether another handler may run on this thread's stack.
pub(crate) fn may_nest() -> bool {
    DEPTH.with(Cell::get) < DEPTH_MAX
}

/// A handler of this thread reported the object that it repairs.
pub(crate) fn note_self_report(object: *const ObjectHeader) -> bool {
    let depth = DEPTH.with(Cell::get);
    let found = REPAIRING.with(|all| all[..depth].iter().position(|one| one.get() == object));
    if let Some(level) = found {
        SELF_REPORTED.with(|bits| bits.set(bits.get() | 1 << level));
    }
    found.is_some()
}

/// Runs a handler on an object; answers its result and whether it reported that very object.
pub(crate) fn nested<R>(object: *const ObjectHeader, run: impl FnOnce() -> R) -> (R, bool) {
    let level = DEPTH.with(Cell::get);
    assert!(level < DEPTH_MAX, "handlers nest too deeply");
    REPAIRING.with(|all| all[level].set(object));
    SELF_REPORTED.with(|bits| bits.set(bits.get() & !(1 << level)));
    DEPTH.with(|depth| depth.set(level + 1));
    let result = run();
    DEPTH.with(|depth| depth.set(level));
    let reported = SELF_REPORTED.with(Cell::get) >> level & 1 != 0;
    (result, reported)
}

/// Whether a handler of this thread is repairing the object.
pub(crate) fn is_repairing(object: *const ObjectHeader) -> bool {
    let depth = DEPTH.with(Cell::get);
    REPAIRING.with(|all| all[..depth].iter().any(|one| one.get() == object))
}
