//! The gate and the recorder behind it.

use std::sync::Arc;

use asr_base::{TaskId, Time};
use asr_trace::{Draft, Dropped, Gate, Kind, Recorder, Sink, Sub};

fn fact(a: u64) -> Draft {
    Draft::new(Kind::User, Time::from_nanos(a)).words(a, 0, 0)
}

fn note(a: u64) -> Draft {
    Draft::sub(Sub::CapDenied, Time::from_nanos(a))
        .unwrap()
        .words(a, 0, 0)
}

#[test]
fn trc_4_full_buffer_drops_oldest_sub_events_first_then_oldest_events() {
    let recorder = Recorder::single(4);
    for draft in [fact(1), note(2), note(3), fact(4), fact(5), fact(6)] {
        recorder.emit(draft);
    }
    // 2 and 3 had to go, in this order, for 5 and 6; then a note finds no older note.
    recorder.emit(note(7));
    recorder.emit(fact(8));
    let log = recorder.take();
    let kept: Vec<u64> = log.iter().map(|event| event.a).collect();
    assert_eq!(kept, [4, 5, 6, 8]);
    assert_eq!(
        log.dropped,
        Dropped {
            semantic: 1,
            notes: 3
        }
    );
    assert_eq!(recorder.take().dropped, Dropped::default());
}

#[test]
fn trc_4_the_lab_never_drops_a_semantic_event() {
    let recorder = Recorder::lab(4);
    for a in 0..1000 {
        recorder.emit(if a % 10 == 9 { note(a) } else { fact(a) });
    }
    let log = recorder.take();
    assert_eq!(log.iter().filter(|event| event.is_semantic()).count(), 900);
    assert_eq!(log.events.len(), 1000);
    assert_eq!(log.dropped, Dropped::default());
}

#[test]
fn trc_4_many_threads_lose_nothing_uncounted() {
    let recorder = Recorder::new(1 << 12);
    std::thread::scope(|scope| {
        for thread in 1..=4 {
            let recorder = &recorder;
            scope.spawn(move || {
                let task = TaskId::new(thread, 1);
                for a in 0..5000 {
                    recorder.emit(fact(a).task(task));
                }
            });
        }
    });
    let log = recorder.take();
    assert_eq!(log.events.len() as u64 + log.dropped.total(), 20_000);
    assert!(log.events.windows(2).all(|w| w[0].seq < w[1].seq));
}

/// Part: the cost is measured by the bench `emit`; that a test fails when it grows waits for a
/// count of instructions.
#[test]
fn trc_5_part_a_closed_gate_builds_no_draft() {
    let gate = Gate::new();
    assert_eq!(gate.emit(|| unreachable!("the gate is closed")), 0);
    let recorder = Arc::new(Recorder::lab(8));
    gate.set(recorder.clone());
    assert!(gate.on());
    assert_eq!(gate.emit(|| fact(1)), 1);
    assert_eq!(gate.emit(|| fact(2)), 2);
    assert!(gate.clear().is_some());
    assert_eq!(gate.emit(|| unreachable!("the gate is closed")), 0);
    assert_eq!(recorder.take().events.len(), 2);
}

#[test]
fn trc_4_an_emit_does_not_wait_for_a_reader() {
    // One shard, most of the time locked by the reader: an emit that finds it so counts as lost.
    let recorder = Recorder::single(1 << 10);
    let (mut kept, mut dropped) = (0, 0);
    let mut read = || {
        let log = recorder.take();
        kept += log.events.len() as u64;
        dropped += log.dropped.total();
    };
    std::thread::scope(|scope| {
        let emitter = scope.spawn(|| (0..50_000).map(|a| recorder.emit(fact(a))).sum::<u64>());
        while !emitter.is_finished() {
            read();
        }
    });
    // Nobody reads now, so this one is kept.
    assert_ne!(recorder.emit(fact(0)), 0);
    read();
    assert_eq!(kept + dropped, 50_001);
    assert!(kept > 0);
}
