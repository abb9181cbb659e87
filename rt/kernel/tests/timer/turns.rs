//! What a driver that sleeps from turn to turn sees (SCH-27).

use asr_base::{Duration, Time, TimerId};
use asr_kernel::timer::{Precision, Turns};

use crate::{MS, YEAR, at};

fn turns() -> Turns<u64> {
    Turns::new(Duration::from_millis(1))
}

/// When somebody woke, and what fired then: id, deadline, payload.
type Woken = (u64, Vec<(TimerId, u64, u64)>);

/// Sleeps from turn to turn.
fn sleep_through(turns: &mut Turns<u64>) -> Vec<Woken> {
    let mut all = Vec::new();
    while let Some(now) = turns.next_turn() {
        let mut fired = Vec::new();
        turns.advance(now, &mut |id, deadline, payload| {
            fired.push((id, deadline.as_nanos(), payload));
        });
        all.push((now.as_nanos(), fired));
    }
    all
}

fn numbers(count: u64, below: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % below)
}

#[test]
fn sch_27_none_early_none_a_tick_late_and_the_precise_on_time() {
    for range in [MS / 2, 100 * MS, 1000 * MS, 10 * YEAR] {
        let mut turns = turns();
        for (n, deadline) in numbers(2000, range).enumerate() {
            let precision = [Precision::Tick, Precision::Precise][usize::from(n % 20 == 0)];
            let (id, turn) = turns.insert(at(deadline), precision, n as u64);
            assert_eq!(Precision::of(id), precision);
            assert!(turn >= at(deadline));
        }
        let mut fired = 0;
        for (now, together) in sleep_through(&mut turns) {
            fired += together.len();
            for (id, deadline, n) in together {
                assert!(deadline <= now, "{n} fired early");
                let late = now - deadline;
                let limit = match Precision::of(id) {
                    Precision::Tick => MS,
                    Precision::Precise => 1,
                };
                assert!(late < limit, "{n} is {late} ns late");
            }
        }
        assert_eq!(fired, 2000);
        assert!(turns.is_empty());
    }
}

/// A second full of timers takes a turn for each tick, not for each timer; with one precise timer
/// that is far away too.
#[test]
fn sch_27_timers_of_a_tick_fire_in_one_turn() {
    let mut turns = turns();
    for deadline in numbers(20_000, 1000 * MS) {
        turns.insert(at(deadline), Precision::Tick, deadline);
    }
    turns.insert(at(3600 * 1000 * MS), Precision::Precise, 0);
    let woken = sleep_through(&mut turns);
    assert!(woken.iter().all(|(now, _)| now % MS == 0));
    assert!(woken.len() <= 1000 + 20, "{} turns", woken.len());
}

#[test]
fn sch_27_without_a_tick_all_are_precise() {
    let mut turns = Turns::new(Duration::ZERO);
    for deadline in [7, MS + 1, 5 * MS] {
        let (_, turn) = turns.insert(at(deadline), Precision::Tick, deadline);
        assert_eq!(turn, at(deadline));
    }
    let woken = sleep_through(&mut turns);
    let times: Vec<u64> = woken.iter().map(|(now, _)| *now).collect();
    assert_eq!(times, [7, MS + 1, 5 * MS]);
}

#[test]
fn sch_27_what_is_never_due_has_no_turn() {
    let mut turns = turns();
    let (_, turn) = turns.insert(Time::MAX, Precision::Tick, 0);
    assert_eq!(turn, Time::MAX);
    assert_eq!((turns.next_turn(), turns.next_deadline()), (None, None));
    let last = at(u64::MAX - 1);
    turns.insert(last, Precision::Tick, 1);
    assert_eq!(turns.next_turn(), Some(last));
    assert_eq!(sleep_through(&mut turns).len(), 1);
    assert_eq!(turns.len(), 1);
}

/// VAL-32 over both kinds, and again in the list of what is armed.
#[test]
fn val_32_precise_and_other_timers_fire_in_one_order() {
    let mut turns = turns();
    let mut sorted = Vec::new();
    for (n, deadline) in numbers(3000, 300).enumerate() {
        let precision = [Precision::Tick, Precision::Precise][n % 3 % 2];
        let (id, _) = turns.insert(at(deadline), precision, n as u64);
        if n % 7 == 0 {
            assert_eq!(turns.cancel(id), Some(n as u64));
            assert_eq!(turns.cancel(id), None);
        } else {
            sorted.push((deadline, n as u64, id));
        }
    }
    sorted.sort_unstable();
    let listed: Vec<_> = turns.iter().map(|(id, _)| id).collect();
    assert_eq!(listed, sorted.iter().map(|it| it.2).collect::<Vec<_>>());
    let mut fired = Vec::new();
    turns.advance(at(300), &mut |id, deadline, n| {
        fired.push((deadline.as_nanos(), n, id))
    });
    assert_eq!(fired, sorted);
}
