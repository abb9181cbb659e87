//! An emit allocates nothing (TRC-4).

#[path = "../../base/tests/counting/mod.rs"]
mod counting;

use std::sync::Arc;
use std::time::Duration;

use asr_base::{RegionId, TaskId, Time};
use asr_trace::{Draft, Gate, HybridClock, Kind, Object, Recorder, Resource, Sub};
use counting::operations;

fn emit(gate: &Gate, events: u64) -> u64 {
    let before = operations();
    for n in 0..events {
        gate.emit(|| {
            let time = Time::from_nanos(n);
            let draft = Draft::new(Kind::TaskPoll, time).task(TaskId::new(n as u32 % 5000, 1));
            let sub = Draft::sub(Sub::LongPoll, time);
            let draft = if n % 7 == 0 {
                sub.unwrap_or(draft)
            } else {
                draft
            };
            let object = Object::write(Resource::Region(RegionId::new(0, 1)));
            draft.object(object).cause(n).words(n, n, n)
        });
    }
    operations() - before
}

#[test]
fn trc_4_an_emit_allocates_nothing_also_when_full() {
    let hybrid = Recorder::single(1000).hybrid(Arc::new(HybridClock::new()), Duration::ZERO);
    for recorder in [Recorder::new(1000), Recorder::single(1000), hybrid] {
        let recorder = Arc::new(recorder);
        let gate = Gate::new();
        gate.set(recorder.clone());
        assert_eq!(emit(&gate, 100_000), 0);
        let log = recorder.take();
        assert!(!log.events.is_empty() && log.dropped.total() > 0);
        assert_eq!(log.events.len() as u64 + log.dropped.total(), 100_000);
        assert_eq!(emit(&gate, 100_000), 0, "after it was emptied");
    }
}

#[test]
fn trc_4_the_lab_makes_room_between_steps_and_then_allocates_nothing() {
    let recorder = Arc::new(Recorder::lab(16));
    let gate = Gate::new();
    gate.set(recorder.clone());
    for _ in 0..10 {
        recorder.make_room(1000);
        assert_eq!(emit(&gate, 1000), 0);
    }
    let log = recorder.take();
    assert_eq!((log.events.len(), log.dropped.total()), (10_000, 0));
}
