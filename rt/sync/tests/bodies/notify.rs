//! Notify.

use std::pin::pin;
use std::sync::Arc;

use asr_base::Outcome;
use asr_kernel::Cx;
use asr_sync::Notify;
use parking_lot::Mutex as Plain;

use super::{Done, once, until};

/// One permit is stored, a second is not.
pub(crate) async fn stored(cx: Cx) -> Done {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    notify.notified(&cx).await?;
    let mut second = pin!(notify.notified(&cx));
    assert!(once(second.as_mut()).await.is_pending());
    notify.notify_one();
    second.await?;
    Ok(())
}

/// Who waits longest is woken; `notify_all` wakes those who wait, and stores nothing.
pub(crate) async fn order(cx: Cx) -> Done {
    let notify = Arc::new(Notify::new());
    let woken = Arc::new(Plain::new(Vec::new()));
    let mut waiters = Vec::new();
    for n in 0..40 {
        let (own, woken) = (notify.clone(), woken.clone());
        waiters.push(cx.spawn(async move |cx| {
            own.notified(&cx).await?;
            woken.lock().push(n);
            Ok(())
        })?);
        until(&cx, || notify.waiting() == n + 1).await?;
    }
    for n in 0..3 {
        notify.notify_one();
        until(&cx, || woken.lock().len() == n + 1).await?;
    }
    assert_eq!(*woken.lock(), [0, 1, 2]);
    notify.notify_all();
    for waiter in waiters {
        waiter.join(&cx).await?.into_result()?;
    }
    assert_eq!(woken.lock().len(), 40);
    assert!(!notify.try_take());
    Ok(())
}

/// A permit that was given to a wait that is dropped, or whose task is cancelled, passes on.
pub(crate) async fn passes_on(cx: Cx, who: usize) -> Done {
    let notify = Arc::new(Notify::new());
    {
        let mut first = pin!(notify.notified(&cx));
        assert!(once(first.as_mut()).await.is_pending());
        notify.notify_one();
    }
    assert!(notify.try_take(), "stored, as nobody else waits");
    let mut waiters = Vec::new();
    for n in 0..3 {
        let own = notify.clone();
        waiters.push(cx.spawn(async move |cx| Ok(own.notified(&cx).await?))?);
        until(&cx, || notify.waiting() == n + 1).await?;
    }
    for _ in 0..3 {
        notify.notify_one();
    }
    waiters[who].abort();
    let mut cancelled = 0;
    for waiter in waiters {
        cancelled += u32::from(matches!(waiter.join(&cx).await?, Outcome::Cancelled(_)));
    }
    assert!(cancelled <= 1);
    assert_eq!(notify.try_take(), cancelled == 1, "no permit is lost");
    Ok(())
}
