//! The fair queue, in every schedule.

use std::sync::{Arc, Mutex};

use asr_base::{Failure, Outcome};
use asr_kernel::Cx;
use asr_kernel::obligation::WaitQueue;
use asr_lab::Explorer;

/// How the waiter with the grant goes before it ran.
#[derive(Clone, Copy, Debug)]
enum Goes {
    /// Its task is cancelled.
    Cancelled,
    /// Its future is dropped half-way, on a normal path.
    Dropped,
}

/// Three waiters for one unit that the main task has; one of them goes, at any moment of its wait.
/// Returns who got the unit, in order.
async fn three(cx: Cx, who: usize, goes: Goes) -> Result<(Vec<usize>, u64), Failure> {
    let queue = Arc::new(WaitQueue::new(1));
    let got = Arc::new(Mutex::new(Vec::new()));
    let held = queue.try_take().expect("it is free");
    let mut waiters = Vec::new();
    for n in 0..3 {
        let (queue, got) = (queue.clone(), got.clone());
        waiters.push(cx.spawn(async move |cx| {
            if let (true, Goes::Dropped) = (n == who, goes) {
                let mut take = Box::pin(queue.take(&cx));
                std::future::poll_fn(|context| {
                    let _ = take.as_mut().poll(context);
                    std::task::Poll::Ready(())
                })
                .await;
                // The position is kept, and may be granted, while it is not polled.
                cx.yield_now().await?;
                return Ok(());
            }
            let grant = queue.take(&cx).await?;
            got.lock().unwrap().push(n);
            drop(grant);
            Ok(())
        })?);
    }
    cx.yield_now().await?;
    drop(held);
    if let Goes::Cancelled = goes {
        waiters[who].abort();
    }
    for waiter in waiters {
        let _ = waiter.join(&cx).await?;
    }
    let got = got.lock().unwrap().clone();
    Ok((got, queue.free()))
}

#[test]
fn obl_18_a_grant_passes_on() {
    for goes in [Goes::Cancelled, Goes::Dropped] {
        for who in 0..3 {
            let explored = Explorer::default().run(
                || async move |cx: Cx| three(cx, who, goes).await,
                |run| match &run.outcome {
                    Outcome::Ok((got, 1)) => Ok(got.clone()),
                    other => Err(format!("{other:?}")),
                },
            );
            let explored = explored.unwrap_or_else(|found| panic!("{who} {goes:?}: {found:?}"));
            assert!(explored.complete, "{} schedules", explored.executions);
            for got in explored.seen.keys() {
                let rest: Vec<_> = (0..3).filter(|n| *n != who).collect();
                assert!(
                    rest.iter().all(|n| got.contains(n)),
                    "{who} {goes:?}: {got:?}"
                );
            }
        }
    }
}
