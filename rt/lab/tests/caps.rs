//! Every effect of a context through both handlers; one program under both; randomness that the
//! schedule does not touch.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{Budget, Failure, Outcome};
use asr_kernel::cx::caps::{Entropy, Heal};
use asr_kernel::cx::{Caps, Without};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx, RegionConfig};
use asr_lab::{LabConfig, Schedule};
use asr_trace::{Kind, Log, Recorder, Sub};
use common::{kinds, ok, run, run_with};
use parking_lot::Mutex;

const MILLI: Duration = Duration::from_millis(1);

/// Runs in production, traced.
fn production<T, F, Fut>(main: F) -> (T, Log)
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + std::fmt::Debug + 'static,
{
    let local = Local::new(Config::default());
    let recorder = Arc::new(Recorder::lab(1024));
    local.kernel().trace().set(recorder.clone());
    match local.run(main) {
        Outcome::Ok(value) => (value, recorder.take()),
        other => panic!("{other:?}"),
    }
}

/// Every effect that a context offers, each seen to happen.
async fn tour(cx: Cx) -> Result<u64, Failure> {
    // Who, where, how much.
    let (task, region) = (cx.task_id(), cx.region_id());
    assert_eq!(cx.budget(), Budget::UNLIMITED);
    // Time.
    let start = cx.now();
    cx.sleep(MILLI).await?;
    assert!(cx.now() >= start + MILLI);
    let target = cx.now() + MILLI;
    cx.sleep_until(target).await?;
    assert!(cx.now() >= target);
    cx.sleep_until(start).await?;
    // Cancel points and masks.
    assert!(!cx.is_cancel_requested());
    cx.checkpoint()?;
    cx.checkpoint_at(&"half-way")?;
    let masked = cx.mask(3, async { cx.checkpoint().map(|()| 7) }).await?;
    assert_eq!(masked?, 7);
    // Yield: the other runs before this goes on.
    let order = Arc::new(Mutex::new(Vec::new()));
    let other = order.clone();
    let child = cx.spawn(async move |cx| {
        other.lock().push(cx.task_id());
        assert_eq!(cx.region_id(), region);
        Ok(cx.random_u64()?)
    })?;
    let id = child.id();
    cx.yield_now().await?;
    order.lock().push(task);
    let theirs = child.join(&cx).await?.into_result()?;
    assert_eq!(order.lock().len(), 2);
    assert!(order.lock().contains(&id));
    // Randomness.
    let (one, two) = (cx.random_u64()?, cx.random_u64()?);
    assert!(one != two && two != theirs);
    let mut bytes = [0; 19];
    cx.fill(&mut bytes)?;
    assert!(bytes.iter().any(|&byte| byte != 0));
    // A region, with finalizers.
    let ran = Arc::new(AtomicU32::new(0));
    let (sync, later) = (ran.clone(), ran.clone());
    let inside = cx
        .region(RegionConfig::new(), async |scope, cx| {
            assert_ne!(cx.region_id(), region);
            assert_eq!(scope.id(), cx.region_id());
            cx.defer_sync(move || {
                sync.fetch_add(1, Relaxed);
                Ok(())
            })?;
            cx.defer_async(async move |cx| {
                cx.sleep(MILLI).await?;
                later.fetch_add(10, Relaxed);
                Ok(())
            })?;
            assert_eq!(ran.load(Relaxed), 0);
            Ok(35)
        })
        .await
        .into_result()?;
    assert_eq!(ran.load(Relaxed), 11);
    // The program's own event, and what it may do.
    cx.trace(inside, 42)?;
    assert_eq!(cx.caps(), Caps::ALL);
    cx.require::<Heal>("repair")?;
    let narrow: Cx<Without<asr_kernel::cx::All, Entropy>> = cx.share::<Entropy>();
    assert!(!narrow.caps().has::<Entropy>());
    Ok(inside + masked?)
}

fn seen(log: &Log) {
    let user = log.iter().find(|event| event.kind == Kind::User);
    assert_eq!(user.map(|event| (event.a, event.b)), Some((35, 42)));
    assert!(user.is_some_and(|event| event.sub == Sub::None));
    assert!(kinds(log, Kind::TimerFire).len() >= 3);
    let below = |event: &&asr_trace::Event| event.a != 0;
    assert_eq!(kinds(log, Kind::RegionOpen).iter().filter(below).count(), 1);
}

#[test]
fn cap_2_each_effect_through_both_handlers() {
    let (value, log) = production(tour);
    assert_eq!(value, 42);
    seen(&log);
    for seed in 0..20 {
        let (value, log) = ok(run_with(LabConfig::seed(seed), tour));
        assert_eq!(value, 42);
        seen(&log);
    }
    let (_, log) = ok(run(tour));
    seen(&log);
}

/// A deterministic program: its result depends on neither schedule nor time.
async fn sums(cx: Cx) -> Result<(u64, Vec<u64>), Failure> {
    let total = std::sync::atomic::AtomicU64::new(0);
    let shared = &total;
    let squares = cx
        .region(RegionConfig::new(), async |scope, cx| {
            let mut handles = Vec::new();
            for n in 0..10_u64 {
                handles.push(scope.fiber(async move |cx| {
                    cx.sleep(MILLI * (10 - n as u32)).await?;
                    shared.fetch_add(n, Relaxed);
                    Ok(n * n)
                })?);
            }
            let mut squares = Vec::new();
            for handle in handles {
                squares.push(handle.join(&cx).await?.into_result()?);
            }
            Ok(squares)
        })
        .await;
    Ok((total.load(Relaxed), squares.into_result()?))
}

/// Part: a compiled program waits for the lowering of tasks; this is one function of Rust.
#[test]
fn cap_5_part_one_program_under_both_handlers() {
    let (production, _) = production(sums);
    assert_eq!(production, (45, (0..10).map(|n| n * n).collect()));
    for seed in 0..20 {
        assert_eq!(ok(run_with(LabConfig::seed(seed), sums)).0, production);
    }
}

/// The random numbers of a task, among eight others that draw too.
fn drawn(config: LabConfig) -> (Vec<u64>, Vec<usize>) {
    let run = run_with(config, async |cx: Cx| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut handles = Vec::new();
        for n in 0..9 {
            let order = order.clone();
            handles.push(cx.spawn(async move |cx| {
                let mut numbers = Vec::new();
                for _ in 0..5 {
                    cx.yield_now().await?;
                    order.lock().push(n);
                    numbers.push(cx.random_u64()?);
                }
                Ok(numbers)
            })?);
        }
        let mut all = Vec::new();
        for handle in handles {
            all.push(handle.join(&cx).await?.into_result()?);
        }
        let order = order.lock().clone();
        Ok((all.swap_remove(4), order))
    });
    ok(run).0
}

#[test]
fn cap_4_the_schedule_does_not_touch_the_numbers_of_a_task() {
    let mut config = LabConfig::seed(3);
    let (numbers, order) = drawn(config.clone());
    assert_eq!(numbers.len(), 5);
    config.schedule = Schedule::Lanes;
    let (same, other) = drawn(config.clone());
    assert_eq!(numbers, same);
    assert_ne!(order, other, "the schedules differ");
    config.schedule = Schedule::Script(vec![5, 3, 1, 4, 2, 0, 3, 1]);
    assert_eq!(drawn(config).0, numbers);
    assert_ne!(drawn(LabConfig::seed(4)).0, numbers, "the seed counts");
}
