//! Receiving with an acknowledgement.

use std::pin::pin;
use std::sync::Arc;

use asr_kernel::Cx;
use asr_sync::mpsc::{self, MAX_DELIVERIES};
use asr_sync::{RecvError, TryRecvError, TrySendError};
use parking_lot::Mutex as Plain;

use super::{Done, once};

/// The first of three is given back: it comes again, then the others. Its room is taken meanwhile.
pub(crate) async fn head(cx: Cx) -> Done {
    let (sender, mut receiver) = mpsc::channel(&cx, 3)?;
    for n in 1..=3 {
        sender.try_send(n)?;
    }
    let first = receiver.recv_ack(&cx).await?;
    assert_eq!((*first, first.deliveries()), (1, 1));
    assert_eq!(sender.try_send(4), Err(TrySendError::Full(4)));
    first.nack();
    assert_eq!(receiver.len(), 3);
    assert_eq!(sender.try_send(4), Err(TrySendError::Full(4)));
    let again = receiver.recv_ack(&cx).await?;
    assert_eq!((*again, again.deliveries()), (1, 2));
    assert_eq!(again.ack(), 1);
    sender.try_send(4)?;
    for n in 2..=4 {
        let next = receiver.recv_ack(&cx).await?;
        assert_eq!((next.deliveries(), next.ack()), (1, n));
    }
    assert_eq!(sender.room(), 3);
    // What was given back is received by the plain operations too.
    sender.try_send(5)?;
    receiver.recv_ack(&cx).await?.nack();
    assert_eq!(receiver.try_recv(), Ok(5));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(sender.room(), 3);
    Ok(())
}

/// A consumer that is cancelled with an item in hand: the item is there for the next.
pub(crate) async fn cancelled(cx: Cx) -> Done {
    let (sender, receiver) = mpsc::channel(&cx, 2)?;
    let receiver = Arc::new(asr_sync::Mutex::new(receiver));
    sender.try_send(1)?;
    sender.try_send(2)?;
    let own = receiver.clone();
    let consumer = cx.spawn(async move |cx| {
        let mut receiver = own.lock(&cx).await?;
        let item = receiver.recv_ack(&cx).await?;
        cx.sleep(std::time::Duration::from_secs(1 << 30)).await?;
        item.ack();
        Ok(())
    })?;
    super::until(&cx, || receiver.is_locked()).await?;
    consumer.abort();
    let _ = consumer.join(&cx).await?;
    let mut receiver = receiver.lock(&cx).await?;
    assert_eq!(receiver.recv_ack(&cx).await?.ack(), 1);
    assert_eq!(receiver.recv_ack(&cx).await?.ack(), 2);
    Ok(())
}

/// A consumer that gives everything back, with dead letters and without.
pub(crate) async fn dead_letters(cx: Cx) -> Done {
    let (sender, mut receiver) = mpsc::channel(&cx, 2)?;
    sender.try_send("a")?;
    sender.try_send("b")?;
    for n in 1..=3 * MAX_DELIVERIES {
        let item = receiver.recv_ack(&cx).await?;
        assert_eq!((*item, item.deliveries()), ("a", n), "never discarded");
        item.nack();
    }
    let dead = Arc::new(Plain::new(Vec::new()));
    let own = dead.clone();
    receiver.set_dead_letters(move |item| own.lock().push(item));
    receiver.set_max_deliveries(4);
    receiver.recv_ack(&cx).await?.nack();
    assert_eq!(*dead.lock(), ["a"]);
    for n in 1..=4 {
        let item = receiver.recv_ack(&cx).await?;
        assert_eq!((*item, item.deliveries()), ("b", n));
        item.nack();
    }
    assert_eq!(*dead.lock(), ["a", "b"]);
    assert_eq!((sender.room(), receiver.len()), (2, 0));
    let mut waiting = pin!(receiver.recv_ack(&cx));
    assert!(once(waiting.as_mut()).await.is_pending());
    drop(sender);
    assert!(matches!(waiting.await, Err(RecvError::Closed)));
    Ok(())
}
