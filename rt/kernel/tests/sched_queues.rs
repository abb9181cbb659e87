//! The queues of a worker, one thread at a time: orders, amounts, where pinned tasks go.

mod common;

use std::sync::Arc;

use asr_base::{TaskId, Time};
use asr_kernel::Lane;
use asr_kernel::sched::injector::Injector;
use asr_kernel::sched::pinned::Pinned;
use asr_kernel::sched::ring::{Owner, Ring, SLOTS};
use asr_kernel::sched::urgent::Urgent;
use common::Item;

fn owner() -> Owner<Item> {
    Arc::new(Ring::new()).own().expect("the first")
}

fn all(owner: &Owner<Item>) -> Vec<usize> {
    std::iter::from_fn(|| owner.pop().map(Item::id)).collect()
}

fn injected(injector: &Injector<Item>) -> Vec<usize> {
    std::iter::from_fn(|| injector.pop().map(Item::id)).collect()
}

fn nobody(_: u16, _: Item) {
    unreachable!("none is pinned");
}

#[test]
fn sch_9_the_ring_is_oldest_first_also_around_its_end() {
    let (ring, injector) = (owner(), Injector::new());
    let mut next = 0;
    let mut expected = 0;
    // Batches of every size up to the whole ring, through every place.
    for size in (1..=SLOTS).chain([SLOTS; 3]) {
        for _ in 0..size {
            assert!(!ring.push(Item::new(next), &injector));
            next += 1;
        }
        assert_eq!(ring.ring().len(), size);
        for id in all(&ring) {
            assert_eq!(id, expected);
            expected += 1;
        }
    }
    assert_eq!((expected, injector.len()), (next, 0));
}

#[test]
fn sch_9_the_slot_gives_the_newest_and_keeps_the_others_in_order() {
    let (ring, injector) = (owner(), Injector::new());
    for id in 0..4 {
        assert_eq!(ring.push_newest(Item::new(id), &injector), id > 0);
    }
    assert_eq!(ring.pop_newest().map(Item::id), Some(3));
    assert!(ring.pop_newest().is_none());
    assert_eq!(all(&ring), [0, 1, 2]);
}

/// A full ring gives its oldest half to the injector, and nothing is lost.
#[test]
fn sch_13_a_full_ring_gives_its_oldest_half_away() {
    let (ring, injector) = (owner(), Injector::new());
    for id in 0..SLOTS {
        assert!(!ring.push(Item::new(id), &injector));
    }
    assert!(ring.push(Item::new(SLOTS), &injector));
    assert!(injected(&injector).into_iter().eq(0..SLOTS / 2));
    assert!(all(&ring).into_iter().eq(SLOTS / 2..=SLOTS));
}

/// Half of the victim's, rounded up so that a single task can be stolen, at most 32, the oldest,
/// in their order.
#[test]
fn sch_15_thieves_take_the_oldest_half_at_most_32() {
    for there in [0, 1, 2, 3, 10, 31, 63, 64, 65, 100, SLOTS] {
        let (victim, thief, injector) = (owner(), owner(), Injector::new());
        // Not at the start of the ring.
        for round in 0..2 {
            for id in 0..there {
                victim.push(Item::new(id), &injector);
            }
            if round == 0 {
                assert_eq!(all(&victim).len(), there);
            }
        }
        let stolen = thief.steal(victim.ring(), &injector, nobody);
        let expected = there.div_ceil(2).min(32);
        assert_eq!(stolen.count, expected);
        let first = stolen.first.map(Item::id);
        assert!(
            first.into_iter().chain(all(&thief)).eq(0..expected),
            "{there}"
        );
        assert!(all(&victim).into_iter().eq(expected..there));
    }
}

/// A task in the slot of a worker that does not come back is not lost.
#[test]
fn sch_15_the_slot_can_be_stolen() {
    let (victim, injector) = (owner(), Injector::new());
    victim.push_newest(Item::new(7), &injector);
    assert!(!victim.ring().is_empty());
    assert_eq!(victim.ring().take_newest().map(Item::id), Some(7));
    assert!(victim.ring().is_empty());
}

#[test]
fn sch_15_a_ring_has_one_owner_and_goes_to_the_next() {
    let ring = Arc::new(Ring::new());
    let first = ring.own().expect("the first");
    assert!(ring.own().is_none());
    first.push(Item::new(1), &Injector::new());
    drop(first);
    let next = ring.own().expect("it is free again");
    assert_eq!(all(&next), [1]);
}

/// A theft that meets pinned tasks brings them home, and takes the others.
#[test]
fn sch_16_a_theft_puts_pinned_tasks_back() {
    let (victim, thief, injector) = (owner(), owner(), Injector::new());
    for id in 0..12 {
        let pin = (id % 3 == 0).then_some(id as u16);
        victim.push(Item::pinned(id, pin), &injector);
    }
    let homes = Pinned::new();
    let stolen = thief.steal(victim.ring(), &injector, |worker, item| {
        homes.push(item);
        assert_eq!(usize::from(worker) % 3, 0);
    });
    assert_eq!(stolen.count, 4);
    assert_eq!(stolen.first.map(Item::id), Some(1));
    assert_eq!(all(&thief), [2, 4, 5]);
    assert_eq!(homes.len(), 2);
    let home: Vec<_> = std::iter::from_fn(|| homes.pop().map(Item::id)).collect();
    assert_eq!(home, [0, 3]);
}

/// Thieves never see the pinned part of the urgent lanes; for the worker both parts are one.
#[test]
fn sch_16_urgent_pinned_tasks_stay() {
    let urgent = Urgent::new();
    let id = |n: usize| TaskId::new(n as u32, 1);
    let second = |n: u64| Time::from_nanos(n * 1_000_000_000);
    for (n, priority) in [(0, 200), (1, 210), (2, 210), (3, 220)] {
        urgent.push_cancel(Item::pinned(n, (n % 2 == 1).then_some(0)), priority);
    }
    for (n, at) in [(4, 1), (5, 1), (6, 3), (7, 2)] {
        let item = Item::pinned(n, (n % 2 == 1).then_some(0));
        urgent.push_timed(item, second(at), id(n));
    }
    let order = |urgent: &Urgent<Item>| {
        let cancel = std::iter::from_fn(|| urgent.pop_cancel().map(Item::id));
        let timed = std::iter::from_fn(|| urgent.pop_timed().map(Item::id));
        cancel.chain(timed).collect::<Vec<_>>()
    };
    let (lane, stolen) = urgent.steal().expect("there are others");
    assert_eq!((lane, stolen.id()), (Lane::Cancel, 2));
    assert_eq!(urgent.steal().map(|(_, item)| item.id()), Some(0));
    let (lane, stolen) = urgent.steal().expect("there are others");
    assert_eq!((lane, stolen.id()), (Lane::Timed, 4));
    assert_eq!(urgent.steal().map(|(_, item)| item.id()), Some(6));
    assert!(!urgent.can_be_stolen());
    assert!(urgent.steal().is_none());
    assert_eq!((urgent.cancel_len(), urgent.timed_len()), (2, 2));
    urgent.push_cancel(Item::new(8), 215);
    assert_eq!(order(&urgent), [3, 8, 1, 5, 7]);
    assert!(urgent.is_empty());
}

/// Priority first, then arrival, for every priority of the lane.
#[test]
fn sch_2_the_cancel_lane_is_by_priority_then_arrival() {
    let urgent = Urgent::new();
    for round in 0..3_usize {
        for step in 0..56 {
            let mixed = 200 + step * 13 % 56;
            urgent.push_cancel(Item::new(mixed * 10 + round), mixed as u8);
        }
    }
    let order: Vec<_> = std::iter::from_fn(|| urgent.pop_cancel().map(Item::id)).collect();
    let expected = (200..=255)
        .rev()
        .flat_map(|priority| (0..3).map(move |n| priority * 10 + n));
    assert!(order.into_iter().eq(expected));
}

#[test]
fn sch_4_the_timed_lane_is_by_deadline_then_task() {
    let urgent = Urgent::new();
    for n in 0..100_usize {
        let deadline = Time::from_nanos((n as u64 * 7) % 10);
        let task = TaskId::new((n as u32 * 37) % 100, 1);
        urgent.push_timed(Item::new(n), deadline, task);
    }
    let order: Vec<_> = std::iter::from_fn(|| urgent.pop_timed().map(Item::id)).collect();
    let key = |n: usize| ((n * 7) % 10, (n * 37) % 100);
    assert!(order.is_sorted_by_key(|&n| key(n)));
    assert_eq!(order.len(), 100);
}

/// Each worker takes a share, at most 32; the order is that of arrival.
#[test]
fn sch_9_the_injector_is_shared_out_oldest_first() {
    let (ring, injector) = (owner(), Injector::new());
    assert!(ring.refill(&injector, 4).is_none());
    assert_eq!(injector.push_batch((0..10).map(Item::new)), 10);
    assert_eq!(injector.share(4), 3);
    assert_eq!(ring.refill(&injector, 4).map(Item::id), Some(0));
    assert_eq!(all(&ring), [1, 2]);
    injector.push_batch((10..500).map(Item::new));
    assert_eq!(injector.share(1), 32);
    assert_eq!(ring.refill(&injector, 1).map(Item::id), Some(3));
    assert!(all(&ring).into_iter().eq(4..35));
    assert_eq!(injector.len(), 465);
}

/// A full ring does not keep the injector waiting, nor is it kept waiting itself.
#[test]
fn sch_8_a_full_ring_and_the_injector_change_places() {
    let (ring, injector) = (owner(), Injector::new());
    for id in 0..SLOTS {
        ring.push(Item::new(id), &injector);
    }
    injector.push_batch((1000..1040).map(Item::new));
    assert_eq!(ring.refill(&injector, 1).map(Item::id), Some(1000));
    let left = injected(&injector);
    assert!(left.into_iter().eq((1032..1040).chain(0..SLOTS / 2)));
    assert!(
        all(&ring)
            .into_iter()
            .eq((SLOTS / 2..SLOTS).chain(1001..1032))
    );
}
