//! The newest-first slot beside a queue: neither keeps the other waiting for too long.

#[path = "common/choice.rs"]
mod choice;

use asr_kernel::sched::Limits;
use asr_kernel::sched::choice::{Choice, Source, Waiting};
use choice::taken;

/// With the least limit and nothing urgent: the slot alone must not take the bound of SCH-8 up.
#[test]
fn sch_8_the_slot_keeps_to_the_bound_of_the_least_limit() {
    for cancel_streak in 1..4 {
        let limits = Limits {
            cancel_streak,
            ..Limits::default()
        };
        let mut choice = Choice::new(limits);
        let waiting = Waiting {
            newest: true,
            ring: 20,
            ..Waiting::default()
        };
        let order = taken(&mut choice, &waiting, 100);
        let ring = order.iter().enumerate().filter(|at| *at.1 == Source::Ring);
        let last = ring.map(|(at, _)| at + 1).nth(19).expect("all run");
        assert!(last <= 21 * (cancel_streak as usize + 2), "{last}");
    }
}

/// Under endless urgent work slot and queue have a turn each: neither has that of the other.
#[test]
fn sch_8_the_slot_runs_beside_a_queue_and_urgent_work() {
    for cancel_streak in [1, 2, 16] {
        for cancel in [false, true] {
            let limits = Limits {
                cancel_streak,
                ..Limits::default()
            };
            let mut choice = Choice::new(limits);
            let waiting = Waiting {
                cancel,
                timed: true,
                newest: true,
                ring: 3,
                ..Waiting::default()
            };
            let order = taken(&mut choice, &waiting, 1000);
            for who in [Source::Newest, Source::Ring] {
                for some in order.windows(cancel_streak as usize + 2) {
                    assert!(some.contains(&who), "{who:?}: {order:?}");
                }
            }
        }
    }
}

/// What urgent work has taken of the patience of the ring, the slot has not anew.
#[test]
fn sch_8_the_slot_does_not_follow_on_urgent_work() {
    let limits = Limits {
        cancel_streak: 2,
        ..Limits::default()
    };
    let mut choice = Choice::new(limits);
    let mut waiting = Waiting {
        timed: true,
        newest: true,
        ring: 1,
        ..Waiting::default()
    };
    use Source::{Newest, Timed};
    assert_eq!(taken(&mut choice, &waiting, 3), [Timed, Timed, Newest]);
    waiting.timed = false;
    assert_eq!(choice.choose(&waiting), Some(Source::Ring));
}

/// The turn of the injector is no fresh start for the slot: the ring waits for three of the slot,
/// and for the injector.
#[test]
fn sch_9_the_injector_does_not_begin_the_slot_anew() {
    let mut choice = Choice::new(Limits::default());
    let mut waiting = Waiting {
        newest: true,
        ring: 5,
        ..Waiting::default()
    };
    // The slot has had two in a row when the injector is due.
    taken(&mut choice, &waiting, 61 - 61 % 4 + 2);
    waiting.injector = true;
    use Source::{Injector, Newest, Ring};
    assert_eq!(taken(&mut choice, &waiting, 3), [Injector, Newest, Ring]);
}

/// A slot that may never be preferred is served all the same: after those that the ring held.
#[test]
fn sch_8_a_slot_that_is_never_preferred_is_served() {
    let limits = Limits {
        lifo_streak: 0,
        ..Limits::default()
    };
    for injector in [false, true] {
        for (ring, pinned) in [(2, 0), (0, 3), (2, 3), (0, 0)] {
            let mut choice = Choice::new(limits);
            let waiting = Waiting {
                newest: true,
                ring,
                pinned,
                injector,
                ..Waiting::default()
            };
            let order = taken(&mut choice, &waiting, 100);
            for some in order.windows(ring + pinned + 3) {
                assert!(some.contains(&Source::Newest), "{order:?}");
            }
            let twice = [Source::Newest; 2];
            let alone = ring + pinned == 0 && !injector;
            assert!(alone || order.windows(2).all(|pair| pair != twice));
        }
    }
}
