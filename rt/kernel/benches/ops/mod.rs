//! What the kernel is measured by: one operation, again and again, in a task of its own.
//!
//! The driver here is as small as one can be, a queue and a clock that only [`run`] moves, so that
//! figures are the kernel's. The same operations run on [`Local`] for comparison.
#![allow(
    dead_code,
    reason = "shared by a bench and an example, which use a part each"
)]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Poll, Waker};

use asr_base::{Duration, Failure, Outcome, TaskId, Time};
use asr_kernel::obligation::{AbortCause, Kind, Linear};
use asr_kernel::sched::{Local, Workers, WorkersConfig};
use asr_kernel::{Config, Cx, Driver, Kernel, RegionConfig, Runnable};
use asr_trace::Recorder;
use parking_lot::Mutex;

/// A queue and a clock.
#[derive(Default)]
pub(crate) struct Queue {
    ready: Mutex<VecDeque<Runnable>>,
    now: AtomicU64,
}

/// The driver's side of a queue.
struct Shared(Arc<Queue>);

impl Driver for Shared {
    fn threads(&self) -> usize {
        1
    }

    fn now(&self) -> Time {
        Time::from_nanos(self.0.now.load(Relaxed))
    }

    fn enqueue(&self, task: Runnable) {
        self.0.ready.lock().push_back(task);
    }

    fn promote(&self, _: TaskId) {}

    fn entropy(&self, _: TaskId, call: u64) -> u64 {
        call
    }

    fn timer_armed(&self, _: Time) {}

    fn root_closed(&self) {}
}

/// A kernel with a queue.
pub(crate) struct Bench {
    pub(crate) kernel: Arc<Kernel>,
    queue: Arc<Queue>,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let queue = Arc::new(Queue::default());
        let driver = Box::new(Shared(queue.clone()));
        Bench {
            kernel: Kernel::new(driver, config()),
            queue,
        }
    }

    /// Runs tasks until none is left.
    pub(crate) fn drain(&self) {
        loop {
            let next = self.queue.ready.lock().pop_front();
            let Some(task) = next else { return };
            self.kernel.run(task);
        }
    }

    /// Runs tasks, and timers when there is no task, until nothing is left to do.
    pub(crate) fn idle(&self) {
        loop {
            self.drain();
            let Some(at) = self.kernel.next_deadline() else {
                return;
            };
            self.queue.now.store(at.as_nanos(), Relaxed);
            self.kernel.advance(at);
        }
    }
}

fn config() -> Config {
    let mut config = Config::default();
    // Of the release build, whatever this is built as.
    config.leak_records = false;
    config
}

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The loop around the others.
    Nothing,
    Region,
    Fiber,
    Task,
    Checkpoint,
    Mask,
    MaskSync,
    Commit,
    Yield,
    /// A thousand tasks that yield in turns.
    Yields,
    /// Two tasks that wake each other in turns.
    PingPong,
    /// Many tasks, then a join of each.
    Tasks,
    /// A sleep that is dropped.
    TimerCancel,
    /// A sleep that ends.
    TimerFire,
    /// Reserve and commit of a typed token.
    Obligation,
}

pub(crate) const ALL: [(&str, Work); 15] = [
    ("nothing", Work::Nothing),
    ("region", Work::Region),
    ("fiber", Work::Fiber),
    ("task", Work::Task),
    ("checkpoint", Work::Checkpoint),
    ("mask", Work::Mask),
    ("mask_sync", Work::MaskSync),
    ("commit_section", Work::Commit),
    ("yield", Work::Yield),
    ("yields", Work::Yields),
    ("ping_pong", Work::PingPong),
    ("tasks", Work::Tasks),
    ("timer_cancel", Work::TimerCancel),
    ("timer_fire", Work::TimerFire),
    ("obligation", Work::Obligation),
];

/// Where an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Queue,
    /// With a recorder behind the gate.
    Traced,
    Local,
    /// So many workers.
    Workers(usize),
}

/// Runs an operation so many times.
pub(crate) fn run(place: Place, work: Work, times: u64) {
    if place == Place::Local {
        let outcome = Local::new(config()).run(async move |cx| repeat(&cx, work, times).await);
        assert!(outcome.is_ok(), "{outcome:?}");
        return;
    }
    if let Place::Workers(count) = place {
        let workers = Workers::new(WorkersConfig::workers(count), config()).expect("threads");
        let outcome = workers.run(async move |cx| repeat(&cx, work, times).await);
        assert!(outcome.is_ok(), "{outcome:?}");
        return;
    }
    let bench = Bench::new();
    if place == Place::Traced {
        bench.kernel.trace().set(Arc::new(Recorder::new(1 << 12)));
    }
    let _here = bench.kernel.occupy(0);
    let root = bench.kernel.root();
    let main = root.spawn(async move |cx| repeat(&cx, work, times).await);
    let main = main.expect("the root is open");
    bench.idle();
    let outcome = main.try_join().expect("nothing is left to do");
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
    root.begin_close();
    bench.idle();
}

async fn repeat(cx: &Cx, work: Work, times: u64) -> Result<(), Failure> {
    match work {
        Work::Nothing => {
            for n in 0..times {
                black_box(n);
            }
        }
        Work::Region => {
            for _ in 0..times {
                let config = RegionConfig::new();
                let ended = cx.region(config, async |_, _| Ok(())).await;
                ended.into_result()?;
            }
        }
        Work::Fiber => {
            let scope = cx.region(RegionConfig::new(), async |scope, cx| {
                for _ in 0..times {
                    let fiber = scope.fiber(async |_| Ok(()))?;
                    fiber.join(&cx).await?.into_result()?;
                }
                Ok(())
            });
            scope.await.into_result()?;
        }
        Work::Task => {
            for _ in 0..times {
                let task = cx.spawn(async |_| Ok(()))?;
                task.join(cx).await?.into_result()?;
            }
        }
        Work::Checkpoint => {
            for _ in 0..times {
                black_box(cx).checkpoint()?;
            }
        }
        Work::Mask => {
            for n in 0..times {
                black_box(cx.mask(4, async { n }).await?);
            }
        }
        Work::MaskSync => {
            for n in 0..times {
                black_box(cx.mask_sync(|| black_box(n))?);
            }
        }
        Work::Commit => {
            for n in 0..times {
                black_box(cx.commit_section(4, async { n }).await?);
            }
        }
        Work::Yield => {
            for _ in 0..times {
                cx.yield_now().await?;
            }
        }
        Work::Yields => {
            let each = times.div_ceil(1000);
            let mut tasks = Vec::new();
            for _ in 0..times.min(1000) {
                tasks.push(cx.spawn(async move |cx| {
                    for _ in 0..each {
                        cx.yield_now().await?;
                    }
                    Ok(())
                })?);
            }
            for task in tasks {
                task.join(cx).await?.into_result()?;
            }
        }
        Work::PingPong => {
            let ball = Arc::new(Ball::default());
            let other = ball.clone();
            let player = cx.spawn(async move |_| {
                for n in 0..times {
                    other.wait_for(2 * n + 1).await;
                    other.pass();
                }
                Ok(())
            })?;
            for n in 0..times {
                ball.wait_for(2 * n).await;
                ball.pass();
            }
            player.join(cx).await?.into_result()?;
        }
        Work::Tasks => {
            let mut tasks = Vec::new();
            for _ in 0..times {
                tasks.push(cx.spawn(async |_| Ok(()))?);
            }
            for task in tasks {
                task.join(cx).await?.into_result()?;
            }
        }
        Work::TimerCancel => {
            for _ in 0..times {
                let mut sleep = pin!(cx.sleep(Duration::from_secs(1)));
                poll_fn(|context| {
                    assert!(sleep.as_mut().poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
        }
        Work::TimerFire => {
            for _ in 0..times {
                cx.sleep(Duration::from_millis(1)).await?;
            }
        }
        Work::Obligation => {
            for n in 0..times {
                let token = cx.reserve(Number(n))?;
                assert_eq!(token.commit(()), Ok(n));
            }
        }
    }
    Ok(())
}

/// How often it was passed, and who waits for it.
#[derive(Default)]
struct Ball(Mutex<(u64, Option<Waker>)>);

impl Ball {
    async fn wait_for(&self, count: u64) {
        poll_fn(|context| {
            let mut ball = self.0.lock();
            if ball.0 == count {
                return Poll::Ready(());
            }
            ball.1 = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn pass(&self) {
        let mut ball = self.0.lock();
        ball.0 += 1;
        let waiter = ball.1.take();
        drop(ball);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

/// What a token stands for.
struct Number(u64);

impl Linear for Number {
    type Input = ();
    type Output = u64;

    fn kind(&self) -> Kind {
        Kind::SEND_PERMIT
    }

    fn commit(self, (): ()) -> Result<u64, ()> {
        Ok(self.0)
    }

    fn abort(self, _: AbortCause) {}
}
