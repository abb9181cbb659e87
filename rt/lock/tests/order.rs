//! The order of locks is checked, and what its panics say.
#![cfg(all(not(loom), any(debug_assertions, feature = "lock-order")))]

use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use asr_lock::rank::{Obligation, Region, SlabGrow, Task, TraceGate};
use asr_lock::{Condvar, Mutex, Rank, RwLock, held};

/// What the panic of `run` says; the thread holds afterwards what it held before.
fn refused<T>(run: impl FnOnce() -> T) -> String {
    let before = held();
    let Err(payload) = catch_unwind(AssertUnwindSafe(run)) else {
        panic!("nothing was refused");
    };
    assert_eq!(held(), before);
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => resume_unwind(other),
    }
}

/// A place so many lines further down.
#[track_caller]
fn below(lines: u32) -> String {
    let here = Location::caller();
    format!("{}:{}:", here.file(), here.line() + lines)
}

#[test]
fn sch_35_a_deliberate_inversion_is_caught_with_both_sites() {
    let (region, slab) = (Mutex::<_, Region>::new(1), Mutex::<_, SlabGrow>::new(2));
    // The right way round.
    let outer = region.lock();
    let inner = slab.lock();
    assert_eq!((*outer, *inner, held()), (1, 2, 2));
    drop((outer, inner));
    assert_eq!(held(), 0);

    let first = below(1);
    let inner = slab.lock();
    let second = below(1);
    let text = refused(|| region.lock());
    assert!(text.starts_with("SCH-35: "), "{text}");
    for part in [&first, &second] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    for name in [Region::INFO.name, SlabGrow::INFO.name] {
        assert!(text.contains(&format!("`{name}`")), "{name}: {text}");
    }
    // Refused before it was taken, and nothing is poisoned.
    assert!(region.try_lock().is_some());
    drop(inner);
    assert_eq!(*region.lock(), 1);
}

#[test]
fn sch_35_the_same_rank_twice_is_refused() {
    let (one, other) = (Mutex::<_, Region>::new(()), Mutex::<_, Region>::new(()));
    let first = one.lock();
    for text in [refused(|| other.lock()), refused(|| one.lock())] {
        assert_eq!(text.matches("`region`").count(), 2, "{text}");
    }
    drop(first);
    drop(other.lock());
    drop(one.lock());
}

/// An attempt waits for nobody, so it is refused nowhere; what it took counts.
#[test]
fn sch_35_an_attempt_may_come_in_any_order_and_counts() {
    let (token, task) = (Mutex::<_, Obligation>::new(()), Mutex::<_, Task>::new(()));
    let slab = Mutex::<_, SlabGrow>::new(());
    let late = slab.lock();
    let tried = task.try_lock();
    assert!(tried.is_some());
    assert_eq!(held(), 2);
    assert!(task.try_lock().is_none());
    assert_eq!(held(), 2);
    drop(late);
    let text = refused(|| token.lock());
    assert!(text.contains("`task`"), "{text}");
    drop(tried);
    drop(token.lock());
}

#[test]
fn sch_35_locks_to_read_and_write_are_checked() {
    let gate = RwLock::<_, TraceGate>::new(7);
    let (token, region) = (Mutex::<_, Obligation>::new(()), Mutex::<_, Region>::new(()));
    let read = gate.try_read();
    assert_eq!(read.as_deref(), Some(&7));
    drop(region.lock());
    assert!(refused(|| token.lock()).contains("`trace.gate`"));
    assert!(refused(|| gate.write()).contains("`trace.gate`"));
    drop(read);
    *gate.write() += 1;
    let late = region.lock();
    assert!(refused(|| gate.write()).contains("`region`"));
    assert_eq!(gate.try_read().as_deref(), Some(&8));
    drop(late);
}

#[test]
fn sch_35_a_wait_gives_its_lock_back_and_takes_it_again() {
    let (full, changed) = (Mutex::<_, Region>::new(false), Condvar::new());
    let slab = Mutex::<_, SlabGrow>::new(());
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut guard = full.lock();
            while !*guard {
                changed.wait(&mut guard);
                // It is held again, by this thread.
                assert_eq!(held(), 1);
            }
            drop(slab.lock());
            assert!(refused(|| full.lock()).contains("`region`"));
            drop(guard);
            assert_eq!(held(), 0);
        });
        // The waiter gave it back, or it could not be taken here.
        *full.lock() = true;
        changed.notify_all();
    });
    let mut guard = full.lock();
    assert!(changed.wait_for(&mut guard, Duration::from_micros(1)));
    let again = below(1);
    assert!(changed.wait_for(&mut guard, Duration::from_micros(1)));
    // Since the wait it is held from there.
    let text = refused(|| full.lock());
    assert!(text.contains(&again), "{again} is not in: {text}");
}

#[test]
fn sch_35_a_wait_with_another_lock_is_refused() {
    let (region, slab) = (Mutex::<_, Region>::new(()), Mutex::<_, SlabGrow>::new(()));
    let changed = Condvar::new();
    let limit = Duration::from_micros(1);
    for first_is_other in [false, true] {
        let (mut waits, other) = if first_is_other {
            let other = region.lock();
            (slab.lock(), other)
        } else {
            // By attempt, so that the order allows it.
            (slab.lock(), region.try_lock().expect("it is free"))
        };
        let place = below(1);
        let text = refused(|| changed.wait_for(&mut waits, limit));
        assert!(text.contains(&place) && text.contains("`region`"), "{text}");
        // Refused before it was given back.
        assert_eq!(held(), 2);
        drop(other);
        assert!(changed.wait_for(&mut waits, limit));
    }
}

/// What counts is what is held, not what was taken last.
#[test]
fn sch_35_guards_may_go_in_any_order() {
    let (token, region) = (Mutex::<_, Obligation>::new(()), Mutex::<_, Region>::new(()));
    let slab = Mutex::<_, SlabGrow>::new(());
    let (first, second, third) = (token.lock(), region.lock(), slab.lock());
    drop(first);
    // The token is free, and still comes before what is held.
    assert!(refused(|| token.lock()).contains("`region`"));
    drop(second);
    assert!(refused(|| region.lock()).contains("`slab.grow`"));
    drop(third);
    let (first, third) = (token.lock(), slab.lock());
    drop(first);
    assert!(refused(|| token.lock()).contains("`slab.grow`"));
    drop(third);
    drop(region.lock());
    assert_eq!(held(), 0);
}

/// A destructor that takes a lock in the wrong order while the thread unwinds: the first panic goes
/// on, the process too.
#[test]
fn sch_35_a_thread_that_unwinds_is_not_checked() {
    struct Late<'l>(&'l Mutex<(), Region>, &'l AtomicBool);
    impl Drop for Late<'_> {
        fn drop(&mut self) {
            drop(self.0.lock());
            self.1.store(true, SeqCst);
        }
    }
    let (region, task) = (Mutex::<_, Region>::new(()), Mutex::<_, Task>::new(()));
    let took = AtomicBool::new(false);
    let text = refused(|| {
        let _guard = task.lock();
        let _late = Late(&region, &took);
        std::panic::panic_any(String::from("the first panic"));
    });
    assert_eq!(text, "the first panic");
    assert!(took.load(SeqCst));
    assert_eq!(held(), 0);
}

/// Threads do not see each other's locks.
#[test]
fn sch_35_each_thread_has_its_own_order() {
    let (region, task) = (Mutex::<_, Region>::new(()), Mutex::<_, Task>::new(()));
    let guard = task.lock();
    std::thread::scope(|threads| {
        threads.spawn(|| drop(region.lock()));
    });
    drop(guard);
}

/// Random sections over four ranks against a list: a lock is refused exactly if the thread holds
/// one that its row does not go under, wherever that lies in the list. The record of a token comes
/// before region and task, which never go together; a slab grows under a region, and so a token.
#[test]
fn sch_35_the_check_agrees_with_a_list() {
    const UNDER: [&[usize]; 4] = [&[], &[0], &[0], &[0, 1]];

    trait Guard {}
    impl<G> Guard for G {}
    trait Lock {
        fn take(&self) -> Box<dyn Guard + '_>;
        fn attempt(&self) -> Option<Box<dyn Guard + '_>>;
    }
    impl<R: Rank> Lock for Mutex<(), R> {
        fn take(&self) -> Box<dyn Guard + '_> {
            Box::new(self.lock())
        }
        fn attempt(&self) -> Option<Box<dyn Guard + '_>> {
            Some(Box::new(self.try_lock()?))
        }
    }
    let (a, b) = (Mutex::<_, Obligation>::new(()), Mutex::<_, Region>::new(()));
    let (c, d) = (Mutex::<_, Task>::new(()), Mutex::<_, SlabGrow>::new(()));
    let locks: [&dyn Lock; 4] = [&a, &b, &c, &d];
    let (mut seed, mut refusals, mut deepest) = (7u64, 0, 0);
    let mut kept: Vec<(usize, Box<dyn Guard + '_>)> = Vec::new();
    for _ in 0..2_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = (seed >> 33) as usize % 4;
        let goes = kept.iter().all(|(held, _)| UNDER[at].contains(held));
        match (seed >> 40) % 8 {
            0..3 if !kept.is_empty() => drop(kept.remove(at % kept.len())),
            3 => {
                let free = kept.iter().all(|(held, _)| *held != at);
                let got = locks[at].attempt();
                assert_eq!(got.is_some(), free);
                kept.extend(got.map(|guard| (at, guard)));
            }
            _ if goes => kept.push((at, locks[at].take())),
            _ => {
                let _ = refused(|| locks[at].take());
                refusals += 1;
            }
        }
        deepest = deepest.max(kept.len());
        assert_eq!(held(), kept.len());
    }
    assert!(refusals > 50 && deepest > 2, "{refusals}, {deepest}");
}
