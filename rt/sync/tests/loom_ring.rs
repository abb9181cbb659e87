//! The ring of bounded channels in every interleaving.
#![cfg(loom)]
#![allow(unsafe_code, reason = "waits at nodes by hand")]

mod model;

use std::pin::pin;
use std::task::Poll;

use asr_sync::Closed;
use asr_sync::mpsc::{Cursor, Ring};
use asr_sync::wait::{Node, Taken};
use loom::sync::Arc;
use loom::thread;
use model::{model, once, wait};

fn send(ring: &Ring<u32>, value: u32) -> Result<(), Closed<u32>> {
    let value = match ring.try_send(value)? {
        None => return Ok(()),
        Some(value) => value,
    };
    let node = pin!(Node::new());
    // SAFETY: used with this ring only, and ready when it goes.
    let reserved = wait(|waker| unsafe { ring.units().poll(node.as_ref(), 1, waker) });
    match reserved {
        Ok(()) => ring.send_reserved(value),
        Err(_) => Err(Closed(value)),
    }
}

fn recv(ring: &Ring<u32>, cursor: &mut Cursor) -> Result<u32, Closed> {
    let value = wait(|waker| ring.poll_recv(cursor, waker))?;
    ring.units().give(1);
    Ok(value)
}

/// CHN-6, CHN-7: two senders and room for one: everything arrives, then the end.
#[test]
fn chn_6_part_everything_arrives_in_order() {
    model(|| {
        let ring = Arc::new(Ring::new(1));
        ring.retain();
        let sender = |from: u32| {
            let ring = ring.clone();
            move || {
                send(&ring, from).unwrap();
                ring.release();
            }
        };
        let first = thread::spawn(sender(10));
        let second = thread::spawn(sender(20));
        let mut cursor = Cursor::default();
        let got = [recv(&ring, &mut cursor), recv(&ring, &mut cursor)];
        assert!(
            got == [Ok(10), Ok(20)] || got == [Ok(20), Ok(10)],
            "{got:?}"
        );
        assert_eq!(recv(&ring, &mut cursor), Err(Closed(())));
        first.join().unwrap();
        second.join().unwrap();
    });
}

/// CHN-1: a receiver that begins to wait misses neither a message nor the end.
#[test]
fn chn_1_a_receiver_misses_nothing() {
    model(|| {
        let ring = Arc::new(Ring::new(2));
        let sender = {
            let ring = ring.clone();
            thread::spawn(move || {
                assert_eq!(ring.try_send(1), Ok(None));
                assert_eq!(ring.try_send(2), Ok(None));
                ring.release();
            })
        };
        let mut cursor = Cursor::default();
        // A wait that is given up in between leaves nothing.
        let first = match once(|waker| ring.poll_recv(&mut cursor, waker)) {
            Poll::Ready(value) => value,
            Poll::Pending => {
                ring.leave(&mut cursor);
                recv(&ring, &mut cursor)
            }
        };
        assert_eq!(first, Ok(1));
        assert_eq!(recv(&ring, &mut cursor), Ok(2));
        assert_eq!(recv(&ring, &mut cursor), Err(Closed(())));
        sender.join().unwrap();
    });
}

/// OBL-8, CHN-2: a receiver closes while messages are sent: each is received, undelivered, or back
/// with its sender.
#[test]
fn obl_8_each_message_is_somewhere() {
    model(|| {
        let ring = Arc::new(Ring::new(1));
        ring.retain();
        let sender = |value: u32| {
            let ring = ring.clone();
            move || {
                let sent = send(&ring, value).is_ok();
                ring.release();
                u64::from(sent)
            }
        };
        let first = thread::spawn(sender(1));
        let second = thread::spawn(sender(2));
        let mut cursor = Cursor::default();
        let received = ring.try_recv(&mut cursor).is_ok_and(|got| got.is_some());
        if received {
            ring.units().give(1);
        }
        let undelivered = ring.close(&mut cursor);
        let sent = first.join().unwrap() + second.join().unwrap();
        assert_eq!(sent, u64::from(received) + undelivered);
    });
}

/// CHN-8: a permit keeps the channel open; what it sends arrives before the end.
#[test]
fn chn_8_part_a_permit_sends_before_the_end() {
    model(|| {
        let ring = Arc::new(Ring::new(1));
        assert!(matches!(ring.units().try_take(1), Taken::Done(_)));
        let holder = {
            let ring = ring.clone();
            thread::spawn(move || {
                ring.send_reserved(5).unwrap();
                ring.release();
            })
        };
        let mut cursor = Cursor::default();
        assert_eq!(recv(&ring, &mut cursor), Ok(5));
        assert_eq!(recv(&ring, &mut cursor), Err(Closed(())));
        holder.join().unwrap();
    });
}
