//! Channels: a list of messages, a number of reserved slots, a list of who waits for room.

use std::collections::VecDeque;
use std::task::Poll;

use asr_sync::mpsc::{Permit, channel};
use asr_sync::{Closed, RecvError, TryRecvError, TrySendError, WaitError};

use super::probe::{Probe, run};

pub(crate) fn check(capacity: usize, operations: Vec<(u8, u8)>) {
    run(move |cx| {
        let (sender, mut receiver) = channel(cx, capacity).expect("a good number");
        let mut queued = VecDeque::new();
        let mut permits: Vec<Permit<'_, u64>> = Vec::new();
        let mut waits: Vec<Probe<'_, Result<Permit<'_, u64>, WaitError>>> = Vec::new();
        let mut overtaken: Vec<u64> = Vec::new();
        let (mut next, mut closed, mut gone) = (0_u64, false, false);
        for (operation, choice) in operations {
            let room = capacity - queued.len() * usize::from(!gone) - permits.len();
            let may = room > 0 && overtaken.first().is_none_or(|first| *first < 64);
            let overtake = |overtaken: &mut Vec<u64>| overtaken.iter_mut().for_each(|n| *n += 1);
            match operation {
                0..=3 => match sender.try_send(next) {
                    Ok(()) => {
                        assert!(may && !closed);
                        overtake(&mut overtaken);
                        queued.push_back(next);
                        next += 1;
                    }
                    Err(TrySendError::Full(n)) => assert!(n == next && !may && !closed),
                    Err(TrySendError::Closed(n)) => assert!(n == next && closed),
                },
                4..=6 => {
                    let mut wait = Probe::new(sender.reserve(cx));
                    match wait.poll() {
                        Poll::Ready(Ok(permit)) => {
                            assert!(may && !closed);
                            overtake(&mut overtaken);
                            permits.push(permit);
                        }
                        Poll::Ready(Err(error)) => assert!(error == WaitError::Closed && closed),
                        Poll::Pending => {
                            assert!(!may && !closed);
                            overtaken.push(0);
                            waits.push(wait);
                        }
                    }
                }
                7..=8 if !waits.is_empty() => {
                    let at = usize::from(choice) % waits.len();
                    if let Poll::Ready(permit) = waits[at].poll() {
                        assert!(at == 0 && room > 0);
                        permits.push(permit.expect("it is open"));
                        overtaken.remove(at);
                        drop(waits.remove(at));
                    } else {
                        assert!(at > 0 || room == 0);
                    }
                }
                9 if !waits.is_empty() => {
                    let at = usize::from(choice) % waits.len();
                    overtaken.remove(at);
                    drop(waits.remove(at));
                }
                10..=11 if !permits.is_empty() => {
                    let permit = permits.remove(usize::from(choice) % permits.len());
                    if choice % 3 == 0 {
                        permit.abort();
                    } else if closed {
                        assert_eq!(permit.send(next), Err(Closed(next)));
                    } else {
                        permit.send(next).expect("it is open");
                        queued.push_back(next);
                        next += 1;
                    }
                }
                12..=13 => match receiver.try_recv() {
                    Ok(n) => assert_eq!(queued.pop_front(), Some(n)),
                    Err(TryRecvError::Empty) => assert!(queued.is_empty() && !closed),
                    Err(TryRecvError::Closed) => assert!(queued.is_empty() && closed),
                },
                14 => {
                    let mut wait = Probe::new(receiver.recv(cx));
                    match wait.poll() {
                        Poll::Ready(Ok(n)) => assert_eq!(queued.pop_front(), Some(n)),
                        Poll::Ready(Err(RecvError::Closed)) => {
                            assert!(queued.is_empty() && closed);
                        }
                        Poll::Ready(Err(RecvError::Interrupted)) => panic!("nobody cancels"),
                        Poll::Pending => {
                            assert!(queued.is_empty() && !closed && !wait.is_woken());
                            if may && choice % 2 == 0 {
                                sender.try_send(next).expect("there is room");
                                overtake(&mut overtaken);
                                assert!(wait.is_woken());
                                assert_eq!(wait.poll(), Poll::Ready(Ok(next)));
                                next += 1;
                            }
                        }
                    }
                }
                15 if choice < 4 && !closed => {
                    closed = true;
                    if choice < 2 {
                        sender.close();
                    } else {
                        gone = true;
                        receiver.close();
                        queued.clear();
                    }
                    overtaken.clear();
                    for mut wait in waits.drain(..) {
                        assert!(wait.is_woken());
                        assert!(matches!(wait.poll(), Poll::Ready(Err(WaitError::Closed))));
                    }
                }
                _ => {}
            }
            if !gone {
                let room = capacity - queued.len() - permits.len();
                assert_eq!((sender.room(), receiver.len()), (room, queued.len()));
                assert!(waits.is_empty() || room == 0 || waits[0].is_woken());
            }
            assert_eq!(sender.waiting(), waits.len());
        }
        drop(waits);
        permits.into_iter().for_each(Permit::abort);
    });
}
