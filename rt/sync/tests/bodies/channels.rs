//! Channels of many senders.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_base::{Outcome, Status};
use asr_kernel::Cx;
use asr_sync::mpsc::{self, CAPACITY_MAX};
use asr_sync::{
    Closed, RecvError, SendError, TryRecvError, TryReserveError, TrySendError, WaitError,
};

use super::{Done, once, until};

/// So many messages of eight senders: each arrives, those of a sender in their order.
pub(crate) async fn order(cx: Cx, capacity: usize, each: u64) -> Done {
    let (sender, mut receiver) = mpsc::channel(&cx, capacity)?;
    for from in 0..8 {
        let sender = sender.clone();
        drop(cx.spawn(async move |cx| {
            for n in 0..each {
                match n % 3 {
                    0 => sender.reserve(&cx).await?.send((from, n))?,
                    1 if sender.try_send((from, n)).is_ok() => {}
                    _ => sender.send(&cx, (from, n)).await?,
                }
            }
            Ok(())
        })?);
    }
    drop(sender);
    let mut next = [0; 8];
    loop {
        assert!(receiver.len() <= capacity);
        match receiver.recv(&cx).await {
            Ok((from, n)) => {
                assert_eq!(next[from], n, "sender {from}");
                next[from] += 1;
            }
            Err(RecvError::Closed) => break,
            Err(RecvError::Interrupted) => panic!("nobody cancels"),
        }
    }
    assert_eq!(next, [each; 8]);
    Ok(())
}

/// Room for one: a permit is given up, and who waits longest has it.
pub(crate) async fn abort_frees(cx: Cx) -> Done {
    let (sender, mut receiver) = mpsc::channel::<u32, _>(&cx, 1)?;
    let permit = sender.reserve(&cx).await?;
    assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
    assert_eq!(sender.try_reserve(&cx).err(), Some(TryReserveError::Full));
    let mut waiters = Vec::new();
    for n in 0..3 {
        let own = sender.clone();
        waiters.push(cx.spawn(async move |cx| Ok(own.send(&cx, n).await?))?);
        until(&cx, || sender.waiting() == n as usize + 1).await?;
    }
    permit.abort();
    for n in 0..3 {
        assert_eq!(receiver.recv(&cx).await?, n);
    }
    for waiter in waiters {
        waiter.join(&cx).await?.into_result()?;
    }
    assert_eq!((sender.room(), receiver.len()), (1, 0));
    Ok(())
}

/// Cancelled between reserve and send: the room is free again.
pub(crate) async fn cancel_after_reserve(cx: Cx) -> Done {
    let (sender, mut receiver) = mpsc::channel::<u32, _>(&cx, 1)?;
    let own = sender.clone();
    let holder = cx.spawn(async move |cx| {
        let permit = own.reserve(&cx).await?;
        cx.sleep(std::time::Duration::from_secs(1 << 30)).await?;
        permit.send(1)?;
        Ok(())
    })?;
    until(&cx, || sender.room() == 0).await?;
    let mut waiting = pin!(sender.send(&cx, 2));
    assert!(once(waiting.as_mut()).await.is_pending());
    holder.abort();
    waiting.await?;
    assert!(matches!(holder.join(&cx).await?, Outcome::Cancelled(_)));
    assert_eq!(receiver.recv(&cx).await?, 2);
    Ok(())
}

/// The last sender goes with messages queued; a permit outlives its sender.
pub(crate) async fn senders_gone(cx: Cx) -> Done {
    let (sender, mut receiver) = mpsc::channel(&cx, 4)?;
    sender.send(&cx, 1).await?;
    let permit = sender.reserve_owned(&cx).await?;
    assert_eq!(receiver.recv(&cx).await?, 1);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    {
        let mut waiting = pin!(receiver.recv(&cx));
        assert!(once(waiting.as_mut()).await.is_pending(), "held open");
        permit.send(2)?;
        assert_eq!(waiting.await?, 2);
    }
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(receiver.recv(&cx).await, Err(RecvError::Closed));
    Ok(())
}

/// The receiver goes: a hundred waiting senders have their messages back, and a permit too.
pub(crate) async fn receiver_gone(cx: Cx) -> Done {
    let (sender, receiver) = mpsc::channel(&cx, 2)?;
    let permit = sender.reserve(&cx).await?;
    sender.send(&cx, 1000).await?;
    let mut waiters = Vec::new();
    for n in 0..100 {
        let sender = sender.clone();
        waiters.push(cx.spawn(async move |cx| Ok(sender.send(&cx, n).await))?);
    }
    until(&cx, || sender.waiting() == 100).await?;
    drop(receiver);
    for (n, waiter) in waiters.into_iter().enumerate() {
        let sent = waiter.join(&cx).await?.into_result()?;
        assert_eq!(sent, Err(SendError::Closed(n)));
    }
    assert_eq!(permit.send(7), Err(Closed(7)));
    assert_eq!(sender.try_send(8), Err(TrySendError::Closed(8)));
    assert_eq!(sender.send(&cx, 9).await, Err(SendError::Closed(9)));
    assert_eq!(sender.reserve(&cx).await.err(), Some(WaitError::Closed));
    assert!(sender.is_closed() && sender.waiting() == 0);
    Ok(())
}

/// A cancel is preferred to a message, which stays queued; one that waits for room keeps nothing.
pub(crate) async fn cancelled_waits(cx: Cx) -> Done {
    let (sender, receiver) = mpsc::channel(&cx, 1)?;
    let receiver = Arc::new(parking_lot::Mutex::new(Some(receiver)));
    let own = receiver.clone();
    let reader = cx.spawn(async move |cx| {
        let mut receiver = own.lock().take().expect("nobody else took it");
        let got = receiver.recv(&cx).await;
        *own.lock() = Some(receiver);
        Ok(got)
    })?;
    until(&cx, || receiver.lock().is_none()).await?;
    reader.abort();
    let _ = sender.try_send(1);
    let got = reader.join(&cx).await?;
    let mut receiver = match receiver.lock().take() {
        Some(receiver) => receiver,
        // It never began: the channel went with it.
        None => return Ok(()),
    };
    if matches!(got, Outcome::Cancelled(_)) {
        assert_eq!(receiver.recv(&cx).await?, 1, "still queued");
    }
    sender.send(&cx, 2).await?;
    let own = sender.clone();
    let writer = cx.spawn(async move |cx| {
        let sent = own.send(&cx, 3).await;
        assert!(matches!(sent, Err(SendError::Interrupted(3))));
        Ok(())
    })?;
    until(&cx, || sender.waiting() == 1).await?;
    writer.abort();
    let _ = writer.join(&cx).await?;
    assert_eq!(sender.waiting(), 0);
    assert_eq!(receiver.recv(&cx).await?, 2);
    assert_eq!((sender.room(), receiver.len()), (1, 0));
    Ok(())
}

/// What was sent was received, or is counted as undelivered, or came back.
pub(crate) async fn undelivered(cx: Cx, take: u64) -> Result<(u64, u64), asr_base::Failure> {
    let (sender, mut receiver) = mpsc::channel(&cx, 3)?;
    let sent = Arc::new(AtomicU64::new(0));
    let mut senders = Vec::new();
    for _ in 0..3 {
        let (sender, sent) = (sender.clone(), sent.clone());
        senders.push(cx.spawn(async move |cx| {
            for n in 0..5_u64 {
                if sender.send(&cx, n).await.is_err() {
                    break;
                }
                sent.fetch_add(1, Relaxed);
            }
            Ok(())
        })?);
    }
    drop(sender);
    let mut received = 0;
    while received < take && receiver.recv(&cx).await.is_ok() {
        received += 1;
    }
    drop(receiver);
    for sender in senders {
        sender.join(&cx).await?.into_result()?;
    }
    Ok((sent.load(Relaxed), received))
}

/// Constructors that make no sense; the unbounded one.
pub(crate) async fn arguments(cx: Cx) -> Done {
    for capacity in [0, CAPACITY_MAX + 1, usize::MAX] {
        let refused = mpsc::channel::<u8, _>(&cx, capacity).expect_err("refused");
        assert_eq!(refused.kind(), Status::BAD_ARGUMENT);
    }
    let (sender, mut receiver) = mpsc::channel(&cx, 3)?;
    for n in 0..3 {
        sender.try_send(n)?;
    }
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(receiver.try_recv(), Ok(0));
    sender.close();
    assert_eq!(sender.try_send(4), Err(TrySendError::Closed(4)));
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    Ok(())
}

/// Unbounded: nobody waits for room, the order is kept, and the ends are seen.
pub(crate) async fn unbounded(cx: Cx) -> Done {
    let (sender, mut receiver) = mpsc::unbounded(&cx)?;
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    for from in 0..4 {
        let sender = sender.clone();
        drop(cx.spawn(async move |cx| {
            for n in 0..100 {
                sender.send((from, n))?;
                if n % 10 == 0 {
                    cx.yield_now().await?;
                }
            }
            Ok(())
        })?);
    }
    let mut next = [0; 4];
    for _ in 0..400 {
        let (from, n) = receiver.recv(&cx).await?;
        assert_eq!(next[from], n);
        next[from] += 1;
    }
    drop(sender.clone());
    let mut waiting = Box::pin(receiver.recv(&cx));
    assert!(once(waiting.as_mut()).await.is_pending());
    drop(sender);
    assert_eq!(waiting.await, Err(RecvError::Closed));
    let (sender, receiver) = mpsc::unbounded(&cx)?;
    sender.send(1)?;
    drop(receiver);
    assert_eq!(sender.send(2), Err(Closed(2)));
    assert!(sender.is_closed());
    Ok(())
}
