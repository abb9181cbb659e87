//! Equal runs in other threads and processes, manual time, defaults.

use std::process::Command;
use std::time::Duration;

use asr_base::{Failure, Outcome, Status, Time};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx, RegionConfig};
use asr_lab::{Chaos, Lab, LabConfig, Reason, Schedule, Step};
use asr_trace::hash;

async fn program(cx: Cx) -> Result<(), Failure> {
    let mut handles = Vec::new();
    for n in 0..6 {
        handles.push(cx.spawn(async move |cx| {
            cx.sleep(Duration::from_millis(cx.random_u64()? % 7))
                .await?;
            cx.trace(n, cx.random_u64()?)?;
            Ok(())
        })?);
    }
    let config = RegionConfig::new().timeout(Duration::from_millis(2));
    let _ = cx
        .region(config, async |_, cx| {
            Ok(cx.sleep(Duration::from_secs(1)).await?)
        })
        .await;
    for handle in handles {
        handle.join(&cx).await?.into_result()?;
    }
    Ok(())
}

/// The hash of the traces of many runs, with and without chaos.
fn hashes() -> u128 {
    let mut bytes = Vec::new();
    for seed in 0..20 {
        let mut config = LabConfig::seed(seed);
        config.kernel.leak_response = asr_kernel::obligation::LeakResponse::Recover;
        config.chaos = (seed % 2 == 0).then_some(Chaos::LIGHT);
        let run = Lab::new(config).run(program).expect("it ends");
        bytes.extend(run.trace.to_bytes());
    }
    hash(&bytes)
}

/// Not a check of its own: what the two processes of the next test run.
#[test]
fn child_prints_the_hash() {
    println!("hash {:032x}", hashes());
}

#[test]
fn lab_1_equal_traces_in_other_threads() {
    let here = format!("hash {:032x}", hashes());
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(hashes)).collect();
    for thread in threads {
        let there = thread.join().expect("no panic");
        assert_eq!(format!("hash {there:032x}"), here);
    }
}

/// Every process has its own seed for hash maps, and its own addresses. That no source uses such
/// maps is a check of the tree (`testsuite`).
#[test]
fn lab_5_lab_1_equal_traces_in_other_processes() {
    let here = format!("hash {:032x}", hashes());
    for _ in 0..2 {
        let exe = std::env::current_exe().expect("this test");
        let output = Command::new(exe)
            .args(["--exact", "child_prints_the_hash", "--nocapture"])
            .output()
            .expect("it runs again");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&here), "{text}");
    }
}

#[test]
fn lab_3_time_stands_still_until_it_is_advanced() {
    let mut config = LabConfig::default();
    config.auto_advance = false;
    let failure = Lab::new(config.clone())
        .run(async |cx| Ok(cx.sleep(Duration::from_secs(1)).await?))
        .expect_err("nobody advances time");
    assert_eq!(failure.reason, Reason::Stopped);

    config.schedule = Schedule::Lanes;
    let mut lab = Lab::new(config);
    let root = lab.kernel().root();
    for n in 0..3 {
        // The later registered have the same or an earlier deadline.
        let after = Duration::from_millis(if n == 2 { 5 } else { 10 });
        let task = root.spawn(async move |cx| {
            cx.sleep(after).await?;
            cx.trace(n, 0)?;
            Ok(())
        });
        drop(task.expect("the root is open"));
    }
    while lab.step() == Step::Ran {}
    let millis = |n: u64| Time::from_nanos(n * 1_000_000);
    assert_eq!(lab.advance_to(millis(4)), 0);
    assert_eq!(lab.step(), Step::Idle);
    assert_eq!(lab.advance_to(millis(5)), 1);
    assert_eq!(lab.step(), Step::Ran);
    assert_eq!(lab.step(), Step::Idle);
    assert_eq!(lab.advance_to(millis(10)), 2);
    while lab.step() == Step::Ran {}
    let said: Vec<u64> = lab
        .take_trace()
        .iter()
        .filter(|event| event.kind == asr_trace::Kind::User)
        .map(|event| event.a)
        .collect();
    assert_eq!(said, [2, 0, 1], "by deadline, then by registration");
    assert_eq!(lab.now(), millis(10));
}

#[test]
fn lab_6_the_defaults() {
    let config = LabConfig::default();
    assert_eq!(config.seed, 0);
    assert_eq!(config.max_steps, 100_000);
    assert_eq!(config.futurelock_max_idle_steps, 1000);
    assert!(!config.panic_on_futurelock);
    assert!(config.capture_trace);
    assert_eq!(config.workers, 1);
    assert!(config.auto_advance && config.oracles);
    assert_eq!(config.chaos, None);
}

/// The clock and the seed of a production driver are refused; devices come with the reactor.
#[test]
fn lab_8_part_no_production_runtime_inside_a_lab() {
    let inside = || {
        let outcome = Local::new(Config::default()).run(async |cx| Ok(cx.now()));
        match outcome {
            Outcome::Err(error) => error.kind(),
            other => panic!("{other:?}"),
        }
    };
    let run = Lab::new(LabConfig::default())
        .run(async move |cx| {
            // In a poll, in a destructor, in what a timer wakes: wherever the lab runs code.
            let task = cx.spawn(async move |cx| {
                cx.sleep(Duration::from_millis(1)).await?;
                Ok(inside())
            })?;
            let below = task.join(&cx).await?.into_result()?;
            Ok([inside(), below])
        })
        .expect("it ends");
    assert!(
        matches!(
            run.outcome,
            Outcome::Ok([Status::CAP_DENIED, Status::CAP_DENIED])
        ),
        "{:?}",
        run.outcome
    );
    // The thread is free again.
    assert!(Local::new(Config::default()).run(async |_| Ok(())).is_ok());
}
