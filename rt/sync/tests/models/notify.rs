//! Notify: a flag, and a list of who waits.

use asr_sync::Notify;

use super::probe::{Probe, run};

/// How a waiter was notified.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    NotYet,
    One,
    All,
}

pub(crate) fn check(operations: Vec<(u8, u8)>) {
    run(move |cx| {
        let notify = Notify::new();
        let mut stored = false;
        let mut waits = Vec::new();
        let one = |stored: &mut bool, waits: &mut Vec<(How, Probe<'_, _>)>| match waits
            .iter_mut()
            .find(|wait| wait.0 == How::NotYet)
        {
            Some(first) => first.0 = How::One,
            None => *stored = true,
        };
        for (operation, choice) in operations {
            match operation {
                0..=3 => {
                    notify.notify_one();
                    one(&mut stored, &mut waits);
                }
                4 => {
                    notify.notify_all();
                    for wait in waits.iter_mut().filter(|wait| wait.0 == How::NotYet) {
                        wait.0 = How::All;
                    }
                }
                5..=9 => {
                    let mut wait = Probe::new(notify.notified(cx));
                    let ready = wait.poll().is_ready();
                    assert_eq!(ready, std::mem::take(&mut stored));
                    if !ready {
                        waits.push((How::NotYet, wait));
                    }
                }
                10..=13 if !waits.is_empty() => {
                    let at = usize::from(choice) % waits.len();
                    let (how, mut wait) = waits.remove(at);
                    let ready = wait.poll().is_ready();
                    assert_eq!(ready, how != How::NotYet);
                    if !ready {
                        waits.insert(at, (how, wait));
                    }
                }
                14 if !waits.is_empty() => {
                    let (how, wait) = waits.remove(usize::from(choice) % waits.len());
                    drop(wait);
                    if how == How::One {
                        one(&mut stored, &mut waits);
                    }
                }
                15 => assert_eq!(notify.try_take(), std::mem::take(&mut stored)),
                _ => {}
            }
            let waiting = waits.iter().filter(|wait| wait.0 == How::NotYet).count();
            assert_eq!(notify.waiting(), waiting);
            assert!(
                waits
                    .iter()
                    .all(|wait| wait.1.is_woken() == (wait.0 != How::NotYet))
            );
        }
    });
}
