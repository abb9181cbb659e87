//! Cancelling: a tree from its root, and many tasks one by one.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_base::{Duration, Failure, Outcome};
use asr_kernel::{Cx, RegionConfig};

use super::{FAR, Started, Work, cancelled, work};
use crate::on::Place;
use crate::report::{Meter, Report};

pub(super) const WORKS: &[Work] = &[
    work("cancel_tree", 111_111, cancel_tree),
    work("cancel_flat", 100_000, cancel_flat),
];

/// Children of a parent.
const WIDTH: u64 = 10;

/// Members of a tree with so many generations below its root: 1 + 10 + 100 + ...
fn members(depth: u32) -> u64 {
    (0..=depth).map(|level| WIDTH.pow(level)).sum()
}

/// A tree of at most `count` tasks. Every parent has a region of its own, which owns ten children
/// and a finalizer, and which waits for all of them. Measured: from the cancel of the root until it
/// is joined.
fn cancel_tree(place: Place, count: u64) -> Report {
    let deeper = (1..9).take_while(|depth| members(*depth) <= count);
    let depth = deeper.last().unwrap_or(1);
    let (tasks, parents) = (members(depth), members(depth - 1));
    place.run(async move |cx| {
        let (started, cleaned) = (Started::default(), Arc::new(AtomicU64::new(0)));
        let build = Meter::start();
        let (up, done) = (started.clone(), cleaned.clone());
        let root = cx.spawn(async move |cx| parent(cx, depth, up, done).await)?;
        started.wait(&cx, tasks).await?;
        let built = build.read(tasks);
        settle(&cx).await?;
        let meter = Meter::start();
        root.abort();
        let signal = meter.read(tasks);
        let ended = root.join(&cx).await?;
        let report = meter.read(tasks);
        assert!(matches!(ended, Outcome::Cancelled(_)), "{ended:?}");
        assert_eq!(cleaned.load(Relaxed), parents, "finalizers that ran");
        Ok(report
            .with("build_ns", built.ns())
            .with("signal_ms", signal.total_ms()))
    })
}

/// A parent with `depth` generations below it.
async fn parent(
    cx: Cx,
    depth: u32,
    started: Started,
    cleaned: Arc<AtomicU64>,
) -> Result<(), Failure> {
    let region = cx.region(RegionConfig::new(), async |scope, cx| {
        let done = cleaned.clone();
        scope.defer_sync(move || {
            done.fetch_add(1, Relaxed);
            Ok(())
        })?;
        for _ in 0..WIDTH {
            let (up, done) = (started.clone(), cleaned.clone());
            // The region joins them: it ends when all of them have.
            drop(match depth {
                1 => scope.spawn(async move |cx| {
                    up.count();
                    Ok(cancelled(&cx).await?)
                })?,
                _ => scope.spawn(async move |cx| nested(cx, depth - 1, up, done).await)?,
            });
        }
        started.clone().count();
        Ok(cancelled(&cx).await?)
    });
    region.await.into_result()?;
    Ok(())
}

/// [`parent`] behind a pointer, because a future cannot contain itself.
fn nested(
    cx: Cx,
    depth: u32,
    started: Started,
    cleaned: Arc<AtomicU64>,
) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>> {
    Box::pin(parent(cx, depth, started, cleaned))
}

/// `count` tasks asleep; aborts each, then joins each.
fn cancel_flat(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let started = Started::default();
        let mut tasks = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let started = started.clone();
            tasks.push(cx.spawn(async move |cx| {
                started.count();
                Ok(cx.sleep(FAR).await?)
            })?);
        }
        started.wait(&cx, count).await?;
        settle(&cx).await?;
        let meter = Meter::start();
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            let ended = task.join(&cx).await?;
            assert!(matches!(ended, Outcome::Cancelled(_)), "{ended:?}");
        }
        Ok(meter.read(count))
    })
}

/// Lets workers go to sleep.
async fn settle(cx: &Cx) -> Result<(), Failure> {
    Ok(cx.sleep(Duration::from_millis(50)).await?)
}
