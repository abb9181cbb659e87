//! Recordings, crash packs, shrinking.

#[path = "common/scenarios.rs"]
mod scenarios;

use std::process::Command;

use asr_base::{Failure, Outcome};
use asr_kernel::Cx;
use asr_lab::{CrashPack, Explorer, Lab, LabConfig, Reason, Recording, Schedule, shrink};

async fn racy(cx: Cx) -> Result<u32, Failure> {
    scenarios::racy(cx, 3).await
}

fn recorded(seed: u64) -> Recording {
    let run = Lab::new(LabConfig::seed(seed)).run(racy).expect("it ends");
    Recording::of(seed, &run)
}

#[test]
fn lab_21_a_replay_follows_the_recording() {
    for seed in 0..20 {
        let recording = recorded(seed);
        let again = recording
            .replay(&LabConfig::default(), racy)
            .expect("the same program");
        assert_eq!(again.trace, recording.trace);
        assert_eq!(again.choices, recording.choices);
    }
}

#[test]
fn lab_21_a_changed_program_diverges_at_a_named_event() {
    let recording = recorded(3);
    let changed = recording.replay(&LabConfig::default(), async |cx: Cx| {
        cx.yield_now().await?;
        racy(cx).await
    });
    let failure = changed.expect_err("another program");
    let Reason::Diverged(what) = &failure.reason else {
        panic!("{failure}")
    };
    // The recording spawns where the changed program yields first.
    let at = what
        .split([' ', ':'])
        .nth(1)
        .and_then(|number| number.parse::<usize>().ok());
    let at = at.unwrap_or_else(|| panic!("no event is named: {what}"));
    assert!((1..=recording.trace.events.len()).contains(&at), "{what}");
    assert!(
        what.contains("recorded task.spawn") && what.contains("did task."),
        "{what}"
    );
}

fn loses_an_update(script: &[u32]) -> bool {
    let mut config = LabConfig::default();
    config.schedule = Schedule::Script(script.to_vec());
    match Lab::new(config).run(racy) {
        Ok(run) => !matches!(run.outcome, Outcome::Ok(3)),
        Err(_) => false,
    }
}

/// In first-in-first-out order every task reads before any writes, so the bug needs no switch; the
/// opposite bug, an update that is not lost, needs some.
#[test]
fn lab_22_no_switch_can_be_spared() {
    let keeps = |script: &[u32]| !loses_an_update(script);
    let found = Explorer::default().run(
        || racy,
        |run| match run.outcome {
            Outcome::Ok(3) => Err("every update stands".to_owned()),
            _ => Ok(()),
        },
    );
    let script = found.expect_err("some schedule keeps all").script;
    // Switches that are not needed make it longer than it must be.
    let shrunk = shrink(&script, 1000, keeps);
    assert!(shrunk.minimal && shrunk.runs <= 1000);
    assert!(keeps(&shrunk.script), "it still shows the behaviour");
    assert!(!shrunk.script.is_empty());
    for at in 0..shrunk.script.len() {
        if shrunk.script[at] != 0 {
            let mut fewer = shrunk.script.clone();
            fewer[at] = 0;
            assert!(!keeps(&fewer), "switch {at} is not needed");
        }
    }
    let bounded = shrink(&script, 0, keeps);
    assert!(!bounded.minimal && bounded.runs == 0);
}

fn pack(seed: u64) -> CrashPack {
    let mut config = LabConfig::seed(seed);
    config.max_steps = 5;
    let mut session = Lab::new(config.clone()).start(racy);
    let failure = loop {
        match session.step() {
            Ok(false) => {}
            Ok(true) => panic!("five steps are not enough"),
            Err(failure) => break failure,
        }
    };
    let replay = failure.replay();
    CrashPack::new(
        &failure,
        format!("{config:?}"),
        &session.lab().take_trace(),
        replay,
    )
}

#[test]
fn lab_20_equal_failures_have_equal_ids() {
    assert_eq!(pack(1), pack(1));
    assert_ne!(pack(1).id, pack(2).id);
    let shrunk = pack(1).with_schedule(vec![1]);
    assert_ne!(shrunk.id, pack(1).id);
}

/// Run by the tests below in a child process: a lab test that fails.
#[test]
fn child_fails() {
    if std::env::var_os("ASR_LAB_CHILD").is_none() {
        return;
    }
    let site = asr_lab::Site {
        package: env!("CARGO_PKG_NAME"),
        module: module_path!(),
        test: "child_fails",
    };
    if std::env::var("ASR_LAB_CHILD").as_deref() == Ok("by hand") {
        asr_lab::attach(pack(9));
    }
    asr_lab::check(
        &site,
        50,
        |_| {},
        || {
            async |cx: Cx| {
                let sum = racy(cx).await?;
                assert_eq!(sum, 3, "an update is lost");
                Ok(())
            }
        },
    );
}

fn child(mode: &str, seed: Option<&str>) -> String {
    let mut command = Command::new(std::env::current_exe().expect("a test has a program"));
    command
        .args(["child_fails", "--exact", "--nocapture"])
        .env("ASR_LAB_CHILD", mode);
    command.env_remove("LAB_SEED").env_remove("ASR_FULL");
    if let Some(seed) = seed {
        command.env("LAB_SEED", seed);
    }
    let output = command.output().expect("the child runs");
    assert!(!output.status.success(), "the planted bug is found");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

fn line<'t>(text: &'t str, start: &str) -> &'t str {
    let found = text.lines().find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no line `{start}…` in:\n{text}"))
}

#[test]
fn lab_19_a_failure_carries_a_pack_and_its_command_fails_alike() {
    let first = child("yes", None);
    let replay = line(&first, "replay: ");
    assert!(
        replay.contains("cargo test -p asr-lab --test replay child_fails"),
        "{replay}"
    );
    let seed = replay
        .split("LAB_SEED=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let again = child("yes", Some(seed.expect("the line sets the seed")));
    assert_eq!(line(&again, "crash pack "), line(&first, "crash pack "));
    assert_eq!(line(&again, "replay: "), replay);
}

#[test]
fn lab_19_a_pack_attached_by_hand_suppresses_the_automatic_one() {
    let text = child("by hand", None);
    let id = format!("crash pack {:032x}", pack(9).id);
    assert_eq!(line(&text, "crash pack "), id);
    let packs = text
        .lines()
        .filter(|line| line.starts_with("crash pack "))
        .count();
    assert_eq!(packs, 1);
}
