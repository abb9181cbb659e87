//! The timer wheel: order, ids, far deadlines, coalescing, memory; and against a sorted map.
#![cfg(not(loom))]

mod model;
mod turns;

use asr_base::{Duration, Time, TimerId};
use asr_kernel::timer::{Coalesce, Wheel};

const MS: u64 = 1_000_000;
const YEAR: u64 = 31_557_600 * 1_000_000_000;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

/// The payloads that fire by `now`, in order.
fn fired<P>(wheel: &mut Wheel<P>, now: u64) -> Vec<P> {
    let mut all = Vec::new();
    let count = wheel.advance(at(now), &mut |_, deadline, payload| {
        assert!(deadline <= at(now), "early");
        all.push(payload);
    });
    assert_eq!(count, all.len());
    all
}

#[test]
fn val_32_equal_deadlines_fire_in_order_of_registration() {
    // Near, far, and in the past; registered at different times, so that some have come nearer.
    for instant in [1, 5 * MS, 10 * YEAR] {
        for late in [false, true] {
            let mut wheel = Wheel::new();
            for n in 0..1000 {
                wheel.insert(at(instant), n);
                let passed = if late { instant } else { instant / 2000 * n };
                assert!(fired(&mut wheel, passed.min(instant - 1)).is_empty());
            }
            assert_eq!(fired(&mut wheel, instant), (0..1000).collect::<Vec<_>>());
        }
    }
    let mut wheel = Wheel::new();
    assert!(fired(&mut wheel, MS).is_empty());
    for n in 0..1000 {
        wheel.insert(at(if n % 2 == 0 { 7 } else { 3 }), n);
    }
    let in_order: Vec<_> = (0..500)
        .map(|n| 2 * n + 1)
        .chain((0..500).map(|n| 2 * n))
        .collect();
    assert_eq!(fired(&mut wheel, MS), in_order);
}

#[test]
fn val_27_part_the_first_timer_is_slot_0_generation_1() {
    // The other kinds of ids are checked where they are given.
    let mut wheel = Wheel::new();
    assert_eq!(wheel.insert(at(MS), ()), TimerId::new(0, 1));
    assert_eq!(wheel.insert(at(MS), ()), TimerId::new(1, 1));
}

#[test]
fn sch_26_a_stale_id_cancels_nothing() {
    let mut wheel = Wheel::new();
    let gone = wheel.insert(at(MS), "fired");
    assert_eq!(fired(&mut wheel, MS), ["fired"]);
    assert_eq!(wheel.cancel(gone), None);
    let next = wheel.insert(at(2 * MS), "next");
    assert_eq!(next.index(), gone.index());
    assert_eq!(wheel.cancel(gone), None);
    assert!(!wheel.reset(gone, at(MS)));
    assert_eq!(wheel.deadline(gone), None);
    assert_eq!(wheel.deadline(next), Some(at(2 * MS)));
    assert_eq!(wheel.cancel(TimerId::new(77, 1)), None);
    assert_eq!(wheel.cancel(next), Some("next"));
    assert_eq!(wheel.cancel(next), None);
    assert_eq!((wheel.len(), wheel.next_deadline()), (0, None));
}

#[test]
fn sch_26_a_hundred_thousand_come_and_go() {
    let mut wheel = Wheel::new();
    let ids: Vec<_> = (0..100_000u64)
        .map(|n| wheel.insert(at(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16), n))
        .collect();
    assert_eq!(wheel.len(), 100_000);
    for (n, id) in ids.iter().enumerate().rev() {
        assert_eq!(wheel.cancel(*id), Some(n as u64));
    }
    assert!(wheel.is_empty());
    assert!(fired(&mut wheel, u64::MAX).is_empty());
}

#[test]
fn sch_26_memory_follows_the_most_at_once() {
    let mut wheel = Wheel::new();
    for n in 0..1_000_000 {
        let id = wheel.insert(at(n * MS), n);
        assert_eq!(wheel.cancel(id), Some(n));
        // In the past as well, where timers wait in another list.
        let id = wheel.insert(at(0), n);
        assert_eq!(wheel.cancel(id), Some(n));
    }
    assert_eq!(wheel.slots(), 1);
    const { assert!(Wheel::<u64>::BYTES_PER_TIMER <= 48) };
    const { assert!(Wheel::<std::task::Waker>::BYTES_PER_TIMER <= 48) };
}

#[test]
fn val_29_part_a_timer_with_its_last_generation_is_retired() {
    // The slabs of the other kinds are checked in asr-base.
    let mut wheel = Wheel::with_first_generation(u32::MAX - 2);
    let ids: Vec<_> = (0..4)
        .map(|n| {
            let id = wheel.insert(at(MS), n);
            assert_eq!(wheel.cancel(id), Some(n));
            id
        })
        .collect();
    assert_eq!(
        ids.iter().map(|id| id.index()).collect::<Vec<_>>(),
        [0, 0, 1, 1]
    );
    assert!(ids.iter().all(|&id| wheel.cancel(id).is_none()));
}

#[test]
fn sch_27_from_a_millisecond_to_ten_years_none_early_none_a_tick_late() {
    let mut deadlines: Vec<u64> = std::iter::successors(Some(MS), |d| Some(d * 3 / 2 + 1))
        .take_while(|&d| d < 10 * YEAR)
        .collect();
    deadlines.push(10 * YEAR);
    let mut wheel = Wheel::new();
    wheel.insert(Time::MAX, u64::MAX);
    for &deadline in deadlines.iter().rev() {
        wheel.insert(at(deadline), deadline);
    }
    for &deadline in &deadlines {
        let tick = deadline.next_multiple_of(MS);
        assert_eq!(wheel.next_deadline(), Some(at(deadline)));
        assert!(fired(&mut wheel, tick - MS).is_empty());
        if tick > deadline {
            assert!(fired(&mut wheel, deadline - 1).is_empty());
        }
        assert_eq!(fired(&mut wheel, tick), [deadline]);
    }
    // Those that are never due stay, whatever the time.
    assert_eq!(wheel.next_deadline(), None);
    assert!(fired(&mut wheel, u64::MAX).is_empty());
    assert_eq!(wheel.len(), 1);
}

#[test]
fn sch_27_a_jump_of_ten_years_passes_everything_in_order() {
    let mut wheel = Wheel::new();
    for n in 0..10_000u64 {
        wheel.insert(at(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (10 * YEAR)), n);
    }
    let all: Vec<_> = wheel.iter().map(|(_, _, &n)| n).collect();
    assert_eq!(fired(&mut wheel, 10 * YEAR), all);
}

fn coalescing(deadlines: &[u64], min_group: usize) -> Wheel<u64> {
    let mut wheel = Wheel::new();
    wheel.set_coalescing(Some(Coalesce {
        window: Duration::from_nanos(100),
        min_group,
    }));
    for &deadline in deadlines {
        wheel.insert(at(deadline), deadline);
    }
    wheel
}

#[test]
fn sch_28_a_group_too_small_is_not_held_back() {
    let mut wheel = coalescing(&[1000, 1050, 1101], 3);
    assert_eq!(wheel.next_turn(), Some(at(1000)));
    assert_eq!(fired(&mut wheel, 1000), [1000]);
    assert_eq!(fired(&mut wheel, 1060), [1050]);
    assert_eq!(fired(&mut wheel, 1101), [1101]);
}

#[test]
fn sch_28_a_group_fires_together_within_the_window() {
    let mut wheel = coalescing(&[1000, 1050, 1100, 1101, u64::MAX], 3);
    assert_eq!(wheel.next_deadline(), Some(at(1000)));
    assert_eq!(wheel.next_turn(), Some(at(1100)));
    assert!(fired(&mut wheel, 1099).is_empty());
    assert_eq!(fired(&mut wheel, 1100), [1000, 1050, 1100]);
    assert_eq!(wheel.next_turn(), Some(at(1101)));
    assert_eq!(fired(&mut wheel, 1101), [1101]);
    assert_eq!(wheel.next_turn(), None);
}

#[test]
fn sch_28_a_group_that_shrinks_is_let_go() {
    let mut wheel = coalescing(&[1000, 1050], 3);
    let third = wheel.insert(at(1090), 1090);
    assert!(fired(&mut wheel, 1010).is_empty());
    assert_eq!(wheel.cancel(third), Some(1090));
    assert_eq!(wheel.next_turn(), Some(at(1000)));
    assert_eq!(fired(&mut wheel, 1010), [1000]);
}

#[test]
fn sch_28_off_by_default() {
    let mut wheel = Wheel::new();
    for n in 0..100 {
        wheel.insert(at(1000 + n), n);
    }
    for n in 0..100 {
        assert_eq!(wheel.next_turn(), Some(at(1000 + n)));
        assert_eq!(fired(&mut wheel, 1000 + n), [n]);
    }
}

/// Steps by hand from deadline to deadline, as a lab without `auto_advance` does; that switch
/// itself is the lab's and waits for it.
#[test]
fn lab_3_part_steps_by_hand_follow_deadline_and_sequence() {
    let mut wheel = Wheel::new();
    for n in 0..200u64 {
        wheel.insert(at(n * 7919 % 50 * MS), n);
    }
    let expected: Vec<_> = wheel.iter().map(|(_, time, &n)| (time, n)).collect();
    assert!(expected.is_sorted());
    let (mut stepped, mut now) = (Vec::new(), Time::ZERO);
    while let Some(deadline) = wheel.next_deadline() {
        assert!(deadline >= now);
        now = deadline;
        while let Some((_, time, n)) = wheel.pop(now) {
            assert_eq!(time, now);
            stepped.push((time, n));
        }
    }
    assert_eq!(stepped, expected);
}

#[test]
fn sch_26_cancelling_the_earliest_again_and_again_looks_through_nothing() {
    // Looked through, the timers that share a slot would be ten thousand million here.
    const TIMERS: u64 = 100_000;
    let mut wheel = Wheel::new();
    let ids: Vec<_> = (0..TIMERS).map(|n| wheel.insert(at(YEAR + n), n)).collect();
    for (n, id) in ids.into_iter().enumerate() {
        let bound = wheel.next_turn_bound().expect("armed").as_nanos();
        assert!(bound <= YEAR + n as u64);
        assert!(wheel.cancel(id).is_some());
    }
    assert_eq!(wheel.next_turn_bound(), None);
}

#[test]
fn sch_27_who_sleeps_until_the_bound_comes_to_the_deadline_in_a_few_turns() {
    for first in [MS, 3_600_000 * MS, 10 * YEAR] {
        let mut wheel = Wheel::new();
        let early = wheel.insert(at(first - 1), 0);
        for n in 0..1000 {
            wheel.insert(at(first + n % 500), n);
        }
        wheel.cancel(early);
        let (mut turns, mut now) = (0, 0);
        while fired(&mut wheel, now).is_empty() {
            let next = wheel.next_turn_bound().expect("armed").as_nanos();
            assert!(now <= next && next <= first, "{now} {next} {first}");
            (now, turns) = (next, turns + 1);
            assert!(turns <= 12, "no nearer after {turns} turns");
        }
        assert_eq!(now, first);
    }
}
