//! TRC-10.

use asr_base::{Rng, Time};
use asr_trace::{Draft, Event, Foata, Kind, Object, Objects, Resource, dependent};

use crate::model::{random_run, task};

/// The event x:n, which writes this resource if one is given.
fn at(seq: u64, x: u32, n: u64, writes: Option<Resource>) -> Event {
    let objects = writes.map_or(Objects::NONE, |resource| {
        Objects::one(Object::write(resource))
    });
    let draft = Draft::new(Kind::User, Time::ZERO).task(task(x));
    draft.objects(objects).words(n, 0, 0).event(seq, seq)
}

/// Each layer as text, tasks as letters.
fn layers(events: &[Event]) -> Vec<String> {
    let name = |&i: &usize| {
        let task = events[i].task.unwrap().index() as u8;
        format!("{}{}", char::from(b'A' + task), events[i].a)
    };
    let foata = Foata::of(events);
    let layer = |layer: &[usize]| layer.iter().map(name).collect::<Vec<_>>().join(" ");
    foata.layers().map(layer).collect()
}

#[test]
fn trc_10_vectors_of_the_table() {
    let (a, b, c) = (0, 1, 2);
    let free = [
        at(1, a, 1, None),
        at(2, b, 1, None),
        at(3, a, 2, None),
        at(4, b, 2, None),
    ];
    assert_eq!(layers(&free), ["A1 B1", "A2 B2"]);
    let lock = Some(Resource::Lock(0));
    let locked = [at(1, b, 1, lock), at(2, a, 1, None), at(3, a, 2, lock)];
    assert_eq!(layers(&locked), ["A1 B1", "A2"]);
    let cell = Some(Resource::Cell(0));
    let writes = [at(1, c, 1, cell), at(2, b, 1, cell), at(3, a, 1, cell)];
    assert_eq!(layers(&writes), ["C1", "B1", "A1"]);
}

#[test]
fn trc_10_vectors_of_the_table_as_linearizations() {
    let lock = Some(Resource::Lock(0));
    let locked = [at(1, 1, 1, lock), at(2, 0, 1, None), at(3, 0, 2, lock)];
    assert_eq!(Foata::of(&locked).order, [1, 0, 2]);
    let free = [
        at(1, 1, 1, None),
        at(2, 1, 2, None),
        at(3, 0, 1, None),
        at(4, 0, 2, None),
    ];
    assert_eq!(Foata::of(&free).order, [2, 0, 3, 1]);
    let cell = Some(Resource::Cell(0));
    let writes = [at(1, 2, 1, cell), at(2, 1, 1, cell), at(3, 0, 1, cell)];
    assert_eq!(Foata::of(&writes).order, [0, 1, 2]);
}

#[test]
fn trc_10_layers_are_the_minimal_events_again_and_again() {
    let mut rng = Rng::seeded(10);
    for _ in 0..200 {
        let events = random_run(&mut rng, 4, 30).events;
        let mut left: Vec<usize> = (0..events.len()).collect();
        let mut expected = Vec::new();
        while !left.is_empty() {
            let minimal = |&i: &usize| {
                let earlier = left.iter().take_while(|&&j| j < i);
                earlier.clone().all(|&j| !dependent(&events[j], &events[i]))
            };
            let mut layer: Vec<usize> = left.iter().copied().filter(minimal).collect();
            left.retain(|i| !layer.contains(i));
            layer.sort_by_key(|&i| (events[i].task, i));
            expected.push(layer);
        }
        let foata = Foata::of(&events);
        let layers: Vec<Vec<usize>> = foata.layers().map(<[usize]>::to_vec).collect();
        assert_eq!(layers, expected);
    }
}

/// Swaps so many random independent neighbours.
fn shuffle(events: &mut [Event], rng: &mut Rng, times: usize) {
    for _ in 0..times {
        let i = rng.below(events.len() as u64 - 1) as usize;
        if !dependent(&events[i], &events[i + 1]) {
            events.swap(i, i + 1);
        }
    }
}

/// Numbers the events anew in their present order, causes too, as another run would have.
fn renumber(events: &[Event]) -> Vec<Event> {
    let number = |seq| 1 + events.iter().position(|e| e.seq == seq).unwrap() as u64;
    let again = |event: &Event| {
        let mut draft = Draft::new(event.kind, event.time).task(event.task);
        draft = draft
            .objects(event.objects)
            .words(event.a, event.b, event.c);
        for cause in event.causes.iter() {
            draft = draft.cause(number(cause));
        }
        draft.event(number(event.seq), 0)
    };
    events.iter().map(again).collect()
}

#[test]
fn trc_10_random_swaps_keep_the_form() {
    let mut rng = Rng::seeded(11);
    for _ in 0..300 {
        let events = random_run(&mut rng, 4, 40).events;
        let mut other = events.clone();
        shuffle(&mut other, &mut rng, 400);
        assert_eq!(Foata::of(&events).form, Foata::of(&other).form);
        assert_eq!(Foata::of(&events).form, Foata::of(&renumber(&other)).form);
    }
}

#[test]
fn trc_10_non_equivalent_traces_have_different_forms() {
    let mut rng = Rng::seeded(12);
    let mut different = 0;
    while different < 1000 {
        let events = random_run(&mut rng, 4, 40).events;
        let mut other = events.clone();
        shuffle(&mut other, &mut rng, 100);
        // Two dependent neighbours of different content in the other order: another trace.
        let i = rng.below(events.len() as u64 - 1) as usize;
        let (e, f) = (other[i], other[i + 1]);
        let same = (e.task, e.objects, e.a) == (f.task, f.objects, f.a);
        let caused = f.causes.contains(e.seq);
        if dependent(&e, &f) && !caused && !same {
            other.swap(i, i + 1);
            assert_ne!(
                Foata::of(&events).form,
                Foata::of(&other).form,
                "{e:?} {f:?}"
            );
            different += 1;
        }
    }
}
