//! Ids and the slabs that give them out; time; random numbers.

mod common;

use asr_base::{
    Duration, Error, GenSlab, HeapId, ObligationId, Purpose, RegionId, Rng, Stale, Status, TaskId,
    Time, TimerId, TokenId, WallTime, nanos, task_entropy,
};
use common::{CASES, rng};

/// Part: the first ids of a run are in the tests of the lab (`identity`); I/O tokens and heaps
/// wait.
#[test]
fn val_27_part_layout_of_ids() {
    macro_rules! check {
        ($($name:ident $text:literal)*) => {$(
            let mut slab = GenSlab::new();
            let (index, generation) = slab.insert(());
            let id = $name::new(index, generation);
            assert_eq!((id.index(), id.generation()), (0, 1), "the first of each kind");
            assert_eq!(id.to_bits(), 1 << 32);
            assert_eq!(id.to_string(), $text);
            assert_eq!(size_of::<$name>(), 8);
            assert_eq!(size_of::<Option<$name>>(), 8, "all zeros are no id");
            let id = $name::new(u32::MAX, 0x0102_0304);
            assert_eq!(id.to_bits(), 0x0102_0304_ffff_ffff);
            assert_eq!($name::from_bits(id.to_bits()), Some(id));
            assert_eq!($name::from_bits(0), None);
            assert_eq!($name::from_bits(u64::from(u32::MAX)), None, "generation 0");
            assert!($name::new(7, 1) < $name::new(0, 2));
        )*};
    }
    check!(RegionId "R0.1" TaskId "T0.1" ObligationId "O0.1" TimerId "W0.1" TokenId "I0.1");
    check!(HeapId "H0.1");
}

#[test]
fn val_28_a_stale_id_fails_and_changes_nothing() {
    let mut slab = GenSlab::new();
    let old = slab.insert("old");
    assert_eq!(slab.remove(old.0, old.1), Ok("old"));
    let new = slab.insert("new");
    assert_eq!((new.0, new.1), (old.0, old.1 + 1), "the same slot");
    assert_eq!(slab.stale_handle_total(), 0);
    assert_eq!(slab.get(old.0, old.1), Err(Stale));
    assert_eq!(slab.get_mut(old.0, old.1), Err(Stale));
    assert_eq!(slab.remove(old.0, old.1), Err(Stale));
    // Neither one from the future nor one from nowhere.
    assert_eq!(slab.get(new.0, new.1 + 1), Err(Stale));
    assert_eq!(slab.get(99, 1), Err(Stale));
    assert_eq!(slab.stale_handle_total(), 5);
    assert_eq!(slab.get(new.0, new.1), Ok(&"new"));
    assert_eq!((slab.len(), slab.stale_handle_total()), (1, 5));
    // A free slot has no occupant either, whatever the generation.
    assert_eq!(slab.remove(new.0, new.1), Ok("new"));
    for generation in 0..5 {
        assert_eq!(slab.get(new.0, generation), Err(Stale));
    }
    assert_eq!(Error::from(Stale).kind(), Status::STALE_HANDLE);
    assert!(slab.is_empty());
}

#[test]
fn val_29_the_last_generation_retires_the_slot() {
    let mut slab = GenSlab::with_first_generation(u32::MAX - 2);
    let a = slab.insert('a');
    assert_eq!(slab.remove(a.0, a.1), Ok('a'));
    let b = slab.insert('b');
    assert_eq!((b.0, b.1), (0, u32::MAX - 1));
    assert_eq!(slab.remove(b.0, b.1), Ok('b'));
    let c = slab.insert('c');
    assert_eq!(c.0, 1, "another slot");
    for generation in [0, 1, u32::MAX - 1, u32::MAX] {
        assert_eq!(slab.get(0, generation), Err(Stale));
        assert_eq!(slab.remove(0, generation), Err(Stale));
    }
    assert_eq!((slab.len(), slab.slots()), (1, 2));
    // Nor does the free list lead there, once more slots came and went.
    let d = slab.insert('d');
    slab.remove(c.0, c.1).expect("it is there");
    slab.remove(d.0, d.1).expect("it is there");
    let again = [slab.insert('e').0, slab.insert('f').0, slab.insert('g').0];
    assert_eq!(again, [2, 1, 3]);
    // A slab forced to the end begins at the last generation that an id may have.
    let last = GenSlab::<()>::with_first_generation(u32::MAX).next_key();
    assert_eq!(last, Some((0, u32::MAX - 1)));
}

/// The ids of two runs are in the tests of the lab (`identity`).
#[test]
fn val_30_equal_sequences_give_equal_ids() {
    let run = || {
        let (mut rng, mut slab) = (rng(30), GenSlab::new());
        let (mut live, mut freed, mut given) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..CASES {
            if !live.is_empty() && rng.below(100) < 48 {
                let (index, generation) = live.swap_remove(rng.below(live.len() as u64) as usize);
                slab.remove(index, generation).expect("it is live");
                freed.push((index, generation));
            } else {
                let expected = slab.next_key();
                let id = slab.insert_with(|index, generation| (step, index, generation));
                assert_eq!(Some(id), expected);
                if let Some((index, generation)) = freed.pop() {
                    assert_eq!(
                        id,
                        (index, generation + 1),
                        "the slot freed last comes first"
                    );
                }
                live.push(id);
                given.push(id);
            }
        }
        live.sort_unstable();
        let inside: Vec<_> = slab
            .iter()
            .map(|(index, generation, _)| (index, generation))
            .collect();
        assert_eq!(inside, live);
        assert!(
            slab.iter_mut()
                .all(|(index, generation, value)| { (value.1, value.2) == (index, generation) })
        );
        given
    };
    assert_eq!(run(), run());
}

#[test]
fn a_value_that_cannot_be_made_leaves_the_slab_as_it_was() {
    let mut slab = GenSlab::new();
    let a = slab.insert(1);
    slab.remove(a.0, a.1).expect("it is there");
    let key = slab.next_key();
    let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        slab.insert_with(|_, _| panic!("cannot"))
    }));
    assert!(made.is_err());
    assert_eq!((slab.next_key(), slab.len()), (key, 0));
    assert_eq!(Some(slab.insert(2)), key);
}

/// That a step of the system clock moves no deadline is in the tests of the kernel
/// (`system_clock`).
#[test]
fn val_31_time_saturates() {
    let nano = Duration::from_nanos(1);
    assert_eq!(Time::MAX + nano, Time::MAX);
    assert_eq!(Time::from_nanos(u64::MAX - 1) + nano, Time::MAX);
    assert_eq!(Time::ZERO + Duration::MAX, Time::MAX);
    assert_eq!(Time::from_nanos(7).saturating_add(nano).as_nanos(), 8);
    assert_eq!(nanos(Duration::MAX), u64::MAX);
    assert_eq!(nanos(Duration::from_nanos(u64::MAX)), u64::MAX);
    assert_eq!(nanos(Duration::from_nanos(u64::MAX) + nano), u64::MAX);
    assert_eq!(nanos(Duration::from_secs(2)), 2_000_000_000);
    assert_eq!(
        Time::from_nanos(5).since(Time::from_nanos(2)),
        Duration::from_nanos(3)
    );
    assert_eq!(
        Time::from_nanos(2).since(Time::from_nanos(5)),
        Duration::ZERO
    );
    assert!(Time::MAX.is_never() && !Time::ZERO.is_never());
    assert_eq!(Time::from_nanos(1_500_000_000).to_string(), "1.500000000 s");
    assert_eq!(Time::MAX.to_string(), "never");
    // A type of its own: there is no function from one to the other.
    let wall = WallTime::from_unix_nanos(-1);
    assert_eq!(wall.unix_nanos(), -1);
}

#[test]
fn lab_4_golden_vectors() {
    // Published outputs of the reference implementations.
    let mut rng = Rng::from_state([1, 2, 3, 4]).expect("not all zero");
    let outputs: [u64; 10] = std::array::from_fn(|_| rng.next_u64());
    assert_eq!(
        outputs,
        [
            11520,
            0,
            1509978240,
            1215971899390074240,
            1216172134540287360,
            607988272756665600,
            16172922978634559625,
            8476171486693032832,
            10595114339597558777,
            2904607092377533576,
        ]
    );
    // SplitMix64 makes the state.
    let state = Rng::seeded(1_234_567).state();
    assert_eq!(
        state,
        [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
            4593380528125082431
        ]
    );
    assert_eq!(Rng::from_state([0; 4]), None);
    assert_eq!(Rng::stream(6, Purpose(5)), Rng::seeded(3));
}

/// That chaos with probability 0 changes no trace is a test of the lab.
#[test]
fn lab_4_streams_of_purposes_do_not_touch() {
    let purposes = [
        Purpose::SCHEDULE,
        Purpose::STEAL,
        Purpose::CHAOS,
        Purpose::NETWORK,
        Purpose::DISK,
        Purpose::JITTER,
        Purpose::GOVERNOR,
    ];
    let take = |rng: &mut Rng, n| (0..n).map(|_| rng.next_u64()).collect::<Vec<_>>();
    let mut seen = std::collections::BTreeSet::new();
    for seed in [0, 1, 42, u64::MAX] {
        for purpose in purposes {
            // Seeds that differ by a purpose share a stream; within a seed all differ.
            let numbers = take(&mut Rng::stream(seed, purpose), 100);
            assert_eq!(numbers, take(&mut Rng::stream(seed, purpose), 100));
            assert!(seen.insert((seed, numbers)));
        }
        let streams = seen
            .iter()
            .filter(|(of, _)| *of == seed)
            .map(|(_, numbers)| numbers);
        let distinct: std::collections::BTreeSet<_> = streams.flatten().collect();
        assert_eq!(
            distinct.len(),
            100 * purposes.len(),
            "no number comes twice"
        );
    }
    // Whatever the probability, a question takes one number.
    let (mut a, mut b) = (rng(4), rng(4));
    assert!(!a.chance(0.0) && !a.chance(f64::NAN) && a.chance(1.0) && a.chance(7.0));
    take(&mut b, 4);
    assert_eq!(a, b);
}

#[test]
fn numbers_below_a_bound_are_even() {
    let mut rng = rng(1);
    let mut counts = [0_u32; 6];
    for _ in 0..60_000 {
        counts[rng.below(6) as usize] += 1;
    }
    // The seed is fixed: this holds or not, for ever. Ten standard deviations.
    assert!(
        counts.iter().all(|count| count.abs_diff(10_000) < 913),
        "{counts:?}"
    );
    // Four random numbers for three answers: without a second draw every third comes up twice.
    let thirds = (0..30_000)
        .filter(|_| rng.below(3 << 62).is_multiple_of(3))
        .count();
    assert!(thirds.abs_diff(10_000) < 817, "{thirds}");
    assert_eq!((rng.below(0), rng.below(1)), (0, 0));
    assert!((0..CASES).all(|_| rng.below(u64::MAX) < u64::MAX));
    let hits = (0..10_000).filter(|_| rng.chance(0.25)).count();
    assert!(hits.abs_diff(2500) < 433, "{hits}");
}

/// The same task under two schedules is in the tests of the lab (`caps`).
#[test]
fn cap_4_entropy_of_a_task_depends_on_nothing_else() {
    let draw = |seed, task, calls: u64| {
        (0..calls)
            .map(|call| task_entropy(seed, task, call))
            .collect::<Vec<_>>()
    };
    let (a, b) = (common::task(1), common::task(2));
    let alone = draw(7, a, 100);
    // Calls of another task in between shift nothing.
    let mut between = Vec::new();
    for call in 0..100 {
        task_entropy(7, b, call);
        between.push(task_entropy(7, a, call));
    }
    assert_eq!(alone, between);
    let mut all = alone;
    for (seed, task) in [(7, b), (8, a), (8, b), (7, TaskId::new(1, 2))] {
        all.extend(draw(seed, task, 100));
    }
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    // About half of all bits are set.
    let ones: u32 = all.iter().map(|number| number.count_ones()).sum();
    assert!(ones.abs_diff(16_000) < 900, "{ones}");
}
