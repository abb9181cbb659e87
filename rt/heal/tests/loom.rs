//! Models of the shared words: run with `RUSTFLAGS="--cfg loom"`.
#![cfg(loom)]
#![allow(unsafe_code, reason = "pushes raw nodes")]

use std::ptr;

use asr_abi::repair_word::{DEAD, HEALTHY, QUEUED, REPAIRING};
use asr_heal::stack::{Linked, Stack};
use asr_heal::word::{self, Marking, begin, finish, look_again, mark, step};
use asr_kernel::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::*};
use loom::cell::UnsafeCell;
use loom::sync::Arc;

struct Object {
    word: AtomicU64,
    /// What a reporter wrote before its report.
    damage: [AtomicU32; 2],
    /// What a repair saw last; touched by the owner only, which loom checks.
    seen: UnsafeCell<[u32; 2]>,
    queued: AtomicU32,
}

impl Object {
    fn new() -> Arc<Object> {
        Arc::new(Object {
            word: AtomicU64::new(0),
            damage: [AtomicU32::new(0), AtomicU32::new(0)],
            seen: UnsafeCell::new([0; 2]),
            queued: AtomicU32::new(0),
        })
    }

    /// One look at the object, by its owner.
    fn look(&self) {
        let now = [self.damage[0].load(Relaxed), self.damage[1].load(Relaxed)];
        // SAFETY: the owner is alone; loom fails the model when it is not.
        self.seen.with_mut(|seen| unsafe { *seen = now });
    }

    /// A report of the fast path: one look, then the queue when another report came.
    fn report(&self, reporter: usize) {
        self.damage[reporter].store(1, Relaxed);
        if mark(&self.word) != Marking::Owned {
            return;
        }
        begin(&self.word);
        self.look();
        if !finish(&self.word) {
            self.queued.fetch_add(1, Relaxed);
            step(&self.word, QUEUED, 0);
        }
    }

    /// The supervisor, if there is a job.
    fn serve(&self) {
        if word::state(self.word.load(Acquire)) != QUEUED {
            return;
        }
        begin(&self.word);
        self.look();
        while !finish(&self.word) {
            look_again(&self.word);
            self.look();
        }
    }
}

/// HEAL-15, HEAL-18: two reporters and a supervisor. One repairs at a time, at most one job
/// exists, and what was damaged before a report was seen by the last look.
#[test]
fn heal_15_two_reporters_and_a_supervisor() {
    loom::model(|| {
        let object = Object::new();
        let reporters: Vec<_> = (0..2)
            .map(|reporter| {
                let object = object.clone();
                loom::thread::spawn(move || object.report(reporter))
            })
            .collect();
        object.serve();
        for reporter in reporters {
            reporter.join().unwrap();
        }
        object.serve();
        assert_eq!(word::state(object.word.load(Acquire)), HEALTHY);
        assert!(object.queued.load(Relaxed) <= 1);
        // SAFETY: all others have ended.
        object
            .seen
            .with(|seen| assert_eq!(unsafe { *seen }, [1, 1], "the last report was seen"));
    });
}

/// HEAL-18: a report of a dead object leaves the word as it is.
#[test]
fn heal_18_the_dead_stay_dead() {
    loom::model(|| {
        let object = Object::new();
        let reporter = {
            let object = object.clone();
            loom::thread::spawn(move || mark(&object.word) == Marking::Owned)
        };
        // A retirement: takes it along the edges, if it is Healthy.
        let mine = mark(&object.word) == Marking::Owned;
        if mine {
            begin(&object.word);
            step(&object.word, DEAD, 0);
        }
        let theirs = reporter.join().unwrap();
        assert!(mine != theirs, "one owner");
        if mine {
            assert_eq!(word::state(object.word.load(Acquire)), DEAD);
            assert_eq!(mark(&object.word), Marking::Dead);
        } else {
            begin(&object.word);
            assert_eq!(word::state(object.word.load(Acquire)), REPAIRING);
        }
    });
}

/// HEAL-2: a ticket of null reports: the counts of its jobs and what is pending add up.
#[test]
fn heal_2_a_ticket_loses_no_count() {
    loom::model(|| {
        struct Ticket {
            word: AtomicU64,
            pending: AtomicU64,
            counted: AtomicU64,
        }
        impl Ticket {
            fn run(&self) {
                begin(&self.word);
                loop {
                    self.counted
                        .fetch_add(self.pending.swap(0, AcqRel), Relaxed);
                    if finish(&self.word) {
                        return;
                    }
                    look_again(&self.word);
                }
            }
            fn report(&self) {
                self.pending.fetch_add(1, Release);
                if mark(&self.word) == Marking::Owned {
                    step(&self.word, QUEUED, 0);
                    self.run();
                }
            }
        }
        let ticket = Arc::new(Ticket {
            word: AtomicU64::new(0),
            pending: AtomicU64::new(0),
            counted: AtomicU64::new(0),
        });
        let other = {
            let ticket = ticket.clone();
            loom::thread::spawn(move || ticket.report())
        };
        ticket.report();
        other.join().unwrap();
        assert_eq!(ticket.counted.load(Relaxed), 2);
    });
}

struct Node {
    next: AtomicPtr<Node>,
    pushed_by: UnsafeCell<u32>,
}

impl Node {
    fn new() -> Box<Node> {
        Box::new(Node {
            next: AtomicPtr::new(ptr::null_mut()),
            pushed_by: UnsafeCell::new(0),
        })
    }
}

impl Linked for Node {
    fn set_next(&self, next: *mut Self) {
        self.next.store(next, Relaxed);
    }
    fn next(&self) -> *mut Self {
        self.next.load(Relaxed)
    }
}

/// HEAL-19: two pushers and a popper. Each node comes out once, with what its pusher wrote.
#[test]
fn heal_19_two_pushers_and_a_popper() {
    loom::model(|| {
        let stack = Arc::new(Stack::<Node>::new());
        let pushers: Vec<_> = (1..=2)
            .map(|pusher| {
                let stack = stack.clone();
                loom::thread::spawn(move || {
                    let node = Box::into_raw(Node::new());
                    // SAFETY: the node is this thread's until it is pushed; the taker frees it.
                    unsafe {
                        (*node).pushed_by.with_mut(|by| *by = pusher);
                        stack.push(node);
                    }
                })
            })
            .collect();
        let mut sum = 0;
        let mut take = || {
            for node in stack.take() {
                // SAFETY: taken, so this thread's, and made by `Box::into_raw`.
                let node = unsafe { Box::from_raw(node) };
                // SAFETY: as above; loom fails the model when the pusher's write is not visible.
                sum += node.pushed_by.with(|by| unsafe { *by });
            }
        };
        take();
        for pusher in pushers {
            pusher.join().unwrap();
        }
        take();
        assert_eq!(sum, 3);
    });
}
