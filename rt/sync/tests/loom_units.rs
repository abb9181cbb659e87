//! Units in every interleaving: what mutexes, semaphores and full channels wait in.
#![cfg(loom)]
#![allow(unsafe_code, reason = "waits at nodes by hand")]

mod model;

use std::pin::pin;
use std::task::Poll;

use asr_sync::cell::UnsafeCell;
use asr_sync::wait::{Node, Taken, Units};
use loom::sync::Arc;
use loom::thread;
use model::{model, once, wait};

/// Waits for one unit; takes it at once if it can.
fn acquire(units: &Units, need: u32) -> bool {
    match units.try_take(need) {
        Taken::Done(_) => return true,
        Taken::Closed => return false,
        Taken::Short => {}
    }
    let node = pin!(Node::new());
    // SAFETY: used with these units only, and ready when it goes.
    wait(|waker| unsafe { units.poll(node.as_ref(), need, waker) }).is_ok()
}

/// CHN-1, CHN-16: three threads take one permit in turn; no wake is missed, nobody is there twice,
/// and each sees what the one before wrote.
#[test]
fn chn_1_units_exclude_and_wake() {
    model(|| {
        let shared = Arc::new((Units::new(1), UnsafeCell::new(0)));
        let turn = |shared: &(Units, UnsafeCell<i32>)| {
            assert!(acquire(&shared.0, 1));
            // SAFETY: loom checks that nobody else is there.
            shared.1.with_mut(|value| unsafe { *value += 1 });
            shared.0.give(1);
        };
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || turn(&shared))
            })
            .collect();
        turn(&shared);
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(acquire(&shared.0, 1));
        // SAFETY: as above.
        assert_eq!(shared.1.with(|value| unsafe { *value }), 3);
    });
}

/// OBL-18: a waiter that was called leaves without having looked; the next is served.
#[test]
fn obl_18_a_call_passes_on() {
    model(|| {
        let units = Arc::new(Units::new(0));
        let leaver = {
            let units = units.clone();
            thread::spawn(move || {
                let node = pin!(Node::new());
                // SAFETY: used with these units only, and taken out before it goes.
                let polled = once(|waker| unsafe { units.poll(node.as_ref(), 1, waker) });
                match polled {
                    Poll::Ready(taken) => {
                        assert!(taken.is_ok());
                        units.give(1);
                    }
                    // SAFETY: as above.
                    Poll::Pending => unsafe { units.leave(node.as_ref()) },
                }
            })
        };
        let waiter = {
            let units = units.clone();
            thread::spawn(move || assert!(acquire(&units, 1)))
        };
        units.give(1);
        leaver.join().unwrap();
        waiter.join().unwrap();
        assert_eq!((units.word().free(), units.waiting()), (0, 0));
    });
}

/// CHN-2: whoever waits when it closes, or comes later, is told.
#[test]
fn chn_2_part_a_close_reaches_each_waiter() {
    model(|| {
        let units = Arc::new(Units::new(0));
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let units = units.clone();
                thread::spawn(move || acquire(&units, 1))
            })
            .collect();
        units.close();
        for waiter in waiters {
            assert!(!waiter.join().unwrap());
        }
        assert_eq!(units.waiting(), 0);
    });
}

/// CHN-21: a large request and a small one; both are served whatever comes first.
#[test]
fn chn_21_part_large_and_small() {
    model(|| {
        let units = Arc::new(Units::new(1));
        let large = {
            let units = units.clone();
            thread::spawn(move || {
                assert!(acquire(&units, 2));
                units.give(2);
            })
        };
        let small = {
            let units = units.clone();
            thread::spawn(move || {
                assert!(acquire(&units, 1));
                units.give(1);
            })
        };
        units.give(1);
        large.join().unwrap();
        small.join().unwrap();
        assert_eq!((units.word().free(), units.waiting()), (2, 0));
        assert!(matches!(units.try_take(2), Taken::Done(_)));
    });
}
