//! A wait allocates nothing, and leaves nothing. Alone in its program, because it counts bytes.
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::task::Context;

use asr_base::Outcome;
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};
use asr_sync::{Mutex, Notify, Semaphore, mpsc, oneshot};

struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

// SAFETY: the system's allocator, and counts beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        LIVE.set(LIVE.get() + layout.size() as i64);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

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
        let before = (CALLS.get(), LIVE.get());
        for _ in 0..100 {
            wait(context);
        }
        std::task::Poll::Ready((CALLS.get() - before.0, LIVE.get() - before.1))
    })
    .await;
    assert_eq!((calls, live), (0, 0), "{name}");
    let live = LIVE.get();
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
    assert_eq!(LIVE.get(), live, "{name}");
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
