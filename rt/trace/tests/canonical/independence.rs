//! TRC-8 and TRC-9.

use asr_base::{RegionId, Rng, TaskId, Time};
use asr_trace::{
    Access, Draft, End, Event, Kind, Object, Objects, Resource, dependent, independent,
};

use crate::model::{random_run, task};

fn event(seq: u64, kind: Kind, task: Option<TaskId>, objects: Objects) -> Event {
    let draft = Draft::new(kind, Time::ZERO).task(task).objects(objects);
    draft.event(seq, seq)
}

fn resources() -> Vec<Resource> {
    let (r, s) = (RegionId::new(0, 1), RegionId::new(1, 1));
    vec![
        Resource::Cell(1),
        Resource::Cell(2),
        Resource::Lock(1),
        Resource::Channel(1, End::Send),
        Resource::Channel(1, End::Receive),
        Resource::Region(r),
        Resource::Region(s),
        Resource::Place(r, 0),
        Resource::Place(r, 1),
        Resource::TimerHead,
        Resource::Name(1),
        Resource::Task(task(9)),
    ]
}

#[test]
fn trc_8_dependence_over_all_pairs_of_kinds() {
    for &k in Kind::ALL {
        for &l in Kind::ALL {
            let (a, b) = (Some(task(0)), Some(task(1)));
            let plain = event(1, k, a, Objects::NONE);
            let pairs = [
                (event(2, l, b, Objects::NONE), false, "nothing in common"),
                (event(2, l, a, Objects::NONE), true, "same task"),
                (event(2, l, None, Objects::NONE), false, "no task"),
                (
                    Draft::new(l, Time::ZERO).task(b).cause(1).event(2, 2),
                    true,
                    "cause",
                ),
                (
                    Draft::new(l, Time::ZERO).task(b).cause(7).event(2, 2),
                    false,
                    "cause of another",
                ),
            ];
            for (other, expected, why) in pairs {
                assert_eq!(dependent(&plain, &other), expected, "{k:?} {l:?}: {why}");
                assert_eq!(dependent(&other, &plain), expected, "{l:?} {k:?}: {why}");
            }
            let none = [
                event(1, k, None, Objects::NONE),
                event(2, l, None, Objects::NONE),
            ];
            assert!(independent(&none[0], &none[1]), "two events of no task");
        }
    }
}

#[test]
fn trc_8_common_resource_and_one_write_over_all_pairs_of_kinds() {
    let accesses = [Access::Read, Access::Write];
    let resources = resources();
    for &k in Kind::ALL {
        for &l in Kind::ALL {
            for (i, &x) in resources.iter().enumerate() {
                // The same resource and one other are enough for each pair of kinds.
                for y in [x, resources[(i + 1) % resources.len()]] {
                    for (p, q) in accesses.iter().flat_map(|p| accesses.map(|q| (*p, q))) {
                        let one = |resource, access| Objects::one(Object { resource, access });
                        let a = event(1, k, Some(task(0)), one(x, p));
                        let b = event(2, l, Some(task(1)), one(y, q));
                        let expected = x == y && (p == Access::Write || q == Access::Write);
                        assert_eq!(
                            dependent(&a, &b),
                            expected,
                            "{k:?} {p:?} {x:?}, {l:?} {q:?}"
                        );
                        assert_eq!(dependent(&b, &a), expected);
                    }
                }
            }
        }
    }
}

#[test]
fn trc_8_declared_cases() {
    let at = |seq, n, objects| event(seq, Kind::Checkpoint, Some(task(n)), objects);
    let cas = |done| Objects::one(Object::compare_and_swap(Resource::Cell(0), done));
    let read = Objects::one(Object::read(Resource::Cell(0)));
    let cases = [
        (
            cas(false),
            read,
            false,
            "a failed compare-and-swap is a read",
        ),
        (cas(false), cas(false), false, "two of them"),
        (cas(true), read, true, "a successful one is a write"),
        (cas(true), cas(false), true, "successful and failed"),
        (read, read, false, "reads commute"),
        (
            Objects::send(1, true),
            Objects::receive(1, true),
            false,
            "send and receive",
        ),
        (
            Objects::send(1, true),
            Objects::send(1, true),
            true,
            "two sends",
        ),
        (
            Objects::receive(1, true),
            Objects::receive(1, true),
            true,
            "two receives",
        ),
        (
            Objects::send(1, true),
            Objects::receive(1, false),
            true,
            "receive found it empty",
        ),
        (
            Objects::send(1, false),
            Objects::receive(1, true),
            true,
            "send found it full",
        ),
        (
            Objects::send(1, true),
            Objects::send(2, true),
            false,
            "other channel",
        ),
    ];
    for (a, b, expected, why) in cases {
        assert_eq!(dependent(&at(1, 0, a), &at(2, 1, b)), expected, "{why}");
        assert_eq!(dependent(&at(2, 1, b), &at(1, 0, a)), expected, "{why}");
    }
    // On an empty channel the message itself, on a full one the freed slot, joins the two.
    let send = at(1, 0, Objects::send(1, true));
    let draft = Draft::new(Kind::Checkpoint, Time::ZERO).task(task(1));
    let receive = draft
        .objects(Objects::receive(1, true))
        .cause(1)
        .event(2, 2);
    assert!(dependent(&send, &receive));
}

#[test]
fn trc_9_swapping_independent_neighbours_leads_to_the_same_state() {
    let mut rng = Rng::seeded(9);
    let (mut swaps, mut kept) = (0, 0);
    while swaps < 100_000 {
        let run = random_run(&mut rng, 4, 60);
        for i in 0..run.steps.len() - 1 {
            let (e, f) = (&run.events[i], &run.events[i + 1]);
            assert!(!independent(e, e), "irreflexive");
            assert_eq!(independent(e, f), independent(f, e), "symmetric");
            if dependent(e, f) {
                kept += 1;
                continue;
            }
            let ((t, p), (u, q)) = (run.steps[i], run.steps[i + 1]);
            let Some(forth) = run.before.get(i + 2) else {
                continue;
            };
            let mut back = run.before[i].clone();
            assert!(back.enabled(u, q), "{q:?} waits for {p:?}");
            // Each event is the same in both orders, so dependence is as well.
            assert_eq!(back.step(f.seq, u, q), *f);
            assert!(back.enabled(t, p), "{p:?} waits for {q:?}");
            assert_eq!(back.step(e.seq, t, p), *e);
            assert_eq!(*forth, back, "{p:?} and {q:?}");
            swaps += 1;
        }
    }
    assert!(kept > 10_000, "conflicts are common: {kept}");
}
