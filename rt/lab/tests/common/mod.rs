//! What tests of the kernel in the lab share.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use asr_base::{CancelReason, Error, Failure, Outcome};
use asr_kernel::{Cx, Escalation, Policy, RegionConfig};
use asr_lab::{Lab, LabConfig, Run, Schedule};
use asr_trace::{Event, Kind, Log, Sub};
use parking_lot::Mutex;

/// Runs `main` in the production lanes.
pub(crate) fn run<T, F, Fut>(main: F) -> Run<T>
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + 'static,
{
    run_with(lanes(), main)
}

/// The default configuration with the production lanes.
pub(crate) fn lanes() -> LabConfig {
    let mut config = LabConfig::default();
    config.schedule = Schedule::Lanes;
    config
}

/// Runs `main` with a configuration.
pub(crate) fn run_with<T, F, Fut>(config: LabConfig, main: F) -> Run<T>
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + 'static,
{
    match Lab::new(config).run(main) {
        Ok(run) => run,
        Err(failure) => panic!("{failure}"),
    }
}

/// The value of a run that ended Ok.
#[track_caller]
pub(crate) fn ok<T: std::fmt::Debug>(run: Run<T>) -> (T, Log) {
    match run.outcome {
        Outcome::Ok(value) => (value, run.trace),
        other => panic!("{other:?}"),
    }
}

/// The reason of a cancelled outcome.
#[track_caller]
pub(crate) fn cancelled<T: std::fmt::Debug>(outcome: Outcome<T, Error>) -> CancelReason {
    match outcome {
        Outcome::Cancelled(reason) => reason,
        other => panic!("{other:?}"),
    }
}

/// The sub-events of a name.
pub(crate) fn subs(log: &Log, sub: Sub) -> Vec<Event> {
    log.iter()
        .filter(|event| event.sub == sub)
        .copied()
        .collect()
}

/// The semantic events of a kind.
pub(crate) fn kinds(log: &Log, kind: Kind) -> Vec<Event> {
    log.iter()
        .filter(|event| event.sub == Sub::None && event.kind == kind)
        .copied()
        .collect()
}

/// Waits for polls that somebody else causes, for ever, and is no cancel point.
pub(crate) async fn forever() {
    poll_fn(|_| Poll::<()>::Pending).await;
}

/// Gives way once; no cancel point.
pub(crate) async fn turn() {
    let mut first = true;
    poll_fn(|context| {
        if std::mem::take(&mut first) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// Runs `body` in a task whose cancel is requested once it waits; what it gave, and the trace.
pub(crate) fn cancelled_in<T, F, Fut>(mode: Escalation, body: F) -> (Option<T>, Log)
where
    T: Send + std::fmt::Debug + 'static,
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    ok(run(async move |cx| {
        let seen = Arc::new(Mutex::new(None));
        let keep = seen.clone();
        let config = RegionConfig::new()
            .policy(Policy::CollectAll)
            .escalation(mode);
        let region = cx.open_region(&config)?;
        let child = region.spawn(async move |cx| {
            while !cx.is_cancel_requested() {
                turn().await;
            }
            let value = body(cx).await;
            *keep.lock() = Some(value);
            Ok(())
        })?;
        turn().await;
        child.abort();
        drop(child.join(&cx).await?);
        drop(region.close(&cx).await);
        let value = seen.lock().take();
        Ok(value)
    }))
}
