//! The runtime on the thread that calls: inside another one, and with a second thread that calls.

#[path = "common/runtime.rs"]
mod runtime;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_base::{Outcome, Status};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};
use runtime::{Runtime, done};

/// Tasks that wake each other, so that the worker of the thread is needed.
async fn busy(cx: &Cx, count: u64) -> Result<u64, asr_base::Failure> {
    let mut sum = 0;
    for n in 0..count {
        let task = cx.spawn(async move |cx| {
            cx.yield_now().await?;
            Ok(n)
        })?;
        sum += task.join(cx).await?.into_result()?;
    }
    Ok(sum)
}

#[test]
fn a_runtime_runs_inside_a_task_of_another() {
    for outer in Runtime::each() {
        let sum = done(outer.run(async |cx| {
            let before = busy(&cx, 20).await?;
            let inner = Local::new(Config::default());
            let inside = done(inner.run(async |cx| busy(&cx, 20).await));
            drop(inner);
            Ok(before + inside + busy(&cx, 20).await?)
        }));
        assert_eq!(sum, 3 * 190);
    }
}

#[test]
fn a_runtime_is_not_waited_for_in_a_task_of_it() {
    for outer in Runtime::each() {
        let outer = Arc::new(outer);
        let same = outer.clone();
        let refused = done(outer.run(async move |_| Ok(same.run(async |_| Ok(())))));
        let Outcome::Err(error) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(error.kind(), Status::CYCLE, "{error}");
    }
}

#[test]
fn a_second_thread_waits_for_the_first() {
    for _ in 0..50 {
        let local = Local::new(Config::default());
        let ran = Arc::new(AtomicU64::new(0));
        let run = || {
            let ran = ran.clone();
            local.run(async move |cx| {
                busy(&cx, 20).await?;
                ran.fetch_add(1, Relaxed);
                Ok(())
            })
        };
        let outcomes = std::thread::scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(run));
            threads.map(|thread| thread.join().expect("no panic"))
        });
        let ended = outcomes.iter().filter(|it| it.is_ok()).count();
        assert_eq!(ran.load(Relaxed), ended as u64);
        assert!(ended > 0);
        for refused in outcomes {
            // Who comes after the first main ended finds the root closed, or closing.
            if let Outcome::Err(error) = refused {
                let kind = error.kind();
                let late = [
                    Status::SHUTDOWN,
                    Status::REGION_CLOSING,
                    Status::REGION_CLOSED,
                ];
                assert!(late.contains(&kind), "{error}");
            }
        }
        assert!(local.kernel().is_closed());
        assert_eq!(local.kernel().owned_records(), (0, 0));
    }
}
