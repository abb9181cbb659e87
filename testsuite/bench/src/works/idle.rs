//! What a task costs that does nothing: resident memory for each, and the time to start it.

use asr_base::{Failure, Outcome};
use asr_kernel::{Cx, Policy, RegionConfig, RegionHandle};

use super::{FAR, Started, Work, cancelled, work};
use crate::on::Place;
use crate::report::{Meter, Report, resident};

pub(super) const WORKS: &[Work] = &[
    work("idle_sleep", 1_000_000, idle_sleep),
    work("idle_park", 1_000_000, idle_park),
    work("idle_park_fiber", 1_000_000, idle_park_fiber),
];

/// Tasks in a sleep that does not end.
fn idle_sleep(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        idle(&cx, count, |region, started| {
            let task = region.spawn(async move |cx| {
                started.count();
                Ok(cx.sleep(FAR).await?)
            })?;
            drop(task);
            Ok(())
        })
        .await
    })
}

/// Tasks that wait for nothing but their cancel.
fn idle_park(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        idle(&cx, count, |region, started| {
            let task = region.spawn(async move |cx| {
                started.count();
                Ok(cancelled(&cx).await?)
            })?;
            drop(task);
            Ok(())
        })
        .await
    })
}

/// Starts `count` with `start`, and measures until all have started; then they are cancelled.
async fn idle(
    cx: &Cx,
    count: u64,
    start: impl Fn(&RegionHandle, Started) -> Result<(), Failure>,
) -> Result<Report, Failure> {
    let region = cx.open_region(&RegionConfig::new().policy(Policy::CollectAll))?;
    let started = Started::default();
    let before = resident();
    let meter = Meter::start();
    for _ in 0..count {
        start(&region, started.clone())?;
    }
    started.wait(cx, count).await?;
    let report = meter.read(count);
    let report = report.with("bytes_per_task", grown(before, count));
    region.cancel("measured");
    let ended = region.close(cx).await;
    assert!(matches!(ended, Outcome::Cancelled(_)), "{ended:?}");
    Ok(report)
}

/// The same with fibers, which live in the future of their region.
fn idle_park_fiber(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let mut report = None;
        let region = cx.region(RegionConfig::new(), async |scope, cx| {
            let started = Started::default();
            let before = resident();
            let meter = Meter::start();
            for _ in 0..count {
                let started = started.clone();
                drop(scope.fiber(async move |cx| {
                    started.count();
                    Ok(cancelled(&cx).await?)
                })?);
            }
            started.wait(&cx, count).await?;
            let read = meter.read(count);
            report = Some(read.with("bytes_per_task", grown(before, count)));
            scope.cancel("measured");
            Ok(())
        });
        let ended = region.await;
        assert!(matches!(ended, Outcome::Cancelled(_)), "{ended:?}");
        Ok(report.expect("measured"))
    })
}

pub(super) fn grown(before: u64, count: u64) -> f64 {
    resident().saturating_sub(before) as f64 / count.max(1) as f64
}
