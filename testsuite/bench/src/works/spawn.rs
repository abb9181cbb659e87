//! Starting, joining and yielding.

use asr_base::Failure;
use asr_kernel::{Cx, JoinHandle, RegionConfig};

use super::{Work, work};
use crate::on::Place;
use crate::report::{Meter, Report};

pub(super) const WORKS: &[Work] = &[
    work("spawn_join", 1_000_000, spawn_join),
    work("spawn_join_fiber", 1_000_000, spawn_join_fiber),
    work("spawn_seq", 1_000_000, spawn_seq),
    work("spawn_seq_fiber", 1_000_000, spawn_seq_fiber),
    work("yield", 1_000_000, yields),
];

/// Starts `count` tasks that return a number, then joins all.
fn spawn_join(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let meter = Meter::start();
        let mut tasks = Vec::with_capacity(count as usize);
        for n in 0..count {
            tasks.push(cx.spawn(async move |_| Ok(n))?);
        }
        let sum = sum_of(&cx, tasks).await?;
        let report = meter.read(count);
        assert_eq!(sum, triangle(count));
        Ok(report)
    })
}

/// The same with fibers, which borrow what they add up.
fn spawn_join_fiber(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let numbers: Vec<u64> = (0..count).collect();
        let meter = Meter::start();
        let region = cx.region(RegionConfig::new(), async |scope, cx| {
            let mut fibers = Vec::with_capacity(numbers.len());
            for n in &numbers {
                fibers.push(scope.fiber(async move |_| Ok(*n))?);
            }
            sum_of(&cx, fibers).await
        });
        let sum = region.await.into_result()?;
        let report = meter.read(count);
        assert_eq!(sum, triangle(count));
        Ok(report)
    })
}

/// Starts one and joins it, `count` times: how long a spawn takes.
fn spawn_seq(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let meter = Meter::start();
        for n in 0..count {
            let task = cx.spawn(async move |_| Ok(n))?;
            assert_eq!(task.join(&cx).await?.into_result()?, n);
        }
        Ok(meter.read(count))
    })
}

/// The same with fibers.
fn spawn_seq_fiber(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let meter = Meter::start();
        let region = cx.region(RegionConfig::new(), async |scope, cx| {
            for n in 0..count {
                let fiber = scope.fiber(async move |_| Ok(n))?;
                assert_eq!(fiber.join(&cx).await?.into_result()?, n);
            }
            Ok(())
        });
        region.await.into_result()?;
        Ok(meter.read(count))
    })
}

/// A thousand tasks, `count` yields between them.
fn yields(place: Place, count: u64) -> Report {
    const TASKS: u64 = 1000;
    place.run(async move |cx| {
        let each = count / TASKS;
        let meter = Meter::start();
        let mut tasks = Vec::new();
        for _ in 0..TASKS {
            tasks.push(cx.spawn(async move |cx| {
                for _ in 0..each {
                    cx.yield_now().await?;
                }
                Ok(0)
            })?);
        }
        sum_of(&cx, tasks).await?;
        Ok(meter.read(each * TASKS))
    })
}

/// Joins all.
async fn sum_of(cx: &Cx, tasks: Vec<JoinHandle<u64>>) -> Result<u64, Failure> {
    let mut sum = 0;
    for task in tasks {
        sum += task.join(cx).await?.into_result()?;
    }
    Ok(sum)
}

fn triangle(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}
