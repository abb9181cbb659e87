//! Mutexes.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use asr_base::Outcome;
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_sync::{LockError, Mutex, TryLockError};
use parking_lot::Mutex as Plain;

use super::{Done, once, until};

/// Tasks that add to a number in two steps, with others in between.
pub(crate) async fn exclusion(cx: Cx) -> Done {
    let mutex = Arc::new(Mutex::new(0_u64));
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let mutex = mutex.clone();
        tasks.push(cx.spawn(async move |cx| {
            for turn in 0..20 {
                let mut guard = mutex.lock(&cx).await?;
                let seen = *guard;
                if turn % 3 == 0 {
                    cx.yield_now().await?;
                }
                *guard = seen + 1;
            }
            Ok(())
        })?);
    }
    for task in tasks {
        task.join(&cx).await?.into_result()?;
    }
    assert_eq!(*mutex.lock(&cx).await?, 160);
    assert!(!mutex.is_locked() && mutex.waiting() == 0);
    Ok(())
}

/// Waiter `who` of five is cancelled; the others get the lock in the order in which they came.
pub(crate) async fn cancelled_waiter(cx: Cx, who: usize) -> Done {
    let mutex = Arc::new(Mutex::new(()));
    let got = Arc::new(Plain::new(Vec::new()));
    let held = mutex.lock(&cx).await?;
    let mut waiters = Vec::new();
    for n in 0..5 {
        let (own, got) = (mutex.clone(), got.clone());
        waiters.push(cx.spawn(async move |cx| {
            let _guard = own.lock(&cx).await?;
            got.lock().push(n);
            Ok(())
        })?);
        until(&cx, || mutex.waiting() == n + 1).await?;
    }
    waiters[who].abort();
    until(&cx, || mutex.waiting() == 4).await?;
    drop(held);
    for (n, waiter) in waiters.into_iter().enumerate() {
        let outcome = waiter.join(&cx).await?;
        assert_eq!(
            matches!(outcome, Outcome::Cancelled(_)),
            n == who,
            "{outcome:?}"
        );
    }
    let rest: Vec<_> = (0..5).filter(|n| *n != who).collect();
    assert_eq!(*got.lock(), rest);
    assert!(!mutex.is_locked() && mutex.waiting() == 0);
    Ok(())
}

/// A waiter that was called is cancelled before it ran, or as it runs: the lock goes on.
pub(crate) async fn cancelled_when_called(cx: Cx, who: usize) -> Done {
    let mutex = Arc::new(Mutex::new(()));
    let got = Arc::new(AtomicU64::new(0));
    let held = mutex.lock(&cx).await?;
    let mut waiters = Vec::new();
    for n in 0..3 {
        let (own, got) = (mutex.clone(), got.clone());
        waiters.push(cx.spawn(async move |cx| {
            let _guard = own.lock(&cx).await?;
            got.fetch_add(1, Relaxed);
            Ok(())
        })?);
        until(&cx, || mutex.waiting() == n + 1).await?;
    }
    drop(held);
    waiters[who].abort();
    for waiter in waiters {
        let _ = waiter.join(&cx).await?;
    }
    assert!(got.load(Relaxed) >= 2);
    assert!(!mutex.is_locked() && mutex.waiting() == 0);
    Ok(())
}

/// A newcomer takes the lock again and again while somebody waits: 64 times at most.
pub(crate) async fn newcomers(cx: Cx) -> Done {
    let mutex = Arc::new(Mutex::new(0));
    let mut held = mutex.lock(&cx).await?;
    let waiter = {
        let mutex = mutex.clone();
        cx.spawn(async move |cx| Ok(*mutex.lock(&cx).await?))?
    };
    until(&cx, || mutex.waiting() == 1).await?;
    let mut overtook = 0;
    loop {
        drop(held);
        match mutex.try_lock(&cx) {
            Ok(guard) if waiter.is_finished() || mutex.waiting() == 0 => {
                drop(guard);
                break;
            }
            Ok(guard) => {
                held = guard;
                *held += 1;
                overtook += 1;
            }
            Err(TryLockError::Held) => break,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(overtook <= 64, "{overtook} went ahead");
    let seen = waiter.join(&cx).await?.into_result()?;
    assert!(seen <= 64, "{seen}");
    Ok(())
}

/// The lock waits for nobody: tries.
pub(crate) async fn tries(cx: Cx) -> Done {
    let mutex = Mutex::new(1);
    let guard = mutex.try_lock(&cx).expect("free");
    assert!(matches!(mutex.try_lock(&cx), Err(TryLockError::Held)));
    guard.unlock();
    assert_eq!(*mutex.try_lock(&cx).expect("free again"), 1);
    Ok(())
}

/// A holder that panics leaves the lock poisoned; who clears it ends that.
pub(crate) async fn poison(cx: Cx) -> Done {
    let mutex = Arc::new(Mutex::new(0));
    let region = cx.open_region(&RegionConfig::new().policy(Policy::CollectAll))?;
    let own = mutex.clone();
    let holder = region.spawn(async move |cx| {
        let mut guard = own.lock(&cx).await?;
        *guard = 1;
        if *guard == 1 {
            panic!("half done");
        }
        Ok(())
    })?;
    assert!(matches!(holder.join(&cx).await?, Outcome::Panicked(_)));
    assert!(matches!(region.close(&cx).await, Outcome::Panicked(_)));
    assert!(mutex.is_poisoned());
    let mut guard = match mutex.lock(&cx).await {
        Err(LockError::Poisoned(guard)) => guard,
        other => panic!("{other:?}"),
    };
    assert_eq!(*guard, 1);
    guard.clear_poison();
    drop(guard);
    assert!(mutex.lock(&cx).await.is_ok() && !mutex.is_poisoned());
    Ok(())
}

/// A holder that is cancelled leaves the lock as it was, unless the section was critical.
pub(crate) async fn cancelled_holder(cx: Cx, critical: bool) -> Done {
    let mutex = Arc::new(Mutex::new(()));
    let holder = {
        let mutex = mutex.clone();
        cx.spawn(async move |cx| {
            let mut guard = mutex.lock(&cx).await?;
            guard.set_critical(critical);
            cx.sleep(Duration::from_secs(1 << 30)).await?;
            Ok(())
        })?
    };
    until(&cx, || mutex.is_locked()).await?;
    // It may not be asleep yet, but it cannot get past it.
    holder.abort();
    let _ = holder.join(&cx).await?;
    assert!(!mutex.is_locked());
    let guard = mutex.lock(&cx).await;
    assert_eq!(matches!(guard, Err(LockError::Poisoned(_))), critical);
    Ok(())
}

/// Two contenders: who waits is counted, and how long.
pub(crate) async fn stats(cx: Cx) -> Done {
    let mutex = Arc::new(Mutex::new(()));
    let held = mutex.lock(&cx).await?;
    let waiter = {
        let mutex = mutex.clone();
        cx.spawn(async move |cx| {
            drop(mutex.lock(&cx).await?);
            Ok(())
        })?
    };
    until(&cx, || mutex.waiting() == 1).await?;
    assert_eq!(mutex.stats().contended, 1);
    assert_eq!(mutex.stats().waited, Duration::ZERO);
    cx.sleep(Duration::from_millis(2)).await?;
    drop(held);
    waiter.join(&cx).await?.into_result()?;
    let stats = mutex.stats();
    assert!(stats.waited >= Duration::from_millis(2) && stats.waited == stats.longest);
    Ok(())
}

/// A wait that is dropped on a normal path leaves nothing.
pub(crate) async fn dropped_wait(cx: Cx) -> Done {
    let mutex = Mutex::new(());
    let held = mutex.lock(&cx).await?;
    {
        let mut first = pin!(mutex.lock(&cx));
        assert!(once(first.as_mut()).await.is_pending());
        let mut second = pin!(mutex.lock(&cx));
        assert!(once(second.as_mut()).await.is_pending());
        assert_eq!(mutex.waiting(), 2);
    }
    assert_eq!(mutex.waiting(), 0);
    drop(held);
    drop(mutex.lock(&cx).await?);
    Ok(())
}
