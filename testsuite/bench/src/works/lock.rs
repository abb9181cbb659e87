//! Locks and semaphores that eight tasks want.

use std::sync::Arc;

use asr_base::Failure;
use asr_kernel::{Cx, JoinHandle};
use asr_sync::{Mutex, Semaphore};

use super::{Work, work};
use crate::on::Place;
use crate::report::{Meter, Report};

pub(super) const WORKS: &[Work] = &[
    work("mutex", 4_000_000, mutex),
    work("mutex_held", 400_000, mutex_held),
    work("semaphore", 4_000_000, semaphore),
];

const TASKS: u64 = 8;

/// `count` times lock and unlock; the section does not suspend.
fn mutex(place: Place, count: u64) -> Report {
    contend(place, count, false)
}

/// The same with a yield in the section: every other task has to queue.
fn mutex_held(place: Place, count: u64) -> Report {
    contend(place, count, true)
}

fn contend(place: Place, count: u64, held: bool) -> Report {
    place.run(async move |cx| {
        let lock = Arc::new(Mutex::new(0));
        let all = count / TASKS * TASKS;
        let meter = Meter::start();
        let mut tasks = Vec::new();
        for _ in 0..TASKS {
            let lock = lock.clone();
            tasks.push(cx.spawn(async move |cx| {
                for _ in 0..count / TASKS {
                    let mut guard = lock.lock(&cx).await?;
                    *guard += 1;
                    if held {
                        cx.yield_now().await?;
                    }
                }
                Ok(())
            })?);
        }
        join(&cx, tasks).await?;
        let report = meter.read(all);
        assert_eq!(*lock.lock(&cx).await?, all);
        Ok(report)
    })
}

/// `count` times one of four permits, taken and given back.
fn semaphore(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let permits = Arc::new(Semaphore::new(4)?);
        let meter = Meter::start();
        let mut tasks = Vec::new();
        for _ in 0..TASKS {
            let permits = permits.clone();
            tasks.push(cx.spawn(async move |cx| {
                for _ in 0..count / TASKS {
                    let _permit = permits.acquire(&cx).await?;
                }
                Ok(())
            })?);
        }
        join(&cx, tasks).await?;
        let report = meter.read(count / TASKS * TASKS);
        assert_eq!(permits.available(), 4);
        Ok(report)
    })
}

async fn join(cx: &Cx, tasks: Vec<JoinHandle<()>>) -> Result<(), Failure> {
    for task in tasks {
        task.join(cx).await?.into_result()?;
    }
    Ok(())
}
