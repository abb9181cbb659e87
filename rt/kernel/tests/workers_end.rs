//! How a runtime of several workers ends, and what does not end it.

#[path = "common/runtime.rs"]
mod runtime;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::thread;
use std::time::Duration;

use asr_base::{CancelKind, Outcome, Status};
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_kernel::{Config, RegionConfig};
use asr_trace::{Draft, Kind, Sink};
use runtime::{COUNTS, workers};

/// What is left when a runtime is dropped is dropped, not run: futures, captures, finalizers.
#[test]
fn a_dropped_runtime_leaves_nothing_behind() {
    for count in COUNTS {
        for ran in [false, true] {
            let runtime = workers(count);
            let kernel = runtime.kernel().clone();
            let probe = Arc::new(());
            let held = probe.clone();
            let started = Arc::new(AtomicUsize::new(0));
            let starts = started.clone();
            let main = kernel.root().spawn(async move |cx| {
                let kept = held.clone();
                cx.defer_sync(move || {
                    drop(kept);
                    panic!("a finalizer is dropped, not run");
                })?;
                for n in 0..100_u64 {
                    let (held, starts) = (held.clone(), starts.clone());
                    drop(cx.spawn(async move |cx| {
                        let _held = held;
                        starts.fetch_add(1, Relaxed);
                        match n % 3 {
                            0 => pending::<()>().await,
                            1 => cx.sleep(Duration::from_secs(n)).await?,
                            _ => loop {
                                cx.yield_now().await?;
                            },
                        }
                        Ok(())
                    })?);
                }
                let inner = cx
                    .region(RegionConfig::new(), async |scope, cx| {
                        let fiber = scope.fiber(async |_| {
                            pending::<()>().await;
                            Ok(Arc::clone(&held))
                        })?;
                        let _ = fiber.join(&cx).await?;
                        Ok(())
                    })
                    .await;
                inner.into_result()
            });
            drop(main.unwrap());
            while ran && started.load(Relaxed) < 100 {
                thread::yield_now();
            }
            drop(runtime);
            assert_eq!(Arc::strong_count(&probe), 1, "{count} workers, ran: {ran}");
            assert_eq!(kernel.owned_records(), (0, 0));
            assert_eq!(Arc::strong_count(&kernel), 1);
        }
    }
}

/// A runtime that its own task holds last is dropped on a worker.
#[test]
fn a_task_drops_its_runtime() {
    for count in COUNTS {
        let runtime = workers(count);
        let kernel = Arc::downgrade(runtime.kernel());
        let root = runtime.kernel().root();
        let gone = Arc::new(AtomicBool::new(false));
        let seen = gone.clone();
        let dropper = root.spawn(async move |_| {
            drop(runtime);
            seen.store(true, Relaxed);
            Ok(())
        });
        drop((dropper.unwrap(), root));
        while !gone.load(Relaxed) || kernel.strong_count() > 0 {
            thread::yield_now();
        }
    }
}

/// CAN-26 on workers: a task that ignores its cancel is named, and control returns.
#[test]
fn can_26_a_stuck_task_is_named() {
    for count in COUNTS {
        let mut config = Config::default();
        config.shutdown_grace = Duration::from_millis(1);
        config.cleanup.duration = Duration::from_millis(1);
        let runtime = Workers::new(WorkersConfig::workers(count), config).unwrap();
        let kernel = runtime.kernel().clone();
        let go_on = Arc::new(AtomicBool::new(true));
        let goes_on = go_on.clone();
        let outcome: Outcome<(), _> = runtime.run(async move |cx| {
            cx.set_name("stubborn");
            kernel.shutdown();
            while goes_on.load(Relaxed) {
                thread::yield_now();
            }
            Ok(())
        });
        let Outcome::Err(error) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(error.kind(), Status::TIMED_OUT);
        assert!(error.to_string().contains("stubborn"), "{error}");
        assert!(runtime.kernel().stuck()[0].in_poll);
        go_on.store(false, Relaxed);
    }
}

/// A shutdown from outside ends what sleeps.
#[test]
fn can_25_a_shutdown_ends_all() {
    for count in COUNTS {
        let runtime = workers(count);
        let kernel = runtime.kernel().clone();
        let (sender, outside) = std::sync::mpsc::channel();
        let outcome: Outcome<(), _> = runtime.run(async move |cx| {
            let mut tasks = Vec::new();
            for _ in 0..100 {
                tasks.push(cx.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(3600)).await?))?);
            }
            let _ = sender.send(thread::spawn(move || kernel.shutdown()));
            for task in tasks {
                task.join(&cx).await?.into_result()?;
            }
            Ok(())
        });
        let Outcome::Cancelled(reason) = outcome else {
            panic!("{outcome:?}")
        };
        // It holds a task while it asks it.
        let outside = outside.recv().expect("started");
        outside.join().expect("no panic");
        assert_eq!(reason.root().kind(), CancelKind::Shutdown);
        assert_eq!(runtime.kernel().owned_records(), (0, 0));
    }
}

/// TSK-21 on workers: panics in polls end tasks, not workers.
#[test]
fn tsk_21_panicking_tasks_end_and_workers_go_on() {
    let runtime = workers(2);
    let outcome = runtime.run(async |cx| {
        let outcome: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |scope, cx| {
                let mut tasks = Vec::new();
                for n in 0..10_000 {
                    tasks.push(scope.spawn(async move |_| {
                        if n >= 0 {
                            std::panic::resume_unwind(Box::new(n));
                        }
                        Ok(())
                    })?);
                }
                for task in tasks {
                    let ended = task.join(&cx).await?;
                    assert!(matches!(ended, Outcome::Panicked(_)), "{ended:?}");
                }
                Ok(())
            })
            .await;
        drop(outcome);
        Ok(())
    });
    drop(outcome);
    assert_eq!(runtime.panics(), 0);
    assert!(runtime.kernel().is_closed());
}

/// Panics once on the worker, outside of every poll: when a timer fires.
#[derive(Default)]
struct Bomb(AtomicBool);

impl Sink for Bomb {
    fn emit(&self, draft: Draft) -> u64 {
        if draft.kind == Kind::TimerFire && !self.0.swap(true, Relaxed) {
            std::panic::resume_unwind(Box::new("the sink fails"));
        }
        0
    }
}

/// A worker that panics outside a poll is replaced, and what was queued is run.
#[test]
fn a_worker_that_panics_is_replaced() {
    for count in COUNTS {
        let runtime = workers(count);
        let kernel = runtime.kernel().clone();
        let bomb = Arc::new(Bomb::default());
        kernel.trace_to(bomb.clone());
        let sum = Arc::new(AtomicUsize::new(0));
        let total = sum.clone();
        let outcome: Outcome<(), _> = runtime.run(async move |cx| {
            // Its timer is lost with the panic of whoever fires it: only a cancel ends it.
            drop(cx.spawn(async |cx| Ok(cx.sleep(Duration::from_micros(10)).await?))?);
            for after in [false, true] {
                let mut tasks = Vec::new();
                for n in 0..200 {
                    tasks.push(cx.spawn(async move |cx| {
                        for _ in 0..n {
                            cx.yield_now().await?;
                        }
                        if after {
                            cx.sleep(Duration::from_micros(n)).await?;
                        }
                        Ok(1)
                    })?);
                }
                for task in tasks {
                    total.fetch_add(task.join(&cx).await?.into_result()?, Relaxed);
                }
                while !bomb.0.load(Relaxed) {
                    cx.yield_now().await?;
                }
            }
            kernel.shutdown();
            Ok(cx.checkpoint()?)
        });
        assert!(!outcome.is_ok(), "{outcome:?}");
        assert_eq!(sum.load(Relaxed), 400);
        assert_eq!(runtime.panics(), 1);
        assert_eq!(runtime.kernel().owned_records(), (0, 0));
    }
}
