//! Narrowing allocates nothing (CAP-8). Alone in its program, because it counts every allocation.
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use asr_base::Outcome;
use asr_kernel::cx::caps::{Entropy, Heal, Io, Task, Time, Trace};
use asr_kernel::cx::{Caps, Checked};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: the system's allocator, and a count beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

/// What `run` allocates on this thread.
fn counted<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let before = COUNT.get();
    let value = run();
    (value, COUNT.get() - before)
}

#[test]
fn cap_8_narrowing_allocates_nothing() {
    let outcome = Local::new(Config::default()).run(async |cx| {
        assert_eq!(counted(|| Box::new(7)).1, 1, "it counts");
        let (shared, count) = counted(|| cx.share::<Io>());
        assert_eq!(count, 0);
        let (narrow, count) = counted(|| shared.without::<Time>().without::<Entropy>());
        assert_eq!(count, 0);
        let bits = Caps::ALL.without::<Trace>();
        let (checked, count): (Cx<Checked>, _) = counted(|| narrow.restrict(bits));
        assert_eq!(count, 0);
        let (last, count) = counted(|| checked.without::<Heal>().restrict(Caps::ALL));
        assert_eq!(count, 0);
        assert!(!last.caps().has::<Trace>() && last.caps().has::<Task>());
        // To use what is left costs nothing more either.
        let (allowed, count) = counted(|| last.require::<Task>("spawn"));
        allowed?;
        assert_eq!(count, 0);
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}
