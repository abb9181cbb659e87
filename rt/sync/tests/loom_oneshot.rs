//! Oneshot in every interleaving (CHN-11).
#![cfg(loom)]

mod model;

use std::task::Poll;

use asr_sync::Closed;
use asr_sync::oneshot::raw;
use loom::thread;
use model::{model, once, wait};

/// The message arrives, also at a receiver that waits, or gave a wait up before.
#[test]
fn chn_11_a_message_arrives() {
    model(|| {
        let (sender, mut receiver) = raw::<Box<u32>>(None);
        let sender = thread::spawn(move || sender.send(Box::new(7)).unwrap());
        if let Poll::Ready(got) = once(|waker| receiver.poll_recv(waker)) {
            assert_eq!(got, Ok(Box::new(7)));
        } else {
            receiver.leave();
            assert_eq!(wait(|waker| receiver.poll_recv(waker)), Ok(Box::new(7)));
        }
        assert_eq!(receiver.try_recv(), Err(Closed(())));
        sender.join().unwrap();
    });
}

/// A sender that goes is seen by a receiver that waits.
#[test]
fn chn_11_a_sender_that_goes_is_seen() {
    model(|| {
        let (sender, mut receiver) = raw::<u32>(None);
        let sender = thread::spawn(move || drop(sender));
        assert_eq!(wait(|waker| receiver.poll_recv(waker)), Err(Closed(())));
        sender.join().unwrap();
    });
}

/// A receiver that goes while the message is sent: it is back with the sender, or was dropped once.
#[test]
fn chn_11_a_message_without_receiver_is_handed_back() {
    model(|| {
        let (sender, mut receiver) = raw::<Box<u32>>(None);
        let sender = thread::spawn(move || match sender.send(Box::new(7)) {
            Ok(()) => true,
            Err(Closed(value)) => {
                assert_eq!(*value, 7);
                false
            }
        });
        let waits = once(|waker| receiver.poll_recv(waker)).is_pending();
        let undelivered = receiver.close();
        let sent = sender.join().unwrap();
        assert_eq!(sent, undelivered || !waits);
    });
}

/// The region of the sender ends: a receiver that waits hears of it, and no message is sent.
#[test]
fn chn_2_part_a_sender_whose_region_ends_is_heard() {
    model(|| {
        let (sender, mut receiver) = raw::<Box<u32>>(None);
        let sender = thread::spawn(move || {
            sender.shut();
            assert!(sender.is_closed());
            assert_eq!(sender.send(Box::new(7)), Err(Closed(Box::new(7))));
        });
        if once(|waker| receiver.poll_recv(waker)).is_pending() {
            receiver.leave();
        }
        assert_eq!(wait(|waker| receiver.poll_recv(waker)), Err(Closed(())));
        sender.join().unwrap();
    });
}

/// The region of the receiver ends while the message is sent: it is received, or back with the
/// sender.
#[test]
fn chn_27_part_a_receiver_whose_region_ends_takes_what_was_sent() {
    model(|| {
        let (sender, mut receiver) = raw::<Box<u32>>(None);
        let sender = thread::spawn(move || sender.send(Box::new(7)).is_ok());
        let early = once(|waker| receiver.poll_recv(waker));
        receiver.shut();
        let late = receiver.try_recv();
        drop(receiver);
        let sent = sender.join().unwrap();
        assert_eq!(sent, early.is_ready() || late.is_ok());
    });
}
