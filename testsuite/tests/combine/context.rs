//! Branches that wait with a context that is not theirs.

use std::sync::Arc;
use std::time::Duration;

use asr_base::{Error, Failure, Outcome};
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_sync::combine::{join, race, timeout};
use asr_sync::{Mutex, mpsc, oneshot};
use futures_like::woken_elsewhere;

use crate::branches::{second, secs};
use crate::common::{ok, run};

/// A wait of a foreign combinator: what it polls is woken by a waker of its own.
mod futures_like {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};

    struct Through(Waker);

    impl Wake for Through {
        fn wake(self: Arc<Through>) {
            self.0.wake_by_ref();
        }
    }

    pub(super) async fn woken_elsewhere<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(move |context| {
            let waker = Waker::from(Arc::new(Through(context.waker().clone())));
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => Poll::Ready(value),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Outcome<T, Error>, of: &Cx) {
    let Outcome::Panicked(payload) = outcome else {
        panic!("{outcome:?}")
    };
    let said = payload.message();
    assert!(said.starts_with("BAD_ARGUMENT: `cx`"), "{said}");
    assert!(said.contains(&of.task_id().to_string()), "{said}");
}

/// How a branch may wait with the context of its caller.
async fn waits(way: u32, caller: &Cx) -> Result<(), Failure> {
    let none = oneshot::<(), _>(caller);
    match way {
        0 => caller.sleep(second(3600)).await?,
        1 => {
            let (_sender, mut receiver) = none;
            receiver.recv(caller).await?;
        }
        2 => {
            let lock = Mutex::new(());
            let _guard = lock.lock(caller).await?;
            drop(lock.lock(caller).await?);
        }
        3 => {
            let (sender, _receiver) = mpsc::channel(caller, 1)?;
            sender.send(caller, ()).await?;
            sender.send(caller, ()).await?;
        }
        4 => loop {
            caller.yield_now().await?;
        },
        5 => {
            let region = caller.open_region(&RegionConfig::new())?;
            let task = region.spawn(async |cx| {
                cx.sleep(second(3600)).await?;
                Ok(())
            })?;
            drop(task.join(caller).await?);
        }
        6 => {
            let body = async |_, cx: Cx| Ok(cx.sleep(second(3600)).await?);
            caller
                .region(RegionConfig::new(), body)
                .await
                .into_result()?;
        }
        7 => woken_elsewhere(caller.sleep(second(3600))).await?,
        8 => loop {
            // Never waits, and has no operations left that it could do at once.
            caller.sleep(Duration::ZERO).await?;
        },
        _ => return Ok(()),
    }
    Ok(())
}

/// Before there was a refusal, the race went on until the cleanup budget of its loser was over.
#[test]
fn cmb_8_a_branch_that_waits_with_the_context_of_its_caller_is_refused() {
    for way in 0..9 {
        ok(run(async move |cx| {
            let caller = &cx;
            let quick = async |cx: Cx| Ok(cx.sleep(second(1)).await?);
            let outcome = race(&cx, quick, async |_| waits(way, caller).await).await;
            refused(outcome, &cx);
            assert!(cx.now() < secs(2), "way {way}: {}", cx.now());
            let outcome = join(
                &cx,
                Policy::FailFast,
                async |_| waits(way, caller).await,
                quick,
            );
            refused(outcome.await, &cx);
            let outcome = timeout(&cx, second(1), async |_| waits(way, caller).await).await;
            refused(outcome, &cx);
            assert!(cx.now() < secs(5), "way {way}: {}", cx.now());
            Ok(())
        }));
    }
}

/// A task, a fiber and a body, with a context of the task around.
#[test]
fn can_3_a_child_that_waits_with_the_context_of_its_parent_is_refused() {
    for way in 0..9 {
        ok(run(async move |cx| {
            let cx = Arc::new(cx);
            let parent = cx.clone();
            let config = RegionConfig::new().policy(Policy::CollectAll);
            let region = cx.open_region(&config)?;
            let task = region.spawn(async move |_| waits(way, &parent).await)?;
            let outer: &Cx = &cx;
            refused(task.join(outer).await?, outer);
            drop(region.close(outer).await);
            let body = async |_, _| waits(way, outer).await;
            refused(cx.region(config, body).await, outer);
            Ok(())
        }));
    }
}

/// Wakers of others change nothing for the task's own context.
#[test]
fn can_3_a_wait_in_a_foreign_combinator_is_not_refused() {
    ok(run(async |cx| {
        woken_elsewhere(cx.sleep(second(1))).await?;
        let slept = async |cx: Cx| Ok(woken_elsewhere(cx.sleep(second(1))).await?);
        assert_eq!(race(&cx, slept, slept).await, Outcome::Ok(()));
        assert_eq!(cx.now(), secs(2));
        Ok(())
    }));
}
