//! A wait allocates nothing, and leaves nothing. Alone in its program, because it counts bytes.

#[path = "../../base/tests/counting/mod.rs"]
mod counting;

use std::pin::pin;
use std::task::Context;

use asr_base::Outcome;
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};
use asr_sync::{Mutex, Notify, Semaphore, mpsc, oneshot};

const TIMES: u32 = 1_000_000;

/// Polls once, and drops what waits.
fn once(context: &mut Context<'_>, future: impl Future) {
    assert!(pin!(future).poll(context).is_pending());
}

/// So many waits, each given up.
async fn waits(cx: &Cx, name: &str, mut wait: impl FnMut(&mut Context<'_>)) {
    let (calls, live) = std::future::poll_fn(|context| {
        // Room for the first: what lists grow to, they keep.
        wait(context);
        let before = (counting::allocations(), counting::live());
        for _ in 0..100 {
            wait(context);
        }
        std::task::Poll::Ready((
            counting::allocations() - before.0,
            counting::live() - before.1,
        ))
    })
    .await;
    assert_eq!((calls, live), (0, 0), "{name}");
    let live = counting::live();
    for _ in 0..TIMES / 100 {
        std::future::poll_fn(|context| {
            for _ in 0..100 {
                wait(context);
            }
            std::task::Poll::Ready(())
        })
        .await;
        // A wait counts as an operation of the poll.
        let _ = cx.yield_now().await;
    }
    assert_eq!(counting::live(), live, "{name}");
}

#[test]
fn chn_3_waits_that_end_leave_nothing() {
    let mut config = Config::default();
    config.coop_budget = u8::MAX;
    config.leak_records = false;
    let outcome = Local::new(config).run(async |cx| {
        let mutex = Mutex::new(());
        let guard = mutex.lock(&cx).await?;
        waits(&cx, "mutex", |context| once(context, mutex.lock(&cx))).await;
        // Behind another: taken out of the middle.
        let mut first = pin!(mutex.lock(&cx));
        std::future::poll_fn(|context| {
            assert!(first.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        waits(&cx, "second", |context| once(context, mutex.lock(&cx))).await;
        assert_eq!(mutex.waiting(), 1);
        drop(guard);

        let semaphore = Semaphore::new(1)?;
        let permit = semaphore.acquire(&cx).await?;
        waits(&cx, "semaphore", |context| {
            once(context, semaphore.acquire(&cx))
        })
        .await;
        drop(permit);

        let notify = Notify::new();
        waits(&cx, "notify", |context| once(context, notify.notified(&cx))).await;

        let (sender, mut receiver) = mpsc::channel::<u32, _>(&cx, 1)?;
        waits(&cx, "receive", |context| once(context, receiver.recv(&cx))).await;
        sender.try_send(1)?;
        waits(&cx, "send", |context| once(context, sender.send(&cx, 2))).await;
        waits(&cx, "reserve", |context| once(context, sender.reserve(&cx))).await;
        assert_eq!((sender.waiting(), receiver.len()), (0, 1));

        let (sender, mut receiver) = mpsc::unbounded::<u32, _>(&cx)?;
        waits(&cx, "unbounded", |context| {
            once(context, receiver.recv(&cx))
        })
        .await;
        drop(sender);

        let (sender, mut receiver) = oneshot::<u32, _>(&cx);
        waits(&cx, "oneshot", |context| once(context, receiver.recv(&cx))).await;
        drop(sender);
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}
