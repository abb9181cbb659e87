//! What waiting for locks costs, in a build with the feature `lock-metrics`.
#![cfg(feature = "lock-metrics")]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use asr_lock::rank::{CodeRegistry, Region, SchedTicker, Task, Timers, TraceGate};
use asr_lock::{Condvar, Mutex, Rank, RwLock, TABLE, metrics};

/// Each test has ranks of its own, because the sums are those of the process.
#[test]
fn sch_37_contention_shows_as_waits_and_holds() {
    let hold = Duration::from_millis(3);
    let (shared, held) = (Mutex::<_, Region>::new(0u32), AtomicBool::new(false));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut value = shared.lock();
            held.store(true, SeqCst);
            let began = Instant::now();
            // Until the other waits for it.
            while metrics().of::<Region>().contended == 0 || began.elapsed() < hold {
                std::thread::sleep(hold);
            }
            *value += 1;
        });
        while !held.load(SeqCst) {
            std::thread::yield_now();
        }
        assert!(shared.try_lock().is_none());
        *shared.lock() += 1;
    });
    let row = metrics().of::<Region>();
    assert_eq!((row.name, row.taken, row.refused), ("region", 2, 1));
    assert_eq!(row.contended, 1, "{row:?}");
    assert!(row.waited > 0 && row.waited == row.longest_wait, "{row:?}");
    assert!(row.longest_hold >= 3_000_000, "{row:?}");
    assert!(row.held > row.longest_hold, "{row:?}");
    assert_eq!(shared.into_inner(), 2);
}

#[test]
fn sch_37_many_threads_are_counted_one_by_one() {
    let shared = Mutex::<_, Timers>::new(0u64);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| (0..5_000).for_each(|_| *shared.lock() += 1));
        }
    });
    let row = metrics().of::<Timers>();
    assert_eq!((row.taken, row.refused), (20_000, 0));
    assert!(row.contended <= row.taken);
    assert_eq!(row.contended == 0, row.waited == 0, "{row:?}");
    assert!(
        row.held >= row.longest_hold && row.longest_hold > 0,
        "{row:?}"
    );
}

/// A wait on a condition variable is two holds, and no wait for the lock.
#[test]
fn sch_37_a_wait_ends_a_hold() {
    let (lock, never) = (Mutex::<_, SchedTicker>::new(()), Condvar::new());
    let limit = Duration::from_millis(20);
    let mut guard = lock.lock();
    assert!(never.wait_for(&mut guard, limit));
    drop(guard);
    let row = metrics().of::<SchedTicker>();
    assert_eq!((row.taken, row.contended, row.waited), (2, 0, 0));
}

#[test]
fn sch_37_reads_and_writes_are_counted() {
    let gate = RwLock::<_, TraceGate>::new(1);
    let read = gate.try_read();
    assert_eq!(read.as_deref(), Some(&1));
    drop(read);
    *gate.write() += 1;
    let row = metrics().of::<TraceGate>();
    assert_eq!((row.taken, row.contended, row.refused), (2, 0, 0));
}

#[test]
fn sch_37_the_table_names_what_was_taken() {
    let locks = (Mutex::<_, Task>::new(()), Mutex::<_, CodeRegistry>::new(()));
    drop((locks.0.lock(), locks.1.try_lock()));
    let all = metrics();
    assert_eq!(all.rows.len(), TABLE.len());
    let text = all.to_string();
    let has = |name: &str| {
        text.lines()
            .any(|line| line.split(' ').next() == Some(name))
    };
    assert!(has("lock") && has(Task::INFO.name) && has(CodeRegistry::INFO.name));
    // Nobody here took one.
    assert!(!has("heal.handlers"), "{text}");
}
