//! Channels for one message.

use std::pin::pin;

use asr_base::Outcome;
use asr_kernel::Cx;
use asr_sync::{Closed, RecvError, TryRecvError, oneshot};

use super::{Done, once};

/// Sent before or after the receiver waits; dropped before or after.
pub(crate) async fn four_orders(cx: Cx) -> Done {
    let (sender, mut receiver) = oneshot(&cx);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.send(1)?;
    assert_eq!(receiver.recv(&cx).await?, 1);
    assert_eq!(receiver.recv(&cx).await, Err(RecvError::Closed));

    let (sender, mut receiver) = oneshot(&cx);
    {
        let mut waiting = pin!(receiver.recv(&cx));
        assert!(once(waiting.as_mut()).await.is_pending());
        sender.send(2)?;
        assert_eq!(waiting.await?, 2);
    }

    let (sender, mut receiver) = oneshot::<u32, _>(&cx);
    {
        let mut waiting = pin!(receiver.recv(&cx));
        assert!(once(waiting.as_mut()).await.is_pending());
        drop(sender);
        assert_eq!(waiting.await, Err(RecvError::Closed));
    }

    let (sender, receiver) = oneshot(&cx);
    assert!(!sender.is_closed());
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send(3), Err(Closed(3)));
    Ok(())
}

/// Sender and receiver in tasks of their own, which end as they like.
pub(crate) async fn between_tasks(cx: Cx) -> Done {
    for round in 0..4 {
        let (sender, mut receiver) = oneshot(&cx);
        let writer = cx.spawn(async move |cx| {
            if round % 2 == 1 {
                cx.yield_now().await?;
            }
            match round < 2 {
                true => Ok(sender.send(round).is_ok()),
                false => Ok(false),
            }
        })?;
        let reader = cx.spawn(async move |cx| Ok(receiver.recv(&cx).await))?;
        let sent = writer.join(&cx).await?.into_result()?;
        let got = reader.join(&cx).await?.into_result()?;
        assert_eq!(sent, round < 2);
        assert_eq!(
            got,
            if sent {
                Ok(round)
            } else {
                Err(RecvError::Closed)
            }
        );
    }
    Ok(())
}

/// A cancelled receiver: the message is back with its sender, or was received before.
pub(crate) async fn cancelled(cx: Cx) -> Done {
    let (sender, mut receiver) = oneshot(&cx);
    let reader = cx.spawn(async move |cx| Ok(receiver.recv(&cx).await?))?;
    cx.yield_now().await?;
    reader.abort();
    let read = reader.join(&cx).await?;
    assert!(matches!(read, Outcome::Cancelled(_)));
    assert_eq!(sender.send(5), Err(Closed(5)));
    Ok(())
}
