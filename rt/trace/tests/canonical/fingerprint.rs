//! TRC-11.

use std::collections::BTreeMap;

use asr_base::{ObligationId, RegionId, Rng, TaskId, Time};
use asr_trace::{Draft, Event, Foata, Kind, Object, Resource, fingerprint};

use crate::model::random_run;

/// A run that touches every sort of id, with all ids shifted by `by` slots and generations.
fn shifted(by: u32) -> Vec<Event> {
    let task = |n| TaskId::new(n + by, 1 + by);
    let region = |n| RegionId::new(n + by, 1 + by);
    let id = ObligationId::new(by, 1 + by).to_bits();
    let number = |n: u64| n + 1000 * u64::from(by);
    let at = |kind| Draft::new(kind, Time::from_nanos(u64::from(by)));
    let drafts = [
        at(Kind::RegionOpen).region(region(0)).words(0, 1, 0),
        at(Kind::TaskSpawn)
            .region(region(0))
            .object(Object::write(Resource::Task(task(1))))
            .words(task(1).to_bits(), 0, 0),
        at(Kind::RegionOpen)
            .region(region(2))
            .words(region(0).to_bits(), 1, 0),
        at(Kind::ObligationReserve)
            .task(task(1))
            .region(region(2))
            .object(Object::write(Resource::Place(region(2), 3)))
            .words(id, 3, 0),
        at(Kind::User)
            .task(task(1))
            .object(Object::read(Resource::Cell(number(5))))
            .object(Object::write(Resource::Lock(number(5))))
            .words(77, 0, 0),
        at(Kind::ObligationCommit)
            .task(task(1))
            .region(region(2))
            .cause(4)
            .words(id, 3, 0),
        at(Kind::Checkpoint)
            .task(task(4))
            .object(Object::write(Resource::Name(number(1)))),
    ];
    (1..)
        .zip(drafts)
        .map(|(seq, draft)| draft.event(seq, 0))
        .collect()
}

#[test]
fn trc_11_equal_across_runs_with_shifted_ids() {
    let first = fingerprint(&shifted(0));
    for by in [1, 2, 17, 1000] {
        assert_eq!(fingerprint(&shifted(by)), first, "shifted by {by}");
    }
}

#[test]
fn trc_11_numbers_that_are_no_ids_stay_and_ids_are_told_apart() {
    let events = shifted(0);
    let first = fingerprint(&events);
    let changes: [fn(&mut Vec<Event>); 6] = [
        |events| events[4].a += 1,
        |events| events[3].b += 1,
        |events| events[0].kind = Kind::RegionClosing,
        |events| events[5].task = Some(TaskId::new(9, 9)),
        |events| events[2].a = 0,
        |events| events.truncate(6),
    ];
    for (n, change) in changes.iter().enumerate() {
        let mut other = events.clone();
        change(&mut other);
        assert_ne!(fingerprint(&other), first, "change {n}");
    }
}

#[test]
fn trc_11_different_forms_have_different_fingerprints() {
    let mut rng = Rng::seeded(13);
    let mut seen = BTreeMap::new();
    for _ in 0..3000 {
        let events = random_run(&mut rng, 3, 6).events;
        let form = Foata::of(&events).form;
        let before = seen.insert(fingerprint(&events), form.clone());
        // Ids may be permuted between two runs of one fingerprint; what happened is the same.
        let kinds = |form: &asr_trace::Form| -> Vec<_> {
            form.letters()
                .iter()
                .map(|l| (l.kind, l.words, l.objects.len()))
                .collect()
        };
        assert!(before.is_none_or(|before| kinds(&before) == kinds(&form)));
    }
    assert!(seen.len() > 2000, "only {} fingerprints", seen.len());
}
