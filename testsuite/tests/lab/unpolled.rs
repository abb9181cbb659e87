//! Waiters that are called and not polled any more: others go ahead of them.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use asr_base::Failure;
use asr_kernel::Cx;
use asr_lab::{Lab, LabConfig};
use asr_sync::{Mutex, Semaphore, mpsc};
use asr_trace::{Event, Log, Sub};

/// Polls once, and keeps what is left.
async fn once<F: Future + Unpin>(future: &mut F) {
    poll_fn(|context| {
        assert!(Pin::new(&mut *future).poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

fn runs<F, Fut>(main: impl Fn() -> F) -> Vec<Log>
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let run = |seed| {
        let run = Lab::new(LabConfig::seed(seed)).run(main());
        match run {
            Ok(run) if run.outcome.is_ok() => run.trace,
            Ok(run) => panic!("seed {seed}: {:?}", run.outcome),
            Err(failure) => panic!("seed {seed}: {failure}"),
        }
    };
    (0..30).map(run).collect()
}

fn told(log: &Log) -> Vec<Event> {
    let told = log
        .iter()
        .filter(|event| event.sub == Sub::FuturelockDetected);
    told.copied().collect()
}

/// A task that puts a wait aside and waits for the same thing in another way: the wait that it
/// polls gets it, at each kind of queue.
#[test]
fn obl_19_a_task_is_not_stopped_by_a_wait_that_it_put_aside() {
    for kind in 0..3 {
        let logs = runs(|| {
            async move |cx: Cx| {
                let lock = Arc::new(Mutex::new(0));
                let permits = Arc::new(Semaphore::new(2)?);
                let (sender, mut receiver) = mpsc::channel::<u32, _>(&cx, 1)?;
                let (theirs, others) = (lock.clone(), permits.clone());
                let guard = lock.lock(&cx).await?;
                let two = permits.acquire_many(&cx, 2).await?;
                let place = sender.clone().reserve_owned(&cx).await?;
                let task = cx.spawn(async move |cx| {
                    let (mut a, mut b, mut c) = (
                        Box::pin(theirs.lock(&cx)),
                        Box::pin(others.acquire_many(&cx, 2)),
                        Box::pin(sender.reserve(&cx)),
                    );
                    match kind {
                        0 => {
                            once(&mut a).await;
                            *theirs.lock(&cx).await? += 1;
                        }
                        1 => {
                            once(&mut b).await;
                            drop(others.acquire(&cx).await?);
                        }
                        _ => {
                            once(&mut c).await;
                            sender.send(&cx, 7).await?;
                        }
                    }
                    // What was put aside gets it too, if it is polled after all.
                    match kind {
                        0 => *a.await? += 1,
                        1 => drop(b.await?),
                        _ => c.await?.send(8).map_err(Failure::from)?,
                    }
                    Ok(())
                })?;
                cx.sleep(Duration::from_secs(1)).await?;
                drop((guard, two));
                place.abort();
                if kind == 2 {
                    assert_eq!(receiver.recv(&cx).await, Ok(7));
                    assert_eq!(receiver.recv(&cx).await, Ok(8));
                }
                task.join(&cx).await?.into_result()
            }
        });
        for log in logs {
            let told = told(&log);
            assert_eq!(told.len(), 1, "kind {kind}");
            assert!(told[0].task.is_some() && told[0].region.is_some());
            assert_eq!(told[0].a, 1, "one place in a queue");
        }
    }
}

/// A wait that is forgotten stops nobody who comes later, however many they are.
#[test]
fn obl_19_a_forgotten_wait_stops_nobody_who_comes_later() {
    let logs = runs(|| {
        async |cx: Cx| {
            let lock = Arc::new(Mutex::new(0));
            let guard = lock.lock(&cx).await?;
            let theirs = lock.clone();
            let forgets = cx.spawn(async move |cx| {
                let mut wait = Box::pin(theirs.lock(&cx));
                once(&mut wait).await;
                std::mem::forget(wait);
                Ok(cx.sleep(Duration::from_secs(3)).await?)
            })?;
            cx.sleep(Duration::from_secs(1)).await?;
            assert_eq!(lock.waiting(), 1);
            drop(guard);
            let mut others = Vec::new();
            for _ in 0..4 {
                let lock = lock.clone();
                others.push(cx.spawn(async move |cx| {
                    for _ in 0..100 {
                        *lock.lock(&cx).await? += 1;
                        cx.yield_now().await?;
                    }
                    Ok(())
                })?);
            }
            for other in others {
                other.join(&cx).await?.into_result()?;
            }
            assert_eq!(*lock.lock(&cx).await?, 400);
            assert_eq!(lock.waiting(), 0);
            forgets.join(&cx).await?.into_result()
        }
    });
    for log in logs {
        assert_eq!(told(&log).len(), 1);
    }
}

/// A wait that is polled in each poll of its task keeps its place, also where the task has no
/// operation left for it in that poll: it is not passed over, but asked again.
#[test]
fn chn_16_a_wait_that_is_polled_with_no_operation_left_keeps_its_place() {
    for seed in 0..30 {
        let mut config = LabConfig::seed(seed);
        config.kernel.coop_budget = 3;
        let run = Lab::new(config).run(async |cx| {
            let lock = Arc::new(Mutex::new(Vec::new()));
            let spends = Arc::new(AtomicBool::new(false));
            let spent = Arc::new(AtomicU32::new(0));
            let guard = lock.lock(&cx).await?;
            let (theirs, busy, polls) = (lock.clone(), spends.clone(), spent.clone());
            let task = cx.spawn(async move |cx| {
                let mut wait = Box::pin(theirs.lock(&cx));
                let waiter = cx.waiter();
                let mut got = poll_fn(|context| {
                    if busy.load(Relaxed) {
                        while waiter.coop(context).is_ready() {}
                        polls.fetch_add(1, Relaxed);
                    }
                    wait.as_mut().poll(context)
                })
                .await?;
                got.push('a');
                Ok(())
            })?;
            while lock.waiting() == 0 {
                cx.yield_now().await?;
            }
            spends.store(true, Relaxed);
            drop(guard);
            let mut guard = lock.try_lock(&cx).expect("a newcomer may have it");
            guard.push('m');
            while spent.load(Relaxed) < 3 {
                cx.yield_now().await?;
            }
            let mut second = Box::pin(lock.lock(&cx));
            once(&mut second).await;
            assert_eq!(lock.waiting(), 2);
            spends.store(false, Relaxed);
            drop(guard);
            second.await?.push('b');
            task.join(&cx).await?.into_result()?;
            let order: String = lock.lock(&cx).await?.iter().collect();
            assert_eq!(order, "mab");
            Ok(())
        });
        let run = run.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        assert!(run.outcome.is_ok(), "seed {seed}: {:?}", run.outcome);
        assert!(
            told(&run.trace).is_empty(),
            "seed {seed}: nobody is passed over"
        );
    }
}
