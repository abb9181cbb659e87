//! The wheel against an ordered map: random inserts, cancels, resets, jumps, and a clock that lags.

use super::{at, coalescing, fired};
use asr_base::{Time, TimerId};
use asr_kernel::timer::Wheel;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    Past(u64),
    Never,
    Cancel(prop::sample::Index),
    Reset(prop::sample::Index, u64),
    Pop(u64),
    Advance(u64),
    ToNext,
    Back(u64),
}

/// A span of any magnitude, short ones as likely as long ones; often a round one, for equals.
fn span() -> impl Strategy<Value = u64> {
    (0..60u32, any::<u64>(), 0..3u8).prop_map(|(bits, n, round)| match round {
        0 => 1 << bits,
        1 => n % 4 * 1000,
        _ => n % (1 << bits),
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => span().prop_map(Step::Insert),
        1 => span().prop_map(Step::Past),
        1 => Just(Step::Never),
        3 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        1 => (any::<prop::sample::Index>(), span()).prop_map(|(which, n)| Step::Reset(which, n)),
        1 => span().prop_map(Step::Pop),
        2 => span().prop_map(Step::Advance),
        2 => Just(Step::ToNext),
        1 => span().prop_map(Step::Back),
    ]
}

/// A sorted map with the same operations; ids of the wheel are its payloads.
#[derive(Default)]
struct Model {
    order: BTreeMap<(u64, u64), TimerId>,
    keys: BTreeMap<TimerId, (u64, u64)>,
    sequence: u64,
    every: Vec<TimerId>,
}

impl Model {
    fn insert(&mut self, deadline: u64, id: TimerId) {
        self.sequence += 1;
        self.order.insert((deadline, self.sequence), id);
        assert_eq!(self.keys.insert(id, (deadline, self.sequence)), None);
        self.every.push(id);
    }

    fn remove(&mut self, id: TimerId) -> bool {
        let key = self.keys.remove(&id);
        key.is_some_and(|key| self.order.remove(&key).is_some())
    }

    fn pop(&mut self, now: u64) -> Option<(TimerId, u64)> {
        let (&(deadline, _), &id) = self.order.first_key_value()?;
        if deadline > now || deadline == u64::MAX {
            return None;
        }
        assert!(self.remove(id));
        Some((id, deadline))
    }
}

proptest! {
    #[test]
    fn lab_3_part_like_a_sorted_map(steps in prop::collection::vec(step(), 1..300)) {
        let (mut wheel, mut model, mut now) = (Wheel::new(), Model::default(), 0u64);
        for step in steps {
            match step {
                Step::Insert(span) => {
                    let deadline = now.saturating_add(span);
                    model.insert(deadline, wheel.insert(at(deadline), deadline));
                }
                Step::Past(span) => {
                    let deadline = now.saturating_sub(span);
                    model.insert(deadline, wheel.insert(at(deadline), deadline));
                }
                Step::Never => model.insert(u64::MAX, wheel.insert(Time::MAX, u64::MAX)),
                Step::Cancel(which) if !model.every.is_empty() => {
                    let id = *which.get(&model.every);
                    prop_assert_eq!(wheel.cancel(id).is_some(), model.remove(id));
                }
                Step::Reset(which, span) if !model.every.is_empty() => {
                    let id = *which.get(&model.every);
                    let deadline = now.saturating_add(span);
                    let live = model.remove(id);
                    prop_assert_eq!(wheel.reset(id, at(deadline)), live);
                    if live {
                        model.insert(deadline, id);
                    }
                }
                Step::Cancel(_) | Step::Reset(..) => {}
                Step::Pop(span) => {
                    now = now.saturating_add(span);
                    let first = wheel.pop(at(now)).map(|(id, time, _)| (id, time.as_nanos()));
                    prop_assert_eq!(first, model.pop(now));
                }
                Step::Advance(span) => now = now.saturating_add(span),
                Step::ToNext => now = wheel.next_deadline().map_or(now, Time::as_nanos).max(now),
                // A time that lags behind fires what was due by it, and no more.
                Step::Back(span) => {
                    let then = now.saturating_sub(span);
                    let first = wheel.pop(at(then)).map(|(id, time, _)| (id, time.as_nanos()));
                    prop_assert_eq!(first, model.pop(then));
                    continue;
                }
            }
            let earliest = model.order.keys().next().map(|key| key.0);
            let earliest = earliest.filter(|&deadline| deadline != u64::MAX);
            let bound = wheel.next_turn_bound().map(Time::as_nanos);
            prop_assert_eq!(wheel.next_deadline().map(Time::as_nanos), earliest);
            prop_assert_eq!(bound.is_some(), earliest.is_some());
            prop_assert!(bound <= earliest);
            if matches!(step, Step::Advance(_) | Step::ToNext) {
                let mut due = Vec::new();
                wheel.advance(at(now), &mut |id, time, _| due.push((id, time.as_nanos())));
                let expected: Vec<_> = std::iter::from_fn(|| model.pop(now)).collect();
                prop_assert_eq!(due, expected);
            }
            prop_assert_eq!(wheel.len(), model.order.len());
            let all: Vec<_> = wheel.iter().map(|(id, time, _)| (time.as_nanos(), id)).collect();
            let expected: Vec<_> = model.order.iter().map(|(key, &id)| (key.0, id)).collect();
            prop_assert_eq!(all, expected);
        }
    }

    /// Whatever comes and goes: none fires early, none later than its window, and none at all is
    /// held back by a group that is too small.
    #[test]
    fn sch_28_no_timer_is_held_longer_than_the_window(
        spans in prop::collection::vec((0..400u64, 0..60u64, any::<bool>()), 1..80),
        min_group in 1..6usize,
    ) {
        let mut wheel = coalescing(&[], min_group);
        let (mut now, mut held) = (0, Vec::new());
        for (span, step, cancel) in spans {
            let id = wheel.insert(at(now + span), now + span);
            held.push(now + span);
            if cancel && span % 2 == 0 {
                prop_assert_eq!(wheel.cancel(id), held.pop());
            }
            // The driver turns when it was told, and at other times too.
            let until = now + step;
            while now < until {
                let turn = wheel.next_turn().map_or(until, Time::as_nanos);
                now = turn.clamp(now, until);
                for deadline in fired(&mut wheel, now) {
                    prop_assert!(now <= deadline + 100);
                    let place = held.iter().position(|&other| other == deadline);
                    held.swap_remove(place.expect("it was armed"));
                }
                prop_assert!(held.iter().all(|deadline| now < deadline + 100));
                let first = held.iter().min().copied().unwrap_or(u64::MAX);
                let near = held.iter().filter(|&&other| other <= first.saturating_add(100));
                prop_assert!(first > now || near.count() >= min_group);
                now += 1;
            }
            now = until;
        }
    }
}
