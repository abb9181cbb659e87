//! Wakers and workers: what outlives a runtime, and what a panic leaves.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Poll, Waker};
use std::time::Instant;

use asr_base::{Outcome, TaskId, Time};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Driver, Kernel, Policy, RegionConfig, Runnable};
use parking_lot::{Condvar, Mutex};

/// How often a test repeats what its rule counts in millions; a full run does all of it.
fn scaled(full: usize, quick: usize) -> usize {
    if std::env::var_os("ASR_FULL").is_some() {
        full
    } else {
        quick
    }
}

#[test]
fn tsk_13_wakers_of_a_task_that_is_gone_are_harmless() {
    let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let local = Local::new(Config::default());
    let kernel = Arc::downgrade(local.kernel());
    let kept = wakers.clone();
    drop(local.run(async move |cx| {
        let mut first = true;
        cx.spawn(async move |_| {
            poll_fn(|context| {
                kept.lock().push(context.waker().clone());
                context.waker().wake_by_ref();
                if std::mem::take(&mut first) {
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
            Ok(())
        })?
        .join(&cx)
        .await?
        .into_result()
    }));
    drop(local);
    // The record is held by its wakers, and the kernel by the record.
    assert!(kernel.upgrade().is_some());
    let waker = wakers.lock().pop().expect("it was polled");
    wakers.lock().clear();
    let clones = scaled(1_000_000, 100_000);
    std::thread::spawn(move || {
        let mut held = Vec::with_capacity(1000);
        for n in 0..clones {
            let clone = waker.clone();
            match n % 3 {
                0 => clone.wake(),
                1 => clone.wake_by_ref(),
                _ => drop(clone),
            }
            if held.len() < 1000 {
                held.push(waker.clone());
            } else {
                held.clear();
            }
        }
    })
    .join()
    .expect("no panic");
    assert!(
        kernel.upgrade().is_none(),
        "the last waker took the kernel along"
    );
}

#[test]
fn tsk_13_a_waker_of_a_reused_record_wakes_nobody() {
    let outcome = Local::new(Config::default()).run(async |cx| {
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let slot = waker.clone();
        let first = cx.spawn(async move |_| {
            poll_fn(|context| {
                *slot.lock() = Some(context.waker().clone());
                Poll::Ready(())
            })
            .await;
            Ok(())
        })?;
        let old = first.id();
        first.join(&cx).await?.into_result()?;
        // A waker keeps the record: the next task has another one.
        let polls = Arc::new(AtomicU32::new(0));
        let count = polls.clone();
        let second = cx.spawn(async move |_| {
            poll_fn(|_| {
                count.fetch_add(1, Relaxed);
                Poll::<()>::Pending
            })
            .await;
            Ok(())
        })?;
        assert_ne!(old.index(), second.id().index());
        cx.yield_now().await?;
        let waker = waker.lock().take().expect("it was polled");
        for _ in 0..1000 {
            waker.wake_by_ref();
        }
        cx.yield_now().await?;
        assert_eq!(polls.load(Relaxed), 1);
        // Without it the slot is used again, under a new name.
        drop(waker);
        let third = cx.spawn(async |_| Ok(()))?;
        assert_eq!(third.id().index(), old.index());
        assert_ne!(third.id(), old);
        second.abort();
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}

/// Two workers with one queue.
struct Pool {
    start: Instant,
    queue: Mutex<VecDeque<Runnable>>,
    wake: Condvar,
    closed: AtomicBool,
}

struct Seam(Arc<Pool>);

impl Driver for Seam {
    fn now(&self) -> Time {
        Time::ZERO + self.0.start.elapsed()
    }
    fn enqueue(&self, task: Runnable) {
        self.0.queue.lock().push_back(task);
        self.0.wake.notify_one();
    }
    fn promote(&self, _: TaskId) {}
    fn entropy(&self, _: TaskId, call: u64) -> u64 {
        call
    }
    fn timer_armed(&self, _: Time) {}
    fn root_closed(&self) {
        self.0.closed.store(true, Relaxed);
        drop(self.0.queue.lock());
        self.0.wake.notify_all();
    }
}

impl Pool {
    fn work(&self, kernel: &Kernel) -> u32 {
        let mut runs = 0;
        loop {
            let task = {
                let mut queue = self.queue.lock();
                loop {
                    if let Some(task) = queue.pop_front() {
                        break task;
                    }
                    if self.closed.load(Relaxed) {
                        return runs;
                    }
                    self.wake.wait(&mut queue);
                }
            };
            kernel.run(task);
            runs += 1;
        }
    }
}

/// The words of a panic that a test makes; the hook of the program stays quiet about them.
const LOUD: &str = "a panic that a test wants";

fn quiet() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some(LOUD) {
            before(info);
        }
    }));
}

#[test]
fn tsk_21_panics_end_their_tasks_and_no_worker() {
    const TASKS: u32 = 10_000;
    quiet();
    let pool = Arc::new(Pool {
        start: Instant::now(),
        queue: Mutex::default(),
        wake: Condvar::new(),
        closed: AtomicBool::new(false),
    });
    let kernel = Kernel::new(Box::new(Seam(pool.clone())), Config::default());
    let root = kernel.root();
    let done = Arc::new(AtomicU32::new(0));
    let cleaned = done.clone();
    let main = root
        .spawn(async move |cx| {
            let all = RegionConfig::new().policy(Policy::CollectAll);
            let region = cx.open_region(&all)?;
            let mut handles = Vec::new();
            for n in 0..TASKS {
                let cleaned = cleaned.clone();
                handles.push(region.spawn(async move |cx| {
                    cx.defer_task(move || {
                        cleaned.fetch_add(1, Relaxed);
                        Ok(())
                    })?;
                    // In the first poll, or in a later one.
                    if n % 2 == 0 {
                        cx.yield_now().await?;
                    }
                    if n < u32::MAX {
                        panic!("{LOUD}");
                    }
                    Ok(())
                })?);
            }
            let mut panicked = 0;
            for handle in handles {
                panicked += u32::from(matches!(handle.join(&cx).await?, Outcome::Panicked(_)));
            }
            drop(region.close(&cx).await);
            Ok(panicked)
        })
        .expect("open");
    root.begin_close();
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let (pool, kernel) = (pool.clone(), kernel.clone());
            std::thread::spawn(move || pool.work(&kernel))
        })
        .collect();
    for worker in workers {
        worker.join().expect("the worker lives to the end");
    }
    assert!(kernel.is_closed());
    let outcome = main.try_join().expect("finished");
    assert!(matches!(outcome, Outcome::Ok(TASKS)), "{outcome:?}");
    assert_eq!(done.load(Relaxed), TASKS, "finalizers ran");
}

/// A crash pack is written once there is a sink for it.
#[test]
fn tsk_22_part_a_panic_while_unwinding_aborts_the_process() {
    const CHILD: &str = "ASR_TEST_DOUBLE_PANIC";
    struct Again;
    impl Drop for Again {
        fn drop(&mut self) {
            panic!("{LOUD}");
        }
    }
    if std::env::var_os(CHILD).is_some() {
        let _: Outcome<(), _> = Local::new(Config::default()).run(async |_| {
            let _again = Again;
            panic!("{LOUD}");
        });
        // Reached only if it was contained after all.
        std::process::exit(0);
    }
    let this = std::env::current_exe().expect("a path");
    let child = std::process::Command::new(this)
        .args([
            "--exact",
            "tsk_22_part_a_panic_while_unwinding_aborts_the_process",
        ])
        .env(CHILD, "1")
        .output()
        .expect("it starts");
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(child.status.signal(), Some(libc::SIGABRT), "{child:?}");
}

#[test]
fn tsk_21_a_panic_in_a_destructor_is_contained() {
    quiet();
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            panic!("{LOUD}");
        }
    }
    let outcome = Local::new(Config::default()).run(async |cx| {
        let all = RegionConfig::new().policy(Policy::CollectAll);
        let region = cx.open_region(&all)?;
        // Captured, returned, dropped by a cancel before the start, and by an escalation.
        let captured = region.spawn(async |_| {
            let _loud = Loud;
            Ok(())
        })?;
        let returned = region.spawn(async |_| Ok(Loud))?;
        drop(returned);
        let loud = Loud;
        let unstarted = region.spawn(async move |_| {
            let _loud = loud;
            Ok(())
        })?;
        unstarted.abort();
        let waits = region.spawn(async |cx| {
            let _loud = Loud;
            let _ = cx.checkpoint();
            pending::<()>().await;
            Ok(())
        })?;
        assert!(matches!(captured.join(&cx).await?, Outcome::Panicked(_)));
        assert!(matches!(unstarted.join(&cx).await?, Outcome::Cancelled(_)));
        let id = waits.id();
        drop((waits, id));
        drop(region);
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}
