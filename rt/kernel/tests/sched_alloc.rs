//! SCH-13: what an operation of a queue costs, in allocations and in visits of records, with few
//! and with very many queued.
#![allow(unsafe_code, reason = "an entry that counts visits")]

#[path = "../../base/tests/counting/mod.rs"]
mod counting;
#[path = "common/steady.rs"]
mod steady;

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;

use asr_base::{Outcome, TaskId, Time};
use asr_kernel::Config;
use asr_kernel::sched::entry::{Entry, Link};
use asr_kernel::sched::injector::Injector;
use asr_kernel::sched::pinned::Pinned;
use asr_kernel::sched::ring::{Owner, Ring, SLOTS};
use asr_kernel::sched::urgent::Urgent;
use asr_kernel::sched::{Workers, WorkersConfig};
use counting::operations;

thread_local! {
    static VISITS: Cell<usize> = const { Cell::new(0) };
}

/// An entry that borrows its record from the test, and counts each visit of a link.
struct Task<'r>(&'r Link<Record>);

#[repr(transparent)]
struct Record(Link<Record>);

// SAFETY: records are atomic, and outlive the test's queues.
unsafe impl Send for Task<'_> {}

// SAFETY: the record is borrowed for longer than the queues exist.
unsafe impl<'r> Entry for Task<'r> {
    type Record = Record;

    fn into_raw(self) -> NonNull<Record> {
        NonNull::from(self.0).cast()
    }

    unsafe fn from_raw(record: NonNull<Record>) -> Task<'r> {
        // SAFETY: made from such a reference in `into_raw`.
        Task(unsafe { &record.as_ref().0 })
    }

    fn link(record: &Record) -> &Link<Record> {
        VISITS.set(VISITS.get() + 1);
        &record.0
    }
}

/// Allocations and visits of links in `run`.
fn cost(run: impl FnOnce()) -> (usize, usize) {
    let before = (operations(), VISITS.get());
    run();
    ((operations() - before.0) as usize, VISITS.get() - before.1)
}

const SIZES: [usize; 2] = [10, 100_000];
const ROUNDS: usize = 1000;

fn records(n: usize) -> Vec<Record> {
    (0..=n).map(|_| Record(Link::default())).collect()
}

/// The lists: two links for a push, one for a pop, whatever waits.
#[test]
fn sch_13_lists_cost_the_same_at_any_length() {
    for size in SIZES {
        let records = records(size);
        let injector = Injector::new();
        let inbox = Pinned::new();
        let (queued, rest) = records.split_at(size);
        for record in queued {
            injector.push(Task(&record.0));
        }
        let one = cost(|| {
            let mut next = Task(&rest[0].0);
            for _ in 0..ROUNDS {
                injector.push(next);
                next = injector.pop().expect("it waits");
            }
            inbox.push(next);
        });
        assert_eq!(one, (0, 3 * ROUNDS + 1), "{size} in the injector");
        while injector.pop().is_some() {}
        assert!(inbox.pop().is_some());
        for record in queued {
            inbox.push(Task(&record.0));
        }
        let one = cost(|| {
            for _ in 0..ROUNDS {
                inbox.push(inbox.pop().expect("it waits"));
            }
        });
        assert_eq!(one, (0, 3 * ROUNDS), "{size} in an inbox");
    }
}

/// The ring visits no record, but for those of a batch that it gives up.
#[test]
fn sch_13_the_ring_allocates_nothing() {
    let records = records(2 * SLOTS);
    let injector = Injector::new();
    let [worker, thief]: [Owner<Task<'_>>; 2] =
        [(); 2].map(|()| Arc::new(Ring::new()).own().expect("the first"));
    for filled in [1, 10, SLOTS] {
        while worker.pop().is_some() {}
        for record in &records[..filled] {
            worker.push(Task(&record.0), &injector);
        }
        let one = cost(|| {
            for _ in 0..ROUNDS {
                let task = worker.pop().expect("it waits");
                worker.push_newest(task, &injector);
                let task = worker.pop_newest().expect("it waits");
                worker.push(task, &injector);
            }
        });
        assert_eq!(one, (0, 0), "{filled} in the ring");
        let (allocations, _) = cost(|| {
            for _ in 0..ROUNDS {
                let stolen = thief.steal(worker.ring(), &injector, |_, _| ());
                worker.push(stolen.first.expect("there is one"), &injector);
                while let Some(task) = thief.pop() {
                    worker.push(task, &injector);
                }
            }
        });
        assert_eq!(allocations, 0);
    }
    let over = cost(|| {
        worker.push(Task(&records[SLOTS].0), &injector);
    });
    // The older half, in batches: one record more for the end of each list.
    assert_eq!(over.0, 0);
    assert!((SLOTS / 2..=SLOTS).contains(&over.1), "{over:?}");
    assert_eq!(injector.len(), SLOTS / 2);
}

/// Both urgent lanes: nothing is allocated once the most has waited, and no record is visited.
#[test]
fn sch_13_the_urgent_lanes_allocate_nothing_in_steady_state() {
    for size in SIZES {
        let records = records(size);
        let urgent = Urgent::new();
        let lane = |n: usize| 200 + (n % 56) as u8;
        let due = |n: usize| {
            (
                Time::from_nanos((n % 1000) as u64),
                TaskId::new(n as u32, 1),
            )
        };
        for (n, record) in records.iter().enumerate() {
            urgent.push_cancel(Task(&record.0), lane(n));
            let (at, task) = due(n);
            urgent.push_timed(Task(&record.0), at, task);
        }
        let steady = cost(|| {
            for n in 0..ROUNDS {
                let task = urgent.pop_cancel().expect("it waits");
                urgent.push_cancel(task, lane(n));
                let (at, id) = due(n);
                let task = urgent.pop_timed().expect("it waits");
                urgent.push_timed(task, at, id);
                let (_, task) = urgent.steal().expect("it waits");
                urgent.push_cancel(task, lane(n));
            }
        });
        assert_eq!(steady, (0, 0), "{size}");
        // Empty and full again: the storage was kept.
        let again = cost(|| {
            let mut tasks = 0;
            while urgent.pop_cancel().is_some() || urgent.pop_timed().is_some() {
                tasks += 1;
            }
            assert_eq!(tasks, 2 * records.len());
            for (n, record) in records.iter().enumerate() {
                urgent.push_cancel(Task(&record.0), lane(n));
            }
        });
        assert_eq!(again, (0, 0), "{size}");
    }
}

/// A worker that goes from task to task allocates nothing, whatever the lanes.
#[test]
fn sch_13_dispatches_allocate_nothing() {
    let workers = Workers::new(WorkersConfig::workers(1), Config::default()).expect("a thread");
    let outcome = workers.run(steady::allocations);
    assert!(matches!(outcome, Outcome::Ok(0)), "{outcome:?}");
}
