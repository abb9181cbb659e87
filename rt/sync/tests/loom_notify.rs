//! Notify in every interleaving (CHN-23).
#![cfg(loom)]
#![allow(unsafe_code, reason = "waits at nodes by hand")]

mod model;

use std::pin::pin;
use std::task::Poll;

use asr_sync::Notify;
use asr_sync::cell::UnsafeCell;
use asr_sync::wait::Node;
use loom::sync::Arc;
use loom::thread;
use model::{model, once, wait};

fn notified(notify: &Notify) {
    if notify.try_take() {
        return;
    }
    let node = pin!(Node::new());
    // SAFETY: used with this only, and ready when it goes.
    wait(|waker| unsafe { notify.poll(node.as_ref(), waker) });
}

/// Waits, and leaves after one look. True if it was notified at that look.
fn looks_and_leaves(notify: &Notify) -> bool {
    let node = pin!(Node::new());
    // SAFETY: used with this only, and taken out before it goes.
    let polled = once(|waker| unsafe { notify.poll(node.as_ref(), waker) });
    if polled == Poll::Pending {
        // SAFETY: as above.
        unsafe { notify.leave(node.as_ref()) };
    }
    polled.is_ready()
}

/// A permit that is stored or given is not missed, and shows what was done before it.
#[test]
fn chn_23_no_permit_is_missed() {
    model(|| {
        let shared = Arc::new((Notify::new(), UnsafeCell::new(0)));
        let notifier = {
            let shared = shared.clone();
            thread::spawn(move || {
                // SAFETY: loom checks that nobody else is there.
                shared.1.with_mut(|value| unsafe { *value = 7 });
                shared.0.notify_one();
            })
        };
        notified(&shared.0);
        // SAFETY: as above.
        assert_eq!(shared.1.with(|value| unsafe { *value }), 7);
        notifier.join().unwrap();
        assert!(!shared.0.try_take(), "one permit, one wait");
    });
}

/// One permit goes from hand to hand, and is there in the end.
#[test]
fn chn_23_from_hand_to_hand() {
    model(|| {
        let notify = Arc::new(Notify::new());
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let notify = notify.clone();
                thread::spawn(move || {
                    notified(&notify);
                    notify.notify_one();
                })
            })
            .collect();
        notify.notify_one();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert!(notify.try_take());
        assert_eq!(notify.waiting(), 0);
    });
}

/// A woken waiter that is gone passes its permit on, or it is stored.
#[test]
fn chn_23_a_permit_passes_on() {
    model(|| {
        let notify = Arc::new(Notify::new());
        let leaver = {
            let notify = notify.clone();
            thread::spawn(move || {
                if looks_and_leaves(&notify) {
                    notify.notify_one();
                }
            })
        };
        let waiter = {
            let notify = notify.clone();
            thread::spawn(move || notified(&notify))
        };
        notify.notify_one();
        leaver.join().unwrap();
        waiter.join().unwrap();
        assert!(!notify.try_take());
        assert_eq!(notify.waiting(), 0);
    });
}

/// `notify_all` reaches who waited before it, and stores nothing.
#[test]
fn chn_23_all_who_wait_now() {
    model(|| {
        let notify = Arc::new(Notify::new());
        let waiter = {
            let notify = notify.clone();
            thread::spawn(move || {
                if looks_and_leaves(&notify) {
                    panic!("nothing is stored");
                }
            })
        };
        notify.notify_all();
        waiter.join().unwrap();
        assert!(!notify.try_take());
        assert_eq!(notify.waiting(), 0);
    });
}
