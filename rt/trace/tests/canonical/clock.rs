//! TRC-6 and TRC-7.

use std::sync::Arc;
use std::time::Duration;

use asr_base::{RegionId, Rng, TaskId, Time};
use asr_trace::{
    CHILDREN, ClockMode, Draft, Event, HappensBefore, HybridClock, HybridTime, Kind, MAX_SKEW,
    Object, Recorder, Resource, Sink, Sub,
};

use crate::program::Program;

fn draft(event: &Event) -> Draft {
    let mut draft = Draft::new(event.kind, event.time).task(event.task);
    draft.causes = event.causes;
    draft
}

#[test]
fn trc_6_lamport_times_grow_along_happens_before() {
    let mut rng = Rng::seeded(60);
    for _ in 0..20 {
        let program = Program::run(&mut rng, 200);
        let recorder = Recorder::lab(256);
        for event in &program.events {
            assert_eq!(recorder.emit(draft(event)), event.seq);
        }
        let log = recorder.take();
        let relation = HappensBefore::rebuild(&log.events);
        for a in 0..log.events.len() {
            for b in 0..log.events.len() {
                let smaller = log.events[a].logical < log.events[b].logical;
                assert!(!relation.before(a, b) || smaller, "{a} {b}");
            }
        }
        let last = log.events.iter().map(|event| event.logical).max();
        assert!(last < Some(200), "the clock counts chains, not events");
    }
}

/// The step of a region that finds no child left comes after the ends of all its children, which
/// are no causes of it.
#[test]
fn trc_6_lamport_times_of_a_region_are_after_its_children() {
    let recorder = Recorder::lab(16);
    let region = RegionId::new(3, 1);
    let children = Resource::Place(region, CHILDREN);
    for child in 0..3 {
        let task = TaskId::new(child, 1);
        let event = |kind| Draft::new(kind, Time::ZERO).task(task).region(region);
        for _ in 0..=child {
            recorder.emit(event(Kind::User));
        }
        recorder.emit(event(Kind::TaskComplete).object(Object::read(children)));
    }
    let step = Draft::new(Kind::RegionFinalizing, Time::ZERO).region(region);
    recorder.emit(step.object(Object::write(children)));
    let events = recorder.take().events;
    let relation = HappensBefore::rebuild(&events);
    let last = events.len() - 1;
    for (at, event) in events[..last].iter().enumerate() {
        assert!(relation.before(at, last));
        assert!(event.logical < events[last].logical, "{event:?}");
    }
}

#[test]
fn trc_6_lamport_times_survive_full_slots() {
    // More tasks and events than the clock has slots for.
    let recorder = Recorder::lab(1);
    for round in 0..3u64 {
        for n in 0..3000u32 {
            let task = asr_base::TaskId::new(n, 1);
            let cause = if round > 0 {
                round * 3000 - u64::from(n)
            } else {
                0
            };
            let draft = Draft::new(Kind::User, Time::ZERO).task(task);
            recorder.emit(draft.cause(cause));
        }
    }
    let events = recorder.take().events;
    for event in &events {
        for cause in event.causes.iter() {
            assert!(events[cause as usize - 1].logical < event.logical);
        }
        if event.seq > 3000 {
            assert!(events[event.seq as usize - 3001].logical < event.logical);
        }
    }
}

#[test]
fn trc_6_defaults() {
    assert_eq!(ClockMode::default(), ClockMode::Lamport);
    assert_eq!(ClockMode::default_for(false), ClockMode::Lamport);
    assert_eq!(ClockMode::default_for(true), ClockMode::Hybrid);
    assert_eq!(Recorder::lab(1).take().clock, ClockMode::Lamport);
    let hybrid = Recorder::lab(1).hybrid(Arc::new(HybridClock::new()), Duration::ZERO);
    assert_eq!(hybrid.take().clock, ClockMode::Hybrid);
}

#[test]
fn trc_6_hybrid_times_of_two_nodes_grow_along_messages_and_stay_near_physical_time() {
    let mut rng = Rng::seeded(61);
    let nodes = [HybridClock::new(), HybridClock::new()];
    let mut true_time = Duration::from_secs(100);
    // The second node's physical clock is ahead by almost all that is allowed.
    let skew = [Duration::ZERO, Duration::from_millis(499)];
    let mut flying: Vec<(usize, HybridTime)> = Vec::new();
    let mut last = [HybridTime::default(); 2];
    for _ in 0..20_000 {
        true_time += Duration::from_micros(rng.below(50));
        let n = rng.below(2) as usize;
        let physical = true_time + skew[n];
        let now = match flying.iter().position(|(to, _)| *to == n) {
            Some(i) if rng.below(3) == 0 => {
                let (_, sent) = flying.remove(i);
                let now = nodes[n].receive(physical, sent).unwrap();
                assert!(now > sent, "send before receive");
                now
            }
            _ => nodes[n].tick(physical),
        };
        assert!(now > last[n], "program order");
        last[n] = now;
        if rng.below(4) == 0 {
            flying.push((1 - n, now));
        }
        let apart = now.physical().abs_diff(physical);
        assert!(apart <= MAX_SKEW, "{apart:?} from physical time");
    }
}

#[test]
fn trc_6_a_recorder_gives_hybrid_times_that_messages_move() {
    // The year 2026, which must fit.
    let start = Duration::from_secs(1_780_000_000);
    let clock = Arc::new(HybridClock::new());
    let recorder = Recorder::lab(8).hybrid(clock.clone(), start);
    let at = |millis: u64| Draft::new(Kind::User, Time::from_nanos(millis * 1_000_000));
    recorder.emit(at(1));
    recorder.emit(at(2));
    let remote = HybridTime::at(start + Duration::from_millis(402));
    let received = clock.receive(start + Duration::from_millis(2), remote);
    recorder.emit(at(3));
    recorder.emit(at(1000));
    let log = recorder.take();
    let times: Vec<HybridTime> = log
        .iter()
        .map(|e| HybridTime::from_bits(e.logical))
        .collect();
    assert!(times.is_sorted() && times[1] < remote && received.unwrap() < times[2]);
    let physical = times
        .iter()
        .map(|time| (time.physical() - start).as_millis());
    assert_eq!(physical.collect::<Vec<_>>(), [1, 2, 402, 1000]);
    assert_eq!((times[0].counter(), times[2].counter()), (0, 2));
}

#[test]
fn trc_7_wall_jumps_of_an_hour_do_not_turn_the_clock_back() {
    let clock = HybridClock::new();
    let hour = Duration::from_secs(3600);
    let start = 10 * hour;
    let mut last = HybridTime::default();
    for physical in [
        start,
        start + hour,
        start,
        start - hour,
        start,
        start + hour,
    ] {
        for step in 0..100_000 {
            let now = clock.tick(physical + Duration::from_nanos(step));
            assert!(now > last);
            last = now;
        }
    }
    // After the last jump forth the clock is again near physical time: 3 * 10^5 events without
    // progress of the wall are some counters full, each a microsecond.
    let ahead = last.physical().saturating_sub(start + hour);
    assert!(ahead < Duration::from_micros(200), "{ahead:?} ahead");
}

#[test]
fn trc_7_hostile_remote_time_is_refused_recorded_and_leaves_the_clock() {
    let clock = HybridClock::new();
    let physical = Duration::from_secs(50);
    let before = clock.tick(physical);
    let hostile = [
        HybridTime::at(physical + MAX_SKEW + Duration::from_micros(1)),
        HybridTime::at(physical + Duration::from_secs(3600)),
        HybridTime::from_bits(u64::MAX),
    ];
    let recorder = Recorder::lab(8);
    for remote in hostile {
        let refused = clock.receive(physical, remote).unwrap_err();
        assert_eq!(refused.remote, remote);
        assert!(refused.ahead > MAX_SKEW);
        assert_eq!(clock.last(), before, "its own time is kept");
        recorder.emit(refused.draft(Time::ZERO));
    }
    let log = recorder.take();
    assert_eq!(log.events.len(), hostile.len());
    for (event, remote) in log.iter().zip(hostile) {
        assert_eq!(
            (event.sub, event.b),
            (Sub::ProtocolViolation, remote.to_bits())
        );
    }
    let allowed = HybridTime::at(physical + MAX_SKEW);
    assert!(clock.receive(physical, allowed).unwrap() > allowed);
    // A remote time from the past is no reason to go back.
    assert!(clock.receive(physical, HybridTime::default()).unwrap() > allowed);
}
