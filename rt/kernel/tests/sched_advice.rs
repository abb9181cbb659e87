//! SCH-38: advice meets the choice and the lanes, which keep every bound.

mod common;
#[path = "common/hostile.rs"]
mod hostile;

use asr_base::{Rng, TaskId, Time};
use asr_kernel::sched::Limits;
use asr_kernel::sched::choice::{Choice, Source, Waiting};
use asr_kernel::sched::governor::{Advice, Prefer, Tie};
use asr_kernel::sched::urgent::Urgent;
use common::Item;

/// Whatever it prefers, whatever waits: nobody's bound of SCH-5, 7, 8 and 9 is passed.
#[test]
fn sch_38_the_choice_keeps_its_bounds() {
    let mut followed = 0;
    for seed in 0..300 {
        let mut random = Rng::seeded(seed);
        let mut below = |n: u64| random.below(n);
        let limits = Limits {
            cancel_streak: 1 + below(20) as u32,
            ..Limits::default()
        };
        let l = u64::from(limits.cancel_streak);
        let mut choice = Choice::new(limits);
        let mut plain = Choice::new(limits);
        let (mut lifo, mut timed, mut cancel) = (0, 0, 0);
        let (mut newest_waits, mut ring_waits) = (0, 0);
        let steady = below(2) == 0;
        let likely: [u64; 4] = std::array::from_fn(|_| below(4));
        let ring = 1 + below(30) as usize;
        for _ in 0..2000 {
            if below(10) == 0 {
                let prefer = [Prefer::Usual, Prefer::Queue, Prefer::Injector];
                choice.set_prefer(prefer[below(3) as usize]);
            }
            let mut now = |at: usize| likely[at] > 0 && (steady || below(4) < likely[at]);
            let waiting = Waiting {
                cancel: now(0),
                timed: now(1),
                newest: now(2),
                injector: now(3),
                ring,
                pinned: 0,
            };
            let from = choice.choose(&waiting).expect("something waits");
            followed += u64::from(plain.choose(&waiting) != Some(from));
            choice.dispatched(from, &waiting);
            plain = choice.clone();
            plain.set_prefer(Prefer::Usual);
            // SCH-1: no preference lifts ready work over urgent work, which the limits alone do.
            cancel = if from == Source::Cancel {
                cancel + 1
            } else {
                0
            };
            assert!(cancel <= l, "seed {seed}");
            match from {
                Source::Timed => timed += 1,
                Source::Cancel => {}
                _ => timed = 0,
            }
            assert!(timed <= 32, "seed {seed}");
            match from {
                Source::Newest => lifo += 1,
                Source::Ring => lifo = 0,
                _ => {}
            }
            assert!(lifo <= 3, "seed {seed}: the slot {lifo} times in a row");
            ring_waits = if from == Source::Ring {
                0
            } else {
                ring_waits + 1
            };
            // Alone with slot and injector: three of them, and the injector when it is due.
            let bound = if waiting.cancel || waiting.timed || !steady {
                l + 2
            } else {
                4
            };
            assert!(ring_waits <= bound.max(4), "seed {seed}: {ring_waits}");
            let served = from == Source::Newest || !waiting.newest;
            newest_waits = if served { 0 } else { newest_waits + 1 };
            assert!(newest_waits < 2 * (l + 2), "seed {seed}: {newest_waits}");
        }
        assert!(choice.max_cancel_streak() <= limits.cancel_streak);
    }
    assert!(
        followed > 10_000,
        "preferences count for something: {followed}"
    );
}

/// With ties broken and tasks promoted at will, each lane gives out what it got, each once; nobody
/// is dispatched more than a place later for each promotion and one for a tie.
#[test]
fn sch_38_order_inside_a_lane() {
    for seed in 0..200 {
        let mut random = Rng::seeded(seed);
        let urgent = Urgent::new();
        let mut model: Vec<(u8, usize)> = Vec::new();
        let mut late = Vec::new();
        let mut next = 0;
        for _ in 0..400 {
            if random.below(5) < 3 {
                let priority = 200 + random.below(3) as u8;
                let pin = (random.below(3) == 0).then_some(0);
                urgent.push_cancel(Item::pinned(next, pin), priority);
                model.push((priority, next));
                late.push(0);
                next += 1;
                continue;
            }
            let advice = hostile::arbitrary(random.next_u64());
            urgent.advise(advice);
            let popped = urgent.pop_cancel().map(Item::id);
            let Some(popped) = popped else {
                assert!(model.is_empty());
                continue;
            };
            let at = model.iter().position(|entry| entry.1 == popped);
            let (priority, _) = model.remove(at.expect("it was put in, and not taken yet"));
            if advice.promote {
                assert!(model.iter().all(|other| other.1 > popped), "the oldest");
                continue;
            }
            assert!(model.iter().all(|other| other.0 <= priority), "SCH-2");
            for &(_, passed) in model.iter().filter(|it| it.0 == priority && it.1 < popped) {
                late[passed] += 1;
                assert_eq!(advice.cancel_tie, Tie::Second);
                assert!(late[passed] <= 1, "seed {seed}: passed over twice");
            }
        }
        let rest = std::iter::from_fn(|| urgent.pop_cancel())
            .map(Item::id)
            .count();
        assert_eq!(rest, model.len());
    }
}

/// A promotion is for a task that waits: entries that are stale do not use it up.
#[test]
fn sch_38_a_promotion_is_not_spent_on_a_stale_entry() {
    let urgent = Urgent::new();
    (0..2).for_each(|id| urgent.push_cancel(Item::stale(id), 200));
    urgent.push_cancel(Item::new(2), 200);
    (3..5).for_each(|id| urgent.push_cancel(Item::new(id), 255));
    let mut advice = Advice::new();
    advice.promote = true;
    urgent.advise(advice);
    let order: Vec<_> = std::iter::from_fn(|| urgent.pop_cancel())
        .map(Item::id)
        .collect();
    assert_eq!(order, [0, 1, 2, 3, 4]);
    // Once: the oldest of a lower priority waits again.
    (5..7).for_each(|id| urgent.push_cancel(Item::new(id), 200));
    urgent.push_cancel(Item::new(7), 255);
    assert_eq!(urgent.pop_cancel().map(Item::id), Some(7));
}

/// The same for equal deadlines; unequal ones stay in order.
#[test]
fn sch_38_order_of_the_timed_lane() {
    for seed in 0..200 {
        let mut random = Rng::seeded(seed);
        let urgent = Urgent::new();
        let mut model: Vec<(Time, TaskId, usize)> = Vec::new();
        let mut late = Vec::new();
        for n in 0..400 {
            if random.below(5) < 3 {
                let due = Time::from_nanos(random.below(3));
                let task = TaskId::new(n, 1);
                urgent.push_timed(Item::new(late.len()), due, task);
                model.push((due, task, late.len()));
                late.push(0);
                continue;
            }
            urgent.advise(hostile::arbitrary(random.next_u64()));
            let Some(popped) = urgent.pop_timed().map(Item::id) else {
                assert!(model.is_empty());
                continue;
            };
            let at = model.iter().position(|entry| entry.2 == popped);
            let (due, task, _) = model.remove(at.expect("it was put in, and not taken yet"));
            assert!(model.iter().all(|other| other.0 >= due), "SCH-4");
            for &(_, _, passed) in model.iter().filter(|it| it.0 == due && it.1 < task) {
                late[passed] += 1;
                assert!(late[passed] <= 1, "seed {seed}: passed over twice");
            }
        }
        let rest = std::iter::from_fn(|| urgent.pop_timed())
            .map(Item::id)
            .count();
        assert_eq!(rest, model.len());
    }
}
