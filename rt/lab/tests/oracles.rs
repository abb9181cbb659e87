//! Oracles (LAB-12): each catches one planted violation at the very event, and none objects to
//! what the kernel writes.

#[path = "common/everything.rs"]
mod everything;

use asr_base::{Severity, Time};
use asr_kernel::Cx;
use asr_lab::oracle::{self, Oracle, Oracles};
use asr_lab::{Lab, LabConfig, Reason};
use asr_trace::{Event, Kind, Resource, Sub};
use everything::events;

#[test]
fn lab_12_the_clean_program_has_no_report() {
    for seed in 0..200 {
        let events = events(seed);
        assert_eq!(Oracles::check(&events), Ok(()), "seed {seed}");
        for kind in [
            Kind::TimerFire,
            Kind::CancelObserve,
            Kind::FinalizerRun,
            Kind::RegionClosed,
        ] {
            assert!(events.iter().any(|event| event.kind == kind), "{kind:?}");
        }
    }
}

/// Where the oracle first objects to these events.
fn objects_at(mut oracle: impl Oracle, events: &[Event]) -> Option<(usize, &'static str)> {
    events.iter().enumerate().find_map(|(at, event)| {
        let broken = oracle.step(event).err()?;
        Some((at, broken.rule))
    })
}

fn index_of(events: &[Event], wanted: impl Fn(&Event) -> bool) -> usize {
    events.iter().position(wanted).expect("it is in the trace")
}

#[test]
fn lab_12_a_live_task_of_a_closed_region() {
    let mut events = events(1);
    let root = events[0].region;
    let closed = events.len() - 1;
    assert_eq!(
        (events[closed].kind, events[closed].region),
        (Kind::RegionClosed, root)
    );
    let end = index_of(&events, |event| {
        event.kind == Kind::TaskComplete && event.region == root
    });
    events.remove(end);
    let found = objects_at(oracle::TaskLeak::default(), &events);
    assert_eq!(found, Some((closed - 1, "TSK-4")));
}

#[test]
fn lab_12_a_token_that_nobody_resolved() {
    let mut events = events(1);
    let start = index_of(&events, |event| event.kind == Kind::TaskStart);
    let mut reserve = events[start];
    (reserve.kind, reserve.a, reserve.b, reserve.task) = (Kind::ObligationReserve, 77, 1, None);
    events.insert(start + 1, reserve);
    let region = reserve.region;
    let closed = index_of(&events, |event| {
        event.kind == Kind::RegionClosed && event.region == region
    });
    let found = objects_at(oracle::ObligationLeak::default(), &events);
    assert_eq!(found, Some((closed, "OBL-20")));
}

#[test]
fn lab_12_a_region_closed_before_what_is_in_it() {
    let before = events(1);
    let root = before[0].region;
    // The last state of the first region below the root is missing: the root closes over it.
    let inner = index_of(&before, |event| {
        event.kind == Kind::RegionClosed && event.region != root
    });
    let mut cut = before.clone();
    cut.remove(inner);
    let found = objects_at(oracle::Quiescence::default(), &cut);
    assert_eq!(found, Some((cut.len() - 1, "REG-8")));

    // An operation that did not come back.
    let mut flying = before.clone();
    let mut submit = before[1];
    (submit.kind, submit.region, submit.a) = (Kind::IoSubmit, root, 5);
    flying.insert(2, submit);
    let found = objects_at(oracle::Quiescence::default(), &flying);
    assert_eq!(found, Some((flying.len() - 1, "REG-8")));

    // A state left out.
    let mut skipped = before;
    let draining = index_of(&skipped, |event| event.kind == Kind::RegionDraining);
    let region = skipped.remove(draining).region;
    let next = index_of(&skipped, |event| {
        event.kind == Kind::RegionFinalizing && event.region == region
    });
    let found = objects_at(oracle::Quiescence::default(), &skipped);
    assert_eq!(found, Some((next, "REG-2")));
}

#[test]
fn lab_12_finalizers_twice_never_and_in_the_wrong_order() {
    let events = events(1);
    let run = |event: &Event| event.kind == Kind::FinalizerRun;
    let object = |event: &Event| event.objects.first().map(|object| object.resource);
    let root = events[0].region.map(Resource::Region);
    let of_root = |event: &Event| run(event) && object(event) == root;
    let first = index_of(&events, of_root);

    let mut twice = events.clone();
    twice.insert(first + 1, events[first]);
    let found = objects_at(oracle::Finalizers::default(), &twice);
    assert_eq!(found, Some((first + 1, "REG-15")));

    let mut never = events.clone();
    let last = events
        .iter()
        .rposition(of_root)
        .expect("it is in the trace");
    never.remove(last);
    let found = objects_at(oracle::Finalizers::default(), &never);
    assert_eq!(found, Some((never.len() - 1, "REG-15")));

    let mut swapped = events.clone();
    (swapped[first].a, swapped[last].a) = (events[last].a, events[first].a);
    assert_ne!(swapped[first].a, events[first].a);
    let found = objects_at(oracle::Finalizers::default(), &swapped);
    assert_eq!(found, Some((first, "REG-15")));
}

#[test]
fn lab_12_polls_after_the_deadline_and_the_quota() {
    let events = events(1);
    let polls = |events: &[Event], at: usize| -> Vec<usize> {
        let task = events[at].task;
        let polls =
            |(_, event): &(usize, &Event)| event.kind == Kind::TaskPoll && event.task == task;
        events
            .iter()
            .enumerate()
            .filter(polls)
            .map(|(at, _)| at)
            .collect()
    };
    // The main task has no deadline; give it one that passed before its first poll.
    let mut late = events.clone();
    let start = index_of(&late, |event| event.kind == Kind::TaskStart);
    let task = late[start].task.expect("a start is of a task");
    let spawn = index_of(&late, |event| {
        event.kind == Kind::TaskSpawn && event.a == task.to_bits()
    });
    late[spawn].c = 0;
    let second = polls(&late, start)[1];
    let found = objects_at(oracle::Deadline::default(), &late);
    assert_eq!(found, Some((second, "VAL-19")));

    // The task with a quota is polled on, although it is used up.
    let mut over = events;
    let last = index_of(&over, |event| event.kind == Kind::TaskPoll && event.a == 0);
    let again = over[last];
    over.insert(last + 1, again);
    let found = objects_at(oracle::Deadline::default(), &over);
    assert_eq!(found, Some((last + 1, "VAL-19")));
}

#[test]
fn lab_12_the_cancel_protocol_broken() {
    let events = events(1);
    // Observed without a request.
    let mut unasked = events.clone();
    let start = index_of(&unasked, |event| event.kind == Kind::TaskStart);
    let mut observe = unasked[start];
    observe.kind = Kind::CancelObserve;
    unasked.insert(start + 1, observe);
    let found = objects_at(oracle::Cancel::default(), &unasked);
    assert_eq!(found, Some((start + 1, "TSK-5")));

    // A second request that weakens the first.
    let mut weaker = events.clone();
    let target = |event: &Event| event.objects.first().map(|object| object.resource);
    let request = |event: &Event| event.kind == Kind::CancelRequest && event.a > 0;
    let first = index_of(&weaker, request);
    let mut second = weaker[first];
    second.a -= 1;
    assert!(target(&second).is_some());
    weaker.insert(first + 1, second);
    let found = objects_at(oracle::Cancel::default(), &weaker);
    assert_eq!(found, Some((first + 1, "CAN-2")));

    // Ok after an observed cancel.
    let mut revived = events.clone();
    let seen = index_of(&revived, |event| event.kind == Kind::CancelObserve);
    let task = revived[seen].task;
    let end = index_of(&revived, |event| {
        event.kind == Kind::TaskComplete && event.task == task
    });
    revived[end].a = Severity::Ok as u64;
    let found = objects_at(oracle::Cancel::default(), &revived);
    assert_eq!(found, Some((end, "TSK-6")));

    // Swallowed, but never observed.
    let mut swallowed = events;
    let mut note = swallowed[start];
    (note.kind, note.sub) = (Kind::Checkpoint, Sub::CancelSwallowed);
    swallowed.insert(start + 1, note);
    let found = objects_at(oracle::Cancel::default(), &swallowed);
    assert_eq!(found, Some((start + 1, "CAN-6")));
}

#[test]
fn lab_12_an_effect_without_a_task() {
    let events = events(1);
    let effect = index_of(&events, |event| event.kind == Kind::User);
    let mut ambient = events.clone();
    ambient[effect].task = None;
    let found = objects_at(oracle::Authority::default(), &ambient);
    assert_eq!(found, Some((effect, "CAP-1")));

    let mut after = events;
    let event = after[effect];
    after.push(event);
    let found = objects_at(oracle::Authority::default(), &after);
    assert_eq!(found, Some((after.len() - 1, "CAP-1")));
}

#[test]
fn lab_12_a_budget_that_grows() {
    let events = events(1);
    // The region with a timeout is the one with a deadline.
    let open = index_of(&events, |event| {
        event.kind == Kind::RegionOpen && event.c != Time::MAX.as_nanos()
    });
    let mut wider = events.clone();
    let spawn = open + 1;
    assert_eq!(wider[spawn].kind, Kind::TaskSpawn);
    wider[spawn].c += 1;
    let found = objects_at(oracle::BudgetOracle::default(), &wider);
    assert_eq!(found, Some((spawn, "VAL-17")));

    let mut more = events;
    let last = index_of(&more, |event| event.kind == Kind::TaskPoll && event.a == 0);
    let mut poll = more[last];
    poll.a = 1;
    more.insert(last + 1, poll);
    let found = objects_at(oracle::BudgetOracle::default(), &more);
    assert_eq!(found, Some((last + 1, "VAL-17")));
}

/// A region's close that the program fakes through the sink fails the run at that step, with the
/// past of the event.
#[test]
fn lab_12_a_violation_stops_the_run() {
    let config = LabConfig::default();
    let lab = Lab::new(config.clone());
    let kernel = lab.kernel().clone();
    let program = async move |cx: Cx| {
        cx.yield_now().await?;
        let task = cx.task_id();
        let draft = asr_trace::Draft::new(Kind::CancelObserve, cx.now());
        kernel.trace().emit(|| draft.task(task));
        cx.yield_now().await?;
        Ok(())
    };
    let failure = lab.run(program).expect_err("the oracle objects");
    let Reason::Oracle(name, what) = &failure.reason else {
        panic!("{failure}")
    };
    assert_eq!(*name, "cancel protocol");
    assert!(what.contains("TSK-5"), "{what}");
    assert_eq!(failure.step, 2, "at the step of the event");
    let past = &failure.evidence.past;
    assert_eq!(
        past.last().map(|event| event.kind),
        Some(Kind::CancelObserve)
    );
    assert!(past.iter().any(|event| event.kind == Kind::TaskSpawn));
    assert!(failure.to_string().contains("cancel.observe"), "{failure}");
}

#[test]
fn lab_12_oracles_can_be_switched_off() {
    let mut config = LabConfig::default();
    assert!(config.oracles);
    config.oracles = false;
    let lab = Lab::new(config);
    let kernel = lab.kernel().clone();
    let run = lab.run(async move |cx: Cx| {
        let draft = asr_trace::Draft::new(Kind::CancelObserve, cx.now());
        kernel.trace().emit(|| draft.task(cx.task_id()));
        Ok(())
    });
    assert!(run.is_ok());
}
