//! The monitor of futurelocks of production (OBL-19), in virtual time.

use std::sync::Arc;
use std::time::Duration;

use asr_base::{Failure, TaskId};
use asr_kernel::Cx;
use asr_kernel::futurelock::{Futurelock, FuturelockConfig};
use asr_kernel::obligation::Kind;
use asr_kernel::region::Spawn;
use asr_lab::{Lab, LabConfig, Run};
use asr_sync::{Mutex, Semaphore, mpsc};
use asr_trace::{Resource, Sub};
use parking_lot::Mutex as Plain;

type Told = Arc<Plain<Vec<Futurelock>>>;

const SECOND: Duration = Duration::from_secs(1);

fn run<F, Fut, T>(main: F) -> (Run<T>, Vec<Futurelock>)
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + 'static,
{
    let told = Told::default();
    let tell = told.clone();
    let mut config = LabConfig::default();
    let monitor = FuturelockConfig::new(move |found| tell.lock().push(found.clone()));
    assert_eq!(monitor.idle, 10 * SECOND);
    config.kernel.futurelock = Some(monitor);
    let run = Lab::new(config).run(main).expect("it ends");
    assert!(run.outcome.is_ok());
    let told = told.lock().clone();
    (run, told)
}

/// What a task holds for so many seconds, polled each so many, while another waits if it may.
#[derive(Clone, Copy)]
struct Plan {
    kind: Kind,
    holds: u32,
    each: u32,
    waits: bool,
}

async fn hold(cx: &Cx, plan: Plan) -> Result<(), Failure> {
    for _ in 0..plan.holds / plan.each {
        cx.sleep(plan.each * SECOND).await?;
    }
    Ok(())
}

/// The ids of holder and waiter.
async fn contend(cx: Cx, plan: Plan) -> Result<(TaskId, TaskId), Failure> {
    let lock = Arc::new(Mutex::new(()));
    let permits = Arc::new(Semaphore::new(1)?);
    let (sender, receiver) = mpsc::channel::<u32, _>(&cx, 1)?;
    let theirs = (lock.clone(), permits.clone(), sender.clone());
    let holder = cx.spawn_with(Spawn::new().name("idle"), async move |cx| {
        let (lock, permits, sender) = theirs;
        match plan.kind {
            Kind::SEND_PERMIT => {
                let permit = sender.reserve(&cx).await?;
                hold(&cx, plan).await?;
                permit.abort();
            }
            _ if plan.holds.is_multiple_of(2) => {
                let _guard = lock.lock(&cx).await?;
                hold(&cx, plan).await?;
            }
            _ => {
                let _permit = permits.acquire(&cx).await?;
                hold(&cx, plan).await?;
            }
        }
        // It has given it back: it may idle now.
        hold(&cx, plan).await
    })?;
    cx.sleep(SECOND).await?;
    let waiter = cx.spawn(async move |cx| {
        if !plan.waits {
            return Ok(());
        }
        match plan.kind {
            Kind::SEND_PERMIT => sender.reserve(&cx).await?.abort(),
            _ if plan.holds.is_multiple_of(2) => drop(lock.lock(&cx).await?),
            _ => drop(permits.acquire(&cx).await?),
        }
        Ok(())
    })?;
    let ids = (holder.id(), waiter.id());
    waiter.join(&cx).await?.into_result()?;
    holder.join(&cx).await?.into_result()?;
    drop(receiver);
    Ok(ids)
}

#[test]
fn obl_19_a_holder_that_is_idle_while_another_waits_is_told_of() {
    for (kind, holds) in [
        (Kind::SYNC_PERMIT, 100),
        (Kind::SYNC_PERMIT, 101),
        (Kind::SEND_PERMIT, 100),
    ] {
        let plan = Plan {
            kind,
            holds,
            each: holds,
            waits: true,
        };
        let (run, told) = run(async move |cx| contend(cx, plan).await);
        let [found] = &told[..] else {
            panic!("once: {told:#?}")
        };
        let (holder, waiter) = run.outcome.into_result().expect("ok");
        assert_eq!((found.holder, found.waiter), (holder, waiter));
        assert_eq!((found.kind, found.name.as_deref()), (kind, Some("idle")));
        let channel = matches!(found.resource, Resource::Channel(..));
        assert_eq!(channel, kind == Kind::SEND_PERMIT, "{:?}", found.resource);
        // Looked at four times in 10 s.
        assert!(found.idle > 10 * SECOND && found.idle <= 13 * SECOND);
        let text = found.to_string();
        assert!(text.contains("`idle` holds a "), "{text}");
        let events = run.trace.events.iter();
        let events = events.filter(|event| event.sub == Sub::FuturelockDetected);
        assert_eq!(events.filter(|event| event.task == Some(holder)).count(), 1);
    }
}

#[test]
fn obl_19_who_is_polled_or_has_given_back_or_is_not_waited_for_is_not() {
    let calm = |holds, each, waits| Plan {
        kind: Kind::SYNC_PERMIT,
        holds,
        each,
        waits,
    };
    // It holds for long and is polled; for a short while, and idles after; nobody waits.
    for plan in [calm(100, 5, true), calm(8, 8, true), calm(100, 100, false)] {
        let (_, told) = run(async move |cx| {
            contend(cx, plan).await?;
            Ok(())
        });
        assert!(told.is_empty(), "{told:#?}");
    }
}
