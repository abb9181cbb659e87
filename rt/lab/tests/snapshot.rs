//! Snapshots: canonical bytes, integrity, validation, restoring.

use std::time::Duration;

use asr_base::{Failure, RegionId, TaskId, Time};
use asr_kernel::{Cx, RegionConfig};
use asr_lab::{Fault, Lab, LabConfig, Reason, Session, Snapshot, SnapshotError};

/// Three tasks in a region of their own that sleep and yield.
async fn scenario(cx: Cx) -> Result<u64, Failure> {
    let sum = cx
        .region(RegionConfig::new(), async |scope, cx| {
            let mut handles = Vec::new();
            for n in 1..=3_u64 {
                handles.push(scope.spawn(async move |cx| {
                    cx.sleep(Duration::from_millis(n)).await?;
                    cx.yield_now().await?;
                    Ok(n + cx.random_u64()? % 2)
                })?);
            }
            let mut sum = 0;
            for handle in handles {
                sum += handle.join(&cx).await?.into_result()?;
            }
            Ok(sum)
        })
        .await;
    sum.into_result()
}

fn config() -> LabConfig {
    LabConfig::seed(7)
}

fn stepped(steps: u64) -> Session<u64> {
    let mut session = Lab::new(config()).start(scenario);
    while session.lab().steps() < steps {
        assert!(
            !session.step().expect("it goes on"),
            "it ended before step {steps}"
        );
    }
    session
}

/// Steps of the whole run.
fn length() -> u64 {
    Lab::new(config()).run(scenario).expect("it ends").steps
}

#[test]
fn lab_15_equal_states_give_equal_bytes() {
    for step in 0..length() {
        let (one, two) = (
            stepped(step).lab().snapshot(),
            stepped(step).lab().snapshot(),
        );
        assert_eq!(one.to_bytes(), two.to_bytes());
        assert_eq!(Snapshot::from_bytes(&one.to_bytes()), Ok(one));
    }
    let other = stepped(1).lab().snapshot().state_hash();
    assert_ne!(stepped(0).lab().snapshot().state_hash(), other);
}

#[test]
fn lab_15_the_choices_are_no_part_of_the_state() {
    let one = stepped(6).lab().snapshot();
    let mut two = one.clone();
    two.choices.clear();
    assert_eq!(one.state_hash(), two.state_hash());
    assert_ne!(one.to_bytes(), two.to_bytes());
}

#[test]
fn lab_16_every_changed_byte_is_detected() {
    let bytes = stepped(6).lab().snapshot().to_bytes();
    assert_eq!(Snapshot::verify_integrity(&bytes), Ok(()));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let found = Snapshot::verify_integrity(&changed);
        assert!(matches!(found, Err(SnapshotError::Corrupt(_))), "byte {at}");
    }
    for cut in 0..bytes.len() {
        assert!(Snapshot::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

/// One mutation per rule, encoded anew so that its hashes fit.
#[test]
fn lab_17_every_contradiction_is_listed() {
    let clean = stepped(6).lab().snapshot();
    assert_eq!(clean.validate(), []);
    type Mutation = (fn(&mut Snapshot), fn(&Fault) -> bool);
    let mutations: [Mutation; 9] = [
        (
            |s| s.tasks[0].region = RegionId::new(77, 1),
            |f| matches!(f, Fault::NoRegion(_)),
        ),
        (
            |s| s.queue.push(TaskId::new(77, 1)),
            |f| matches!(f, Fault::NoTask(_)),
        ),
        (
            |s| s.tasks.push(s.tasks[0].clone()),
            |f| matches!(f, Fault::Twice(_)),
        ),
        (
            |s| s.regions[1].parent = None,
            |f| matches!(f, Fault::Roots(2)),
        ),
        (
            |s| s.regions[0].parent = Some(s.regions[1].id),
            |f| matches!(f, Fault::Cycle(_)),
        ),
        (
            |s| s.regions[1].state = asr_kernel::region::State::Closed,
            |f| matches!(f, Fault::NotQuiescent(_)),
        ),
        (|s| s.now = Time::MAX, |f| matches!(f, Fault::Late(_))),
        (
            |s| s.marking.push((s.regions[0].id, 1, u64::MAX)),
            |f| matches!(f, Fault::Marking(..)),
        ),
        (
            |s| s.tasks[0].phase = asr_kernel::task::Phase::Completed,
            |f| matches!(f, Fault::Complete(_)),
        ),
    ];
    for (number, (mutate, expected)) in mutations.into_iter().enumerate() {
        let mut changed = clean.clone();
        mutate(&mut changed);
        let read = Snapshot::from_bytes(&changed.to_bytes()).expect("its hashes fit");
        let faults = read.validate();
        assert!(faults.iter().any(expected), "mutation {number}: {faults:?}");
    }
}

#[test]
fn lab_18_restoring_goes_on_as_if_not_stopped() {
    let whole = Lab::new(config()).run(scenario).expect("it ends");
    for step in 0..length() {
        let snapshot = stepped(step).lab().snapshot();
        let session = snapshot
            .restore(&config(), scenario)
            .expect("the same program");
        let run = session.finish().expect("it ends");
        assert_eq!(run.trace, whole.trace, "cut at {step}");
        assert_eq!(run.choices, whole.choices);
    }
}

#[test]
fn lab_18_a_changed_program_diverges() {
    let snapshot = stepped(6).lab().snapshot();
    let restored = snapshot.restore(&config(), async |cx: Cx| {
        cx.sleep(Duration::from_millis(9)).await?;
        scenario(cx).await
    });
    let failure = restored.expect_err("another program");
    assert!(matches!(failure.reason, Reason::Diverged(_)), "{failure}");
}
