//! Blocking work: its pool of threads, and what a cancel does to it.
#![cfg(not(loom))]

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::thread::JoinHandle;

use asr_base::{Duration, Error, Outcome, Status};
use asr_kernel::blocking::{Pool, PoolConfig, PoolStats, Starter, Threads};
use asr_kernel::sched::Local;
use asr_kernel::{Config, RegionConfig};

fn pool(min_threads: usize, max_threads: usize) -> Pool {
    Pool::new(PoolConfig {
        min_threads,
        max_threads,
        ..PoolConfig::default()
    })
}

#[test]
fn sch_31_serial_work_needs_one_thread() {
    let runtime = Local::with_pool(Config::default(), pool(1, 8));
    let sum = runtime.run(async |cx| {
        let mut sum = 0;
        for n in 0..1000 {
            sum += cx.blocking(move || Ok(n)).await?.into_result()?;
        }
        Ok(sum)
    });
    assert!(matches!(sum, Outcome::Ok(499_500)));
    assert_eq!(runtime.pool().stats().peak, 1);
}

#[test]
fn sch_31_a_thread_for_each_that_is_busy_up_to_the_maximum() {
    let runtime = Local::with_pool(Config::default(), pool(1, 4));
    // The first four meet at the barrier, so each has a thread; the others wait for one of them.
    let meet = Arc::new(Barrier::new(4));
    let done = Arc::new(AtomicUsize::new(0));
    let outcome = runtime.run({
        let done = done.clone();
        async move |cx| {
            for n in 0..40 {
                let (meet, done) = (meet.clone(), done.clone());
                let _task = cx.spawn(async move |cx| {
                    let work = move || {
                        if n < 4 {
                            meet.wait();
                        }
                        done.fetch_add(1, SeqCst);
                        Ok(())
                    };
                    cx.blocking(work).await?.into_result()
                })?;
            }
            Ok(())
        }
    });
    assert!(outcome.is_ok());
    assert_eq!(done.load(SeqCst), 40);
    assert_eq!(runtime.pool().stats().peak, 4);
}

#[test]
fn sch_32_threads_above_the_minimum_end() {
    let config = PoolConfig {
        min_threads: 2,
        max_threads: 8,
        idle_timeout: Duration::from_millis(1),
    };
    let runtime = Local::with_pool(Config::default(), Pool::new(config));
    let meet = Arc::new(Barrier::new(8));
    let outcome = runtime.run(async move |cx| {
        for _ in 0..8 {
            let meet = meet.clone();
            let _task = cx.spawn(async move |cx| {
                let work = move || {
                    meet.wait();
                    Ok(())
                };
                cx.blocking(work).await?.into_result()
            })?;
        }
        Ok(())
    });
    assert!(outcome.is_ok());
    // The watchdog of the test ends a wait for threads that never retire.
    while runtime.pool().stats().live > 2 {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(20));
    let stats = runtime.pool().stats();
    assert_eq!((stats.live, stats.peak), (2, 8));
}

#[test]
fn sch_33_a_panic_ends_the_job_not_the_thread() {
    let runtime = Local::with_pool(Config::default(), pool(1, 1));
    let after = runtime.run(async |cx| {
        let outcome = cx.blocking::<_, ()>(|| panic!("planted")).await?;
        let Outcome::Panicked(payload) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(payload.to_string().contains("planted"), "{payload}");
        cx.blocking(|| Ok(7)).await?.into_result()
    });
    assert!(matches!(after, Outcome::Ok(7)));
    let stats = runtime.pool().stats();
    assert_eq!((stats.live, stats.idle, stats.peak), (1, 1, 1));
}

/// Lets so many threads start.
struct Some(AtomicUsize);

impl Starter for Some {
    fn start(&self, run: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
        let left = self
            .0
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            return Err(io::Error::other("planted"));
        }
        Threads.start(run)
    }
}

#[test]
fn sch_33_without_any_thread_work_fails() {
    let pool = Pool::with(PoolConfig::default(), Some(AtomicUsize::new(0)));
    let runtime = Local::with_pool(Config::default(), pool);
    let refused = runtime.run(async |cx| {
        for _ in 0..3 {
            let outcome = cx.blocking(|| Ok(())).await?;
            let Outcome::Err(error) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(error.kind(), Status::IO);
            assert!(error.to_string().contains("planted"), "{error}");
        }
        Ok(())
    });
    assert!(refused.is_ok());
    assert_eq!(
        runtime.pool().stats(),
        PoolStats {
            peak: 1,
            ..PoolStats::default()
        }
    );
}

#[test]
fn sch_33_when_one_thread_cannot_start_another_takes_the_work() {
    let pool = Pool::with(PoolConfig::default(), Some(AtomicUsize::new(1)));
    let runtime = Local::with_pool(Config::default(), pool);
    let all = runtime.run(async |cx| {
        let mut handles = Vec::new();
        for n in 0..20 {
            handles
                .push(cx.spawn(async move |cx| cx.blocking(move || Ok(n)).await?.into_result())?);
        }
        let mut sum = 0;
        for handle in handles {
            sum += handle.join(&cx).await?.into_result()?;
        }
        Ok(sum)
    });
    assert!(matches!(all, Outcome::Ok(190)), "{all:?}");
    assert_eq!(runtime.pool().stats().live, 1);
}

#[test]
fn sch_34_queued_work_of_a_cancelled_region_never_runs() {
    const THREADS: usize = 4;
    const JOBS: usize = 10_000;
    let runtime = Local::with_pool(Config::default(), pool(1, THREADS));
    let ran = Arc::new(AtomicUsize::new(0));
    let (begun, beginning) = mpsc::channel();
    let free = Arc::new(AtomicBool::new(false));
    let watched = (ran.clone(), free.clone());
    let outcome = runtime.run(async move |cx| {
        let (ran, free) = watched;
        let region = cx.open_region(&RegionConfig::new())?;
        for _ in 0..JOBS {
            let (ran, free, begun) = (ran.clone(), free.clone(), begun.clone());
            let _task = region.spawn(async move |cx| {
                let work = move || {
                    ran.fetch_add(1, SeqCst);
                    let _ = begun.send(());
                    while !free.load(SeqCst) {
                        std::thread::yield_now();
                    }
                    Ok(())
                };
                cx.blocking(work).await?.into_result()
            })?;
        }
        let all = async {
            while ran.load(SeqCst) < THREADS {
                cx.yield_now().await?;
            }
            Ok::<_, asr_base::Interrupted>(())
        };
        all.await?;
        region.cancel("planted");
        // What runs is awaited: the region cannot close before it ends.
        for _ in 0..100 {
            cx.yield_now().await?;
        }
        assert_ne!(region.state(), asr_kernel::region::State::Closed);
        // Now the threads are free for what is queued, whether its tasks know of the cancel or not.
        free.store(true, SeqCst);
        let closed = region.close(&cx).await;
        assert!(matches!(closed, Outcome::Cancelled(_)), "{closed:?}");
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(ran.load(SeqCst), THREADS);
    assert_eq!(beginning.try_iter().count(), THREADS);
    assert_eq!(runtime.pool().stats().queued, 0);
}

#[test]
fn can_25_no_blocking_work_after_a_shutdown() {
    let runtime = Local::new(Config::default());
    let kernel = runtime.kernel().clone();
    let ran = Arc::new(AtomicBool::new(false));
    let seen = ran.clone();
    let outcome: Outcome<(), Error> = runtime.run(async move |cx| {
        kernel.shutdown();
        let work = move || {
            seen.store(true, SeqCst);
            Ok(())
        };
        let refused = cx.mask(8, cx.blocking(work)).await;
        let Ok(Ok(Outcome::Err(error))) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(error.kind(), Status::SHUTDOWN);
        Ok(())
    });
    assert!(!ran.load(SeqCst), "{outcome:?}");
}

#[test]
fn sch_34_work_outlives_its_escalated_waiter_and_the_runtime_returns() {
    let mut config = Config::default();
    config.cleanup.duration = Duration::from_millis(1);
    let runtime = Local::with_pool(config, pool(1, 4));
    let free = Arc::new(AtomicBool::new(false));
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let (held, value) = (free.clone(), Counted(dropped.clone()));
    let outcome: Outcome<(), Error> = runtime.run(async move |cx| {
        let task = cx.spawn(async move |cx| {
            let work = move || {
                while !held.load(SeqCst) {
                    std::thread::yield_now();
                }
                Ok(value)
            };
            let _late = cx.blocking(work).await?;
            Ok(())
        })?;
        cx.sleep(Duration::from_millis(5)).await?;
        task.abort();
        let ended = task.join(&cx).await?;
        assert!(
            matches!(&ended, Outcome::Cancelled(reason) if reason.escalated()),
            "{ended:?}"
        );
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(runtime.pool().running().len(), 1);
    assert_eq!(dropped.load(SeqCst), 0);
    free.store(true, SeqCst);
    while !runtime.pool().running().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(
        dropped.load(SeqCst),
        1,
        "the result is dropped where it arrives"
    );
}

#[test]
fn sch_34_masked_work_runs_in_spite_of_a_cancel() {
    let runtime = Local::with_pool(Config::default(), pool(1, 1));
    let outcome = runtime.run(async |cx| {
        let task = cx.spawn(async |cx| {
            while !cx.is_cancel_requested() {
                let _ = cx.mask(1, cx.yield_now()).await;
            }
            let masked = cx.mask(100, cx.blocking(|| Ok(7))).await?;
            assert!(matches!(masked?, Outcome::Ok(7)));
            cx.checkpoint()?;
            Ok(())
        })?;
        cx.yield_now().await?;
        task.abort();
        let ended = task.join(&cx).await?;
        assert!(matches!(ended, Outcome::Cancelled(_)), "{ended:?}");
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}
