//! Responsiveness of the waiting operations (CHN-15): C = 1, M = 0, F = 1.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;

use asr_base::Failure;
use asr_kernel::cx::classes::Polls;
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};
use asr_sync::classes::OPERATIONS;
use asr_sync::{
    LockError, Mutex, Notify, RecvError, Semaphore, SendError, WaitError, mpsc, oneshot,
};

/// An operation; true if it ended interrupted.
type Waiting<'a> = (
    &'static str,
    Pin<Box<dyn Future<Output = bool> + Send + 'a>>,
);

/// Primitives for which everybody waits, or for which nobody has to.
struct Subjects {
    mutex: Mutex<()>,
    semaphore: Semaphore,
    notify: Notify,
    full: mpsc::Sender<u32>,
    received: mpsc::Receiver<u32>,
    empty: mpsc::Receiver<u32>,
    acked: mpsc::Receiver<u32>,
    unbounded: mpsc::UnboundedReceiver<u32>,
    oneshot: oneshot::Receiver<u32>,
}

fn waiting<'a>(cx: &'a Cx, all: &'a mut Subjects) -> Vec<Waiting<'a>> {
    let Subjects {
        mutex,
        semaphore,
        notify,
        full,
        empty,
        acked,
        unbounded,
        oneshot,
        ..
    } = all;
    let (mutex, semaphore, notify, full) = (&*mutex, &*semaphore, &*notify, &*full);
    let owned = full.clone();
    vec![
        (
            "Mutex::lock",
            Box::pin(async move { matches!(mutex.lock(cx).await, Err(LockError::Interrupted)) }),
        ),
        (
            "Semaphore::acquire",
            Box::pin(
                async move { semaphore.acquire(cx).await.err() == Some(WaitError::Interrupted) },
            ),
        ),
        (
            "Semaphore::acquire_many",
            Box::pin(async move {
                semaphore.acquire_many(cx, 1).await.err() == Some(WaitError::Interrupted)
            }),
        ),
        (
            "Notify::notified",
            Box::pin(async move { notify.notified(cx).await.is_err() }),
        ),
        (
            "mpsc::Sender::reserve",
            Box::pin(async move { full.reserve(cx).await.err() == Some(WaitError::Interrupted) }),
        ),
        (
            "mpsc::Sender::reserve_owned",
            Box::pin(
                async move { owned.reserve_owned(cx).await.err() == Some(WaitError::Interrupted) },
            ),
        ),
        (
            "mpsc::Sender::send",
            Box::pin(async move { full.send(cx, 3).await == Err(SendError::Interrupted(3)) }),
        ),
        (
            "mpsc::Receiver::recv",
            Box::pin(async move { empty.recv(cx).await == Err(RecvError::Interrupted) }),
        ),
        (
            "mpsc::Receiver::recv_ack",
            Box::pin(async move {
                let got = acked.recv_ack(cx).await;
                matches!(got, Err(RecvError::Interrupted))
            }),
        ),
        (
            "mpsc::UnboundedReceiver::recv",
            Box::pin(async move { unbounded.recv(cx).await == Err(RecvError::Interrupted) }),
        ),
        (
            "oneshot::Receiver::recv",
            Box::pin(async move { oneshot.recv(cx).await == Err(RecvError::Interrupted) }),
        ),
    ]
}

/// Polls each once; those that are ready are interrupted.
async fn once(all: &mut [Waiting<'_>]) -> Vec<&'static str> {
    poll_fn(|context| {
        let mut pending = Vec::new();
        for (name, future) in all.iter_mut() {
            match future.as_mut().poll(context) {
                Poll::Ready(interrupted) => assert!(interrupted, "{name}"),
                Poll::Pending => pending.push(*name),
            }
        }
        Poll::Ready(pending)
    })
    .await
}

async fn cancelled(cx: Cx, waits: Arc<AtomicBool>) -> Result<(), Failure> {
    let (full, received) = mpsc::channel(&cx, 1)?;
    let (other, empty) = mpsc::channel(&cx, 1)?;
    let (third, acked) = mpsc::channel(&cx, 1)?;
    let (un, unbounded) = mpsc::unbounded(&cx)?;
    let (one, receiver) = oneshot(&cx);
    full.try_send(1)?;
    let mut all = Subjects {
        mutex: Mutex::new(()),
        semaphore: Semaphore::new(1)?,
        notify: Notify::new(),
        full,
        received,
        empty,
        acked,
        unbounded,
        oneshot: receiver,
    };
    {
        // Held, without a borrow of what is waited for below.
        let guard = all.mutex.lock(&cx).await?;
        std::mem::forget(guard);
        let permit = all.semaphore.acquire(&cx).await?;
        std::mem::forget(permit);
        let mut futures = waiting(&cx, &mut all);
        assert_eq!(once(&mut futures).await.len(), OPERATIONS.len());
        waits.store(true, Relaxed);
        poll_fn(|context| {
            context.waker().wake_by_ref();
            match cx.is_cancel_requested() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        // C and F: the first poll after the request ends each, and it has left its queue by then.
        assert!(once(&mut futures).await.is_empty());
    }
    assert_eq!((all.mutex.waiting(), all.semaphore.waiting()), (0, 0));
    assert_eq!((all.notify.waiting(), all.full.waiting()), (0, 0));
    // CAN-14: a pending cancel comes before what is there, which stays.
    all.mutex = Mutex::new(());
    all.semaphore = Semaphore::new(1)?;
    all.notify.notify_one();
    assert_eq!(all.received.try_recv(), Ok(1));
    other.try_send(2)?;
    third.try_send(2)?;
    un.send(2)?;
    one.send(2)?;
    let mut futures = waiting(&cx, &mut all);
    assert!(once(&mut futures).await.is_empty());
    drop(futures);
    assert!(!all.mutex.is_locked() && all.notify.try_take());
    assert_eq!((all.semaphore.available(), all.full.room()), (1, 1));
    assert_eq!(
        (all.empty.try_recv(), all.unbounded.try_recv()),
        (Ok(2), Ok(2))
    );
    assert_eq!(
        (all.oneshot.try_recv(), all.acked.try_recv()),
        (Ok(2), Ok(2))
    );
    Ok(())
}

#[test]
fn chn_15_one_poll_after_a_cancel() {
    let mut config = Config::default();
    config.leak_response = asr_kernel::obligation::LeakResponse::Silent;
    let outcome = Local::new(config).run(async |cx| {
        let waits = Arc::new(AtomicBool::new(false));
        let own = waits.clone();
        let child = cx.spawn(async move |cx| cancelled(cx, own).await)?;
        while !waits.load(Relaxed) {
            cx.yield_now().await?;
        }
        child.abort();
        let outcome = child.join(&cx).await?;
        assert!(
            !matches!(outcome, asr_base::Outcome::Panicked(_)),
            "{outcome:?}"
        );
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn chn_15_the_table_says_so() {
    let names: BTreeSet<_> = OPERATIONS.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), OPERATIONS.len());
    for row in OPERATIONS {
        let bounds = (row.c, row.m, row.f);
        assert_eq!(bounds, (Polls::Exactly(1), 0, Polls::Exactly(1)), "{row}");
    }
}
