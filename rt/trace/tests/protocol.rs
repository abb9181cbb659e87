//! The state machines as oracles: TSK-5, REG-2 and OBL-2, over all short sequences of events.

use asr_base::{ObligationId, RegionId, TaskId, Time};
use asr_trace::{Draft, Event, Fault, Kind, Object, Protocol, Resource, Sub, Violation};

const T: TaskId = TaskId::new(1, 1);
const R: RegionId = RegionId::new(1, 1);

/// The severities of a completion.
const OK: u64 = 0;
const ERR: u64 = 1;
const CANCELLED: u64 = 2;
const PANICKED: u64 = 3;

/// An event of the task `T`, or about it.
fn of(kind: Kind, a: u64) -> Draft {
    let draft = Draft::new(kind, Time::ZERO).region(R).words(a, 0, 0);
    match kind {
        Kind::TaskSpawn => draft.words(T.to_bits(), 0, 0),
        Kind::CancelRequest | Kind::CancelLate | Kind::FinalizerRun => {
            draft.object(Object::write(Resource::Task(T)))
        }
        _ => draft.task(T),
    }
}

fn trace(drafts: &[Draft]) -> Vec<Event> {
    (1..)
        .zip(drafts)
        .map(|(seq, draft)| draft.event(seq, seq))
        .collect()
}

fn check(drafts: &[Draft]) -> Result<(), Violation> {
    Protocol::check(&trace(drafts))
}

/// The steps of a task's life; a completion with each severity.
fn steps() -> Vec<Draft> {
    let kinds = [
        Kind::TaskSpawn,
        Kind::TaskStart,
        Kind::CancelRequest,
        Kind::CancelObserve,
        Kind::FinalizerRun,
    ];
    let completions = [OK, ERR, CANCELLED, PANICKED].map(|s| of(Kind::TaskComplete, s));
    kinds
        .map(|kind| of(kind, 0))
        .into_iter()
        .chain(completions)
        .collect()
}

/// The table of TSK-5 and the outcomes of TSK-6, written down a second time: the state after.
fn table(state: &'static str, step: &Draft) -> Option<&'static str> {
    use Kind::*;
    let outcome = (step.kind == TaskComplete).then_some(step.a);
    Some(match (state, step.kind, outcome) {
        ("none" | "completed", TaskSpawn, _) => "created",
        ("created", TaskStart, _) => "running",
        ("created", CancelRequest, _) => "doomed",
        ("doomed", CancelRequest, _) => "doomed",
        ("doomed", TaskComplete, Some(CANCELLED)) => "completed",
        ("running", CancelRequest, _) => "requested",
        ("running" | "requested", FinalizerRun, _) => "finalizing",
        ("running" | "requested", TaskComplete, _) => "completed",
        ("requested", CancelRequest, _) => "requested",
        ("requested", CancelObserve, _) => "cancelling",
        ("cancelling", CancelRequest, _) => "cancelling",
        ("cancelling", FinalizerRun, _) => "bound",
        ("cancelling" | "bound", TaskComplete, Some(CANCELLED | PANICKED)) => "completed",
        ("finalizing", CancelRequest | FinalizerRun, _) => "finalizing",
        ("finalizing", TaskComplete, _) => "completed",
        ("bound", CancelRequest | FinalizerRun, _) => "bound",
        _ => return None,
    })
}

#[test]
fn tsk_5_all_sequences_of_seven_events_against_the_table() {
    let steps = steps();
    // (events so far, state): only what the table allows is continued.
    let mut level: Vec<(Vec<Draft>, &str)> = vec![(Vec::new(), "none")];
    let (mut allowed, mut refused) = (0, 0);
    for _ in 0..7 {
        let mut next = Vec::new();
        for (drafts, state) in &level {
            for step in &steps {
                let mut drafts = drafts.clone();
                drafts.push(*step);
                let found = check(&drafts);
                match table(state, step) {
                    Some(after) => {
                        assert_eq!(found, Ok(()), "{state}: {step:?}");
                        allowed += 1;
                        next.push((drafts, after));
                    }
                    None => {
                        let violation = found.expect_err("planted");
                        assert_eq!(violation.seq, drafts.len() as u64, "{state}: {step:?}");
                        assert!(["TSK-5", "TSK-6"].contains(&violation.rule));
                        refused += 1;
                    }
                }
            }
        }
        level = next;
    }
    assert!(allowed > 500 && refused > 1000, "{allowed} and {refused}");
}

#[test]
fn tsk_5_masks_hold_the_observation_back() {
    use Kind::*;
    let start = [of(TaskSpawn, 0), of(TaskStart, 0), of(MaskBegin, 1)];
    let masked = [&start[..], &[of(CancelRequest, 0), of(CancelObserve, 0)]].concat();
    let violation = check(&masked).unwrap_err();
    assert_eq!((violation.seq, violation.fault), (5, Fault::Masked(1)));
    let ended = [of(CancelRequest, 0), of(MaskEnd, 0), of(CancelObserve, 0)];
    assert_eq!(check(&[&start[..], &ended].concat()), Ok(()));
    let twice = check(&[&start[..], &[of(MaskEnd, 0), of(MaskEnd, 0)]].concat()).unwrap_err();
    assert_eq!((twice.seq, twice.fault), (5, Fault::Unmasked));
}

#[test]
fn tsk_5_polls_and_checkpoints_belong_to_a_started_task() {
    use Kind::*;
    for kind in [TaskPoll, Checkpoint, MaskBegin] {
        let live = [of(TaskSpawn, 0), of(TaskStart, 0), of(kind, 0)];
        assert_eq!(check(&live), Ok(()));
        assert_eq!(check(&[of(TaskSpawn, 0), of(kind, 0)]).unwrap_err().seq, 2);
        let done = [
            of(TaskSpawn, 0),
            of(TaskStart, 0),
            of(TaskComplete, OK),
            of(kind, 0),
        ];
        let violation = check(&done).unwrap_err();
        assert_eq!((violation.rule, violation.seq), ("TSK-5", 4));
        let doomed = [of(TaskSpawn, 0), of(CancelRequest, 0), of(kind, 0)];
        assert_eq!(check(&doomed).unwrap_err().seq, 3);
    }
    // A late request is all that may come to a completed task; a sub-event moves nothing.
    let late = [
        of(TaskSpawn, 0),
        of(TaskStart, 0),
        of(TaskComplete, OK),
        of(CancelLate, 0),
    ];
    assert_eq!(check(&late), Ok(()));
    assert_eq!(check(&late[..2]), Ok(()));
    let named = Draft::sub(Sub::CancelLate, Time::ZERO).unwrap();
    let named = named.object(Object::read(Resource::Task(T)));
    assert_eq!(check(&[late[0], late[1], late[2], named]), Ok(()));
    for early in [of(CancelLate, 0), named] {
        let live = [of(TaskSpawn, 0), of(TaskStart, 0), early];
        assert_eq!(check(&live).unwrap_err().seq, 3);
    }
    let note = Draft::sub(Sub::RaceDiscarded, Time::ZERO).unwrap().task(T);
    assert_eq!(check(&[of(TaskSpawn, 0), note, of(TaskStart, 0)]), Ok(()));
    assert_eq!(
        check(&[Draft::new(TaskStart, Time::ZERO)])
            .unwrap_err()
            .fault,
        Fault::Incomplete("task")
    );
}

#[test]
fn reg_2_no_other_pair_of_consecutive_states() {
    use Kind::*;
    let life = [
        RegionOpen,
        RegionClosing,
        RegionDraining,
        RegionFinalizing,
        RegionClosed,
    ];
    let at = |kind| Draft::new(kind, Time::ZERO).region(R);
    assert_eq!(check(&life.map(at)), Ok(()));
    for reached in 0..=life.len() {
        for (n, &kind) in life.iter().enumerate() {
            let mut drafts: Vec<Draft> = life[..reached].iter().map(|&k| at(k)).collect();
            drafts.push(at(kind));
            // After the close the id is gone; a slab gives the next region another one, and
            // only an open of the same id could be taken for a new region.
            let expected = n == reached % life.len();
            let found = check(&drafts);
            assert_eq!(found.is_ok(), expected, "{kind:?} after {reached} steps");
            if let Err(violation) = found {
                assert_eq!(
                    (violation.rule, violation.seq),
                    ("REG-2", reached as u64 + 1)
                );
            }
        }
    }
    // A root that was open before the trace began.
    let closing = trace(&[at(RegionClosing), at(RegionDraining)]);
    assert_eq!(Protocol::rooted(R).all(&closing), Ok(()));
    assert_eq!(Protocol::rooted(R).all(&closing[1..]).unwrap_err().seq, 2);
    // Regions do not disturb one another, and a sub-event moves nothing.
    let other = RegionId::new(2, 1);
    let stalled = Draft::sub(Sub::CloseStalled, Time::ZERO)
        .unwrap()
        .region(other);
    let both = [
        at(RegionOpen),
        at(RegionOpen).region(other),
        at(RegionClosing),
        stalled,
    ];
    assert_eq!(check(&both), Ok(()));
    assert_eq!(
        check(&[Draft::new(RegionOpen, Time::ZERO)])
            .unwrap_err()
            .fault,
        Fault::Incomplete("region")
    );
}

#[test]
fn obl_2_reserved_then_one_terminal_state() {
    use Kind::*;
    let id = ObligationId::new(5, 1).to_bits();
    let at = |kind| Draft::new(kind, Time::ZERO).region(R).words(id, 0, 0);
    let kinds = [
        ObligationReserve,
        ObligationCommit,
        ObligationAbort,
        ObligationTransfer,
    ];
    for first in kinds {
        for second in kinds {
            for third in kinds {
                let life = [first, second, third];
                // The first event that the table refuses, if there is one.
                let mut reserved = false;
                let refused = life.iter().position(|kind| {
                    let allowed = reserved != (*kind == ObligationReserve);
                    match kind {
                        ObligationReserve => reserved = true,
                        ObligationTransfer => {}
                        _ => reserved = false,
                    }
                    !allowed
                });
                let found = check(&life.map(at)).err();
                let found = found.filter(|violation| violation.rule == "OBL-2");
                let seq = found.map(|violation| violation.seq as usize - 1);
                assert_eq!(seq, refused, "{life:?}");
            }
        }
    }
    // Two ids live side by side; tokens without an id have no state of their own.
    let other = at(ObligationReserve).words(ObligationId::new(6, 1).to_bits(), 0, 0);
    assert_eq!(
        check(&[at(ObligationReserve), other, at(ObligationAbort)]),
        Ok(())
    );
    let counted = at(ObligationCommit).words(0, 0, 0);
    assert_eq!(check(&[counted, counted]), Ok(()));
}
