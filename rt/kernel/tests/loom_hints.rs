//! The counts beside the locks of queues are hints that a worker relies on when it goes to sleep:
//! each queue with the announcement of `idle` (SCH-14, SCH-21). A model deadlocks if work is hidden
//! from a worker that sleeps.
#![cfg(loom)]

mod common;

use std::sync::Arc;

use asr_base::{TaskId, Time};
use asr_kernel::sched::idle::Idle;
use asr_kernel::sched::injector::Injector;
use asr_kernel::sched::pinned::Pinned;
use asr_kernel::sched::ring::Ring;
use asr_kernel::sched::urgent::Urgent;
use common::Item;
use loom::sync::Notify;
use loom::thread;

/// A producer that is awake queues one task; a worker takes it, in its sleep or out of it.
fn hides_nothing<Q: Send + Sync + 'static>(
    queue: impl Fn() -> Q + Send + Sync + 'static,
    push: impl Fn(&Q) + Copy + Send + Sync + 'static,
    has: impl Fn(&Q) -> bool + Copy + Send + Sync + 'static,
    take: impl Fn(&Q) -> Option<Item> + Copy + Send + Sync + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let shared = Arc::new((queue(), Idle::new(&[0, 0]), Notify::new()));
        let producer = {
            let shared = shared.clone();
            thread::spawn(move || {
                let (queue, idle, permit) = &*shared;
                push(queue);
                if idle.wake_one(|_| 0) == Some(1) {
                    permit.notify();
                }
            })
        };
        let (queue, idle, permit) = &*shared;
        let taken = loop {
            if let Some(item) = take(queue) {
                break item;
            }
            idle.announce(1, false);
            if !has(queue) {
                permit.wait();
            }
            let _ = idle.leave(1);
        };
        assert_eq!(taken.id(), 7);
        producer.join().unwrap();
        assert!(!has(queue));
    });
}

#[test]
fn sch_14_the_injector_hides_nothing() {
    hides_nothing(
        Injector::new,
        |queue| {
            queue.push(Item::new(7));
        },
        |queue| !queue.is_empty(),
        Injector::pop,
    );
}

#[test]
fn sch_14_an_inbox_hides_nothing() {
    hides_nothing(
        Pinned::new,
        |queue| {
            queue.push(Item::new(7));
        },
        |queue| !queue.is_empty(),
        Pinned::pop,
    );
}

#[test]
fn sch_14_the_cancel_lane_hides_nothing() {
    hides_nothing(
        Urgent::new,
        |queue| queue.push_cancel(Item::new(7), 200),
        Urgent::can_be_stolen,
        |queue| queue.steal().map(|(_, item)| item),
    );
}

#[test]
fn sch_14_the_timed_lane_hides_nothing() {
    hides_nothing(
        Urgent::new,
        |queue| queue.push_timed(Item::new(7), Time::ZERO, TaskId::new(0, 1)),
        |queue| !queue.is_empty(),
        Urgent::pop_timed,
    );
}

/// The ring of another worker, from which a thief takes.
#[test]
fn sch_14_a_ring_hides_nothing() {
    hides_nothing(
        || Arc::new(Ring::new()),
        |ring| {
            let owner = ring.own().expect("the first");
            owner.push(Item::new(7), &Injector::new());
        },
        |ring| !ring.is_empty(),
        |ring| {
            let thief = Arc::new(Ring::new()).own().expect("the first");
            thief.steal(ring, &Injector::new(), |_, _| ()).first
        },
    );
}

/// Its newest-first slot.
#[test]
fn sch_14_the_slot_hides_nothing() {
    hides_nothing(
        || Arc::new(Ring::new()),
        |ring| {
            let owner = ring.own().expect("the first");
            owner.push_newest(Item::new(7), &Injector::new());
        },
        |ring| !ring.is_empty(),
        |ring| ring.take_newest(),
    );
}
