//! Semaphores.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::Poll;

use asr_base::{Outcome, Status};
use asr_kernel::Cx;
use asr_sync::{Semaphore, TryAcquireError, WaitError};

use super::{Done, once, until};

/// Never more than the total is held, and what is held and what is free add up.
pub(crate) async fn bounded(cx: Cx) -> Done {
    let semaphore = Arc::new(Semaphore::new(3)?);
    let held = Arc::new(AtomicU32::new(0));
    let mut tasks = Vec::new();
    for n in 0..6_u32 {
        let (semaphore, held) = (semaphore.clone(), held.clone());
        tasks.push(cx.spawn(async move |cx| {
            for turn in 0..20 {
                let count = 1 + (n + turn) % 3;
                let permit = semaphore.acquire_many(&cx, count).await?;
                let before = held.fetch_add(count, Relaxed);
                assert!(before + count <= 3, "{before} and {count} are held");
                if turn % 2 == 0 {
                    cx.yield_now().await?;
                }
                held.fetch_sub(count, Relaxed);
                assert_eq!(permit.count(), count);
                permit.release();
            }
            Ok(())
        })?);
    }
    for task in tasks {
        task.join(&cx).await?.into_result()?;
    }
    assert_eq!((semaphore.available(), semaphore.waiting()), (3, 0));
    Ok(())
}

/// A request for all of five while three are held: small ones go ahead 64 times at most.
pub(crate) async fn large_request(cx: Cx) -> Done {
    let semaphore = Arc::new(Semaphore::new(5)?);
    let held = semaphore.acquire_many(&cx, 3).await?;
    let large = {
        let semaphore = semaphore.clone();
        cx.spawn(async move |cx| {
            drop(semaphore.acquire_many(&cx, 5).await?);
            Ok(())
        })?
    };
    until(&cx, || semaphore.waiting() == 1).await?;
    let mut ahead = 0;
    while let Ok(small) = semaphore.try_acquire(&cx) {
        small.release();
        ahead += 1;
        assert!(ahead <= 64);
    }
    assert_eq!(ahead, 64, "two are free all the time");
    // A small one that waits does not overtake the large one, nor does one that comes.
    let mut small = pin!(semaphore.acquire(&cx));
    assert!(once(small.as_mut()).await.is_pending());
    assert_eq!(semaphore.available(), 2);
    held.release();
    let granted = small.await?;
    assert!(large.is_finished(), "the large one was first");
    large.join(&cx).await?.into_result()?;
    granted.release();
    assert_eq!(semaphore.available(), 5);
    Ok(())
}

/// The first of the queue wants more than is free and goes: the next, who wants less, is served.
pub(crate) async fn first_goes(cx: Cx) -> Done {
    let semaphore = Semaphore::new(4)?;
    let held = semaphore.acquire_many(&cx, 3).await?;
    let small = {
        let mut large = pin!(semaphore.acquire_many(&cx, 4));
        assert!(once(large.as_mut()).await.is_pending());
        // Uses up what newcomers may.
        while let Ok(permit) = semaphore.try_acquire(&cx) {
            permit.release();
        }
        let mut small = Box::pin(semaphore.acquire(&cx));
        assert!(once(small.as_mut()).await.is_pending());
        small
    };
    let permit = small.await?;
    assert_eq!((semaphore.available(), semaphore.waiting()), (0, 0));
    permit.release();
    held.release();
    assert_eq!(semaphore.available(), 4);
    Ok(())
}

/// A close is told to a hundred waiters; who holds keeps.
pub(crate) async fn close(cx: Cx) -> Done {
    let semaphore = Arc::new(Semaphore::new(1)?);
    let held = semaphore.acquire(&cx).await?;
    let mut waiters = Vec::new();
    for _ in 0..100 {
        let semaphore = semaphore.clone();
        waiters.push(cx.spawn(async move |cx| {
            Ok(matches!(
                semaphore.acquire(&cx).await,
                Err(WaitError::Closed)
            ))
        })?);
    }
    until(&cx, || semaphore.waiting() == 100).await?;
    assert!(semaphore.close() && !semaphore.close());
    for waiter in waiters {
        assert!(matches!(waiter.join(&cx).await?, Outcome::Ok(true)));
    }
    assert_eq!(semaphore.acquire(&cx).await.err(), Some(WaitError::Closed));
    assert_eq!(
        semaphore.try_acquire(&cx).err(),
        Some(TryAcquireError::Closed)
    );
    held.release();
    assert_eq!((semaphore.available(), semaphore.waiting()), (1, 0));
    Ok(())
}

/// Constructors and requests that make no sense; tries.
pub(crate) async fn arguments(cx: Cx) -> Done {
    for count in [0, asr_sync::wait::UNITS_MAX + 1] {
        let refused = Semaphore::new(count).expect_err("refused");
        assert_eq!(refused.kind(), Status::BAD_ARGUMENT);
    }
    let semaphore = Semaphore::new(2)?;
    for count in [0, 3] {
        let refused = semaphore.acquire_many(&cx, count).await.err();
        assert_eq!(refused, Some(WaitError::BadArgument));
        let refused = semaphore.try_acquire_many(&cx, count).err();
        assert_eq!(refused, Some(TryAcquireError::BadArgument));
    }
    let both = semaphore.try_acquire_many(&cx, 2).expect("free");
    assert_eq!(
        semaphore.try_acquire(&cx).err(),
        Some(TryAcquireError::Empty)
    );
    drop(both);
    let mut acquire = pin!(semaphore.acquire(&cx));
    assert!(matches!(once(acquire.as_mut()).await, Poll::Ready(Ok(_))));
    assert_eq!(semaphore.available(), 2);
    Ok(())
}
