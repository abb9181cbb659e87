//! The closed set of kinds, the fields of events, the table of sub-events.

use asr_base::{RegionId, TaskId, Time};
use asr_trace::{
    Draft, Event, Kind, Object, Recorder, Resource, Sink, Sub, Topic, Unlisted, Word, line,
    schema_text, text_number,
};

#[test]
fn trc_1_the_set_of_kinds_is_closed() {
    let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let expected = "region.open region.closing region.draining region.finalizing region.closed \
        task.spawn task.start task.poll task.wake task.complete \
        cancel.request cancel.observe cancel.escalate cancel.late mask.begin mask.end \
        obligation.reserve obligation.commit obligation.abort obligation.transfer \
        obligation.leak finalizer.register finalizer.run finalizer.escalate \
        timer.set timer.fire timer.cancel checkpoint user chaos futurelock decision \
        io.submit io.complete remote.send remote.receive actor.down actor.restart repair";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    for (n, &kind) in Kind::ALL.iter().enumerate() {
        assert_eq!(kind as usize, n);
        assert_eq!(Kind::from_u8(n as u8), Some(kind));
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
        // The exporter takes every kind, and its match over them is exhaustive.
        let event = Draft::new(kind, Time::ZERO).event(1, 1);
        assert!(
            line(&event).unwrap().contains(kind.name()),
            "{:?}",
            Topic::of(kind)
        );
    }
    assert_eq!(Kind::from_u8(Kind::ALL.len() as u8), None);
    assert_eq!(Kind::from_name("region.paused"), None);
}

#[test]
fn trc_2_schema_of_an_event() {
    let text = schema_text();
    let first = text.lines().next().unwrap();
    for field in [
        "seq", "kind", "logical", "time", "task", "region", "object", "cause",
    ] {
        assert!(first.contains(field), "{field} in {first}");
    }
    assert_eq!(text.lines().count(), 1 + Kind::ALL.len() + Sub::ALL.len());
    assert!(text.contains("kind 17 obligation.commit: id:Obligation kind:Number\n"));
    assert!(text.contains("sub 6 task.long_poll: site:Number duration:Time\n"));
    // A field without a name is empty, and the empty ones come last.
    let kinds = Kind::ALL.iter().map(|kind| kind.fields());
    for fields in kinds.chain(Sub::ALL.iter().map(|sub| sub.fields())) {
        let empty = fields.map(|field| field.word == Word::Empty);
        assert!(empty.is_sorted());
        assert_eq!(empty, fields.map(|field| field.name.is_empty()));
    }
}

#[test]
fn trc_2_an_event_carries_all_of_it_through_a_recorder() {
    let (task, region) = (TaskId::new(2, 1), RegionId::new(0, 1));
    let woken = TaskId::new(3, 4);
    let draft = Draft::new(Kind::TaskWake, Time::from_nanos(1500))
        .task(task)
        .region(region)
        .object(Object::write(Resource::Task(woken)))
        .cause(1)
        .words(woken.to_bits(), 0, 0);
    let recorder = Recorder::lab(4);
    recorder.emit(Draft::new(Kind::User, Time::ZERO));
    assert_eq!(recorder.emit(draft), 2);
    let log = recorder.take();
    assert_eq!(log.events[1], draft.event(2, 2));
    assert_eq!(
        line(&log.events[1]).unwrap(),
        "2 @2 1500ns task.wake T2.1 in R0.1 [write T3.4] <- 1 woken=T3.4"
    );
}

/// Name, parent and fields of every row of the table in the rule.
const SUBS: &str = "
    policy.panic_absorbed | task.complete | policy payload
    region.close_stalled | region.closing | blockers
    finalizer.escalated | finalizer.escalate | index polls_used
    commit_section.overrun | cancel.escalate | bound polls_used
    task.result_discarded | task.complete | severity_before
    task.long_poll | task.poll | site duration
    cancel.late | cancel.late | reason
    cancel.swallowed | checkpoint | passes last_message
    cancel.mask_overrun | cancel.escalate | bound polls_used
    cancel.escalated | cancel.escalate | mode reason held
    cancel.stuck_in_poll | cancel.escalate | worker duration probe
    chan.undelivered | obligation.abort | channel count
    queue.capacity | task.wake | queue length limit
    cap.denied | user | operation token
    race.discarded | task.complete | branch
    futurelock.detected | futurelock | held idle_steps
    remote.protocol_violation | remote.receive | state message
    remote.conflict | remote.receive | first second
    remote.dead_letter | remote.send | subject deliveries
    obligation.conflict | obligation.commit | id replicas
    saga.stuck | finalizer.escalate | saga steps_left
    heal.handler_replaced | repair | type_id old new";

#[test]
fn trc_27_sub_events_are_exactly_the_table_and_each_is_emitted() {
    let rows: Vec<&str> = SUBS.trim().lines().map(str::trim).collect();
    assert_eq!(rows.len(), Sub::ALL.len());
    let recorder = Recorder::lab(32);
    for (row, &sub) in rows.iter().zip(Sub::ALL) {
        let names = sub.fields().map(|field| field.name);
        let parent = sub.parent().unwrap();
        let shown = format!("{} | {} | {}", sub.name(), parent.name(), names.join(" "));
        assert_eq!(shown.trim_end(), *row);
        assert_eq!(Sub::from_name(sub.name()), Some(sub));
        assert_eq!(Sub::from_u8(sub as u8), Some(sub));
        recorder.emit(Draft::sub(sub, Time::ZERO).unwrap().words(4, 5, 6));
    }
    let log = recorder.take();
    assert_eq!(log.events.len(), rows.len());
    for (event, &sub) in log.iter().zip(Sub::ALL) {
        assert!(event.sub == sub && !event.is_semantic());
        let head = format!("{} ({})", sub.name(), event.kind.name());
        assert!(line(event).unwrap().contains(&head));
    }
}

#[test]
fn trc_27_the_exporter_refuses_an_unlisted_name() {
    assert_eq!(Sub::from_name("task.surprised"), None);
    assert_eq!(Sub::from_name(""), None);
    assert_eq!(Sub::from_u8(Sub::ALL.len() as u8 + 1), None);
    assert_eq!(Draft::sub(Sub::None, Time::ZERO), None);
    for &sub in Sub::ALL {
        for &kind in Kind::ALL {
            let event = Event {
                sub,
                ..Draft::new(kind, Time::ZERO).event(1, 1)
            };
            let expected = sub.parent() == Some(kind);
            assert_eq!(line(&event).is_ok(), expected);
            assert!(expected || line(&event) == Err(Unlisted { kind, sub }));
        }
    }
}

#[test]
fn trc_27_texts_are_referred_to_by_number() {
    assert_eq!(text_number("waiting"), text_number("waiting"));
    assert_ne!(text_number("waiting"), text_number("waited"));
    let draft = Draft::sub(Sub::CancelSwallowed, Time::ZERO).unwrap();
    let event = draft.words(3, text_number("waiting"), 0).event(1, 1);
    let shown = format!("last_message=#{:016x}", text_number("waiting"));
    assert!(line(&event).unwrap().ends_with(&shown));
}
