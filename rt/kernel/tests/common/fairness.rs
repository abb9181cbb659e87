//! How long tasks wait for others on workers, in polls of those.
#![allow(dead_code, reason = "each test uses a part")]

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

use asr_base::{Budget, Duration, Failure};
use asr_kernel::sched::Workers;
use asr_kernel::{Cx, JoinHandle};
use parking_lot::Mutex;

use super::runtime::{all, done, on, turn};

/// Runs `test` once in a task of each of so many workers, all at a time.
pub(crate) async fn on_each<T, F, Fut>(cx: &Cx, workers: usize, test: F) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Fn(usize, Cx) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let mut tasks = Vec::new();
    for worker in 0..workers {
        let test = test.clone();
        tasks.push(cx.spawn_with(on(worker), async move |cx| test(worker, cx).await)?);
    }
    all(cx, tasks).await
}

/// On each worker, the position of a ready task among many cancelling ones that were asked in the
/// same poll.
pub(crate) fn positions(runtime: &Workers, count: usize) -> Vec<usize> {
    const READY: usize = usize::MAX;
    done(runtime.run(async move |cx| {
        on_each(&cx, count, move |worker, cx| async move {
            let order: Arc<Mutex<Vec<usize>>> = Arc::default();
            let started = Arc::new(AtomicUsize::new(0));
            let mut tasks = Vec::new();
            for n in 0..10_000 / count {
                let (order, started) = (order.clone(), started.clone());
                tasks.push(cx.spawn_with(on(worker), async move |cx| {
                    started.fetch_add(1, Relaxed);
                    cancelled(&cx).await;
                    order.lock().push(n);
                    Ok(())
                })?);
            }
            while started.load(Relaxed) < tasks.len() {
                cx.yield_now().await?;
            }
            // In one poll on this worker: nothing runs there meanwhile.
            tasks.iter().for_each(JoinHandle::abort);
            let noted = order.clone();
            let ready = cx.spawn_with(on(worker), async move |_| {
                noted.lock().push(READY);
                Ok(())
            })?;
            let all = tasks.len() + 1;
            for task in tasks {
                let _ = task.join(&cx).await?;
            }
            ready.join(&cx).await?.into_result()?;
            let order = order.lock();
            assert_eq!(order.len(), all);
            let position = order.iter().position(|&who| who == READY);
            Ok(position.expect("it ran") + 1)
        })
        .await
    }))
}

/// Waits for a cancel, and is no cancel point.
async fn cancelled(cx: &Cx) {
    poll_fn(|_| match cx.is_cancel_requested() {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// Tasks on a worker that never end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    cancelling: usize,
    timed: usize,
    ready: usize,
}

pub(crate) const LOADS: [Load; 4] = [
    load(0, 0, 20),
    load(3, 0, 5),
    load(0, 2, 30),
    load(2, 2, 10),
];

const fn load(cancelling: usize, timed: usize, ready: usize) -> Load {
    Load {
        cancelling,
        timed,
        ready,
    }
}

impl Load {
    /// With the one that is queued behind them.
    pub(crate) fn n(&self) -> usize {
        self.cancelling + self.timed + self.ready + 1
    }
}

/// The most polls of others, for each worker, that a task waited for which was queued behind them.
pub(crate) fn behind(runtime: &Workers, count: usize, load: Load) -> Vec<usize> {
    let Load {
        cancelling, timed, ..
    } = load;
    let n = load.n();
    done(runtime.run(async move |cx| {
        on_each(&cx, count, move |worker, cx| async move {
            let polls = Arc::new(AtomicUsize::new(0));
            let stop = Arc::new(AtomicBool::new(false));
            let mut tasks = Vec::new();
            for who in 0..n - 1 {
                let (polls, stop) = (polls.clone(), stop.clone());
                let mut options = on(worker);
                if (cancelling..cancelling + timed).contains(&who) {
                    let at = cx.now() + Duration::from_secs(3600);
                    options = options.budget(Budget::UNLIMITED.with_deadline(at));
                }
                tasks.push(cx.spawn_with(options, async move |_| {
                    while !stop.load(Relaxed) {
                        polls.fetch_add(1, Relaxed);
                        turn().await;
                    }
                    Ok(())
                })?);
            }
            while polls.load(Relaxed) < n {
                cx.yield_now().await?;
            }
            tasks[..cancelling].iter().for_each(JoinHandle::abort);
            // The ones that are ready may have ended their turn just before.
            let mut worst = 0;
            for _ in 0..20 {
                let now = polls.load(Relaxed);
                let count = polls.clone();
                let queued = async move |_| Ok(count.load(Relaxed));
                let queued = cx.spawn_with(on(worker), queued)?;
                let then = queued.join(&cx).await?.into_result()?;
                worst = worst.max(then - now);
            }
            stop.store(true, Relaxed);
            for task in tasks {
                let _ = task.join(&cx).await?;
            }
            Ok(worst)
        })
        .await
    }))
}

/// While two tasks wake each other: how many polls of theirs a third waits for in the ring, each
/// time.
pub(crate) fn between(runtime: &Workers) -> Vec<usize> {
    let mut between = done(runtime.run(async |cx| {
        let polls = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let wakers: Arc<[Mutex<Option<std::task::Waker>>; 2]> = Arc::default();
        let mut pair = Vec::new();
        for me in 0..2 {
            let (polls, stop, wakers) = (polls.clone(), stop.clone(), wakers.clone());
            pair.push(cx.spawn(async move |_| {
                poll_fn(|context| {
                    polls.fetch_add(1, Relaxed);
                    *wakers[me].lock() = Some(context.waker().clone());
                    if let Some(other) = wakers[1 - me].lock().take() {
                        other.wake();
                    }
                    match stop.load(Relaxed) {
                        true => Poll::Ready(()),
                        false => Poll::Pending,
                    }
                })
                .await;
                Ok(())
            })?);
        }
        let mut between = Vec::new();
        while between.len() < 100 {
            let before = polls.load(Relaxed);
            // A yield goes to the end of the ring.
            cx.yield_now().await?;
            between.push(polls.load(Relaxed) - before);
        }
        stop.store(true, Relaxed);
        let wake = |at: usize| wakers[at].lock().take().map(std::task::Waker::wake);
        wake(0);
        wake(1);
        all(&cx, pair).await?;
        Ok(between)
    }));
    // At first one of the two is in the ring as well.
    between.remove(0);
    between
}
