//! Each operation of the kernel against the class that the table gives it (CAN-10).
#![allow(unsafe_code, reason = "makes a frame of compiled code")]

mod tokens;

use std::sync::Arc;
use std::time::Duration;

use asr_abi::{Frame, Ret, Thread};
use asr_base::Outcome;
use asr_kernel::compiled::RootFrame;
use asr_kernel::cx::Caps;
use asr_kernel::cx::classes::{Class, OPERATIONS};
use asr_kernel::obligation::{AbortCause, Kind, hold::SyncPermit};
use asr_kernel::region::Belongs;
use asr_kernel::sched::Local;
use asr_kernel::sync::atomic::AtomicU64;
use asr_kernel::task::Phase;
use asr_kernel::thread::adopt;
use asr_kernel::{Config, Cx, Policy, RegionConfig, Spawn};
use tokens::Pool;

type Done = Result<(), asr_base::Failure>;

/// Lives in a region.
struct Lodger;

impl Belongs for Lodger {
    fn home_closed(&self) {}
}

unsafe extern "C" fn ends_at_once(_: *mut Frame, _: *const Thread) -> Ret {
    let status = u64::from(asr_abi::status::OK);
    Ret { value: 0, status }
}

/// A compiled task that has nothing to do.
fn frame() -> RootFrame {
    // SAFETY: it touches nothing.
    unsafe { RootFrame::new(adopt(), ends_at_once, size_of::<Frame>() as u64) }.expect("small")
}

fn all() -> RegionConfig {
    RegionConfig::new().policy(Policy::CollectAll)
}

/// Does one operation, whatever comes of it, with a cancel pending that nobody has observed.
async fn operate(owner: &str, name: &str, cx: &Cx) -> Done {
    let none = || async { Ok::<(), asr_base::Failure>(()) };
    let pool = Pool::new(4);
    match (owner, name) {
        ("Cx", "checkpoint") => drop(cx.checkpoint()),
        ("Cx", "checkpoint_at") => drop(cx.checkpoint_at(&"here")),
        ("Cx", "yield_now") => drop(cx.yield_now().await),
        ("Cx", "sleep") => drop(cx.sleep(Duration::ZERO).await),
        ("Cx", "sleep_until") => drop(cx.sleep_until(cx.now()).await),
        ("Cx", "try_sleep") => drop(cx.try_sleep(Duration::ZERO)?.await),
        ("Cx", "try_sleep_until") => drop(cx.try_sleep_until(cx.now())?.await),
        ("Waiter", "check") => drop(cx.waiter().check()),
        ("Waiter", "park") => {
            // With a waker that is not the task's own, for which it looks again.
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let _ = cx.waiter().park(&mut context);
        }
        ("Waiter", "waits_for" | "waits_on" | "waits_for_holder" | "contended") => {}
        ("Waiter", "arm_futurelocks") => cx.waiter().arm_futurelocks(),
        ("Waiter", "now") => drop(cx.waiter().now()),
        ("Waiter", "task_id") => drop(cx.waiter().task_id()),
        ("Cx", "isolate") => drop(cx.isolate()),
        ("Cx", "spawn_compiled") => drop(cx.spawn_compiled(frame(), Spawn::new())),
        ("Cx", "spawn_compiled_in") => {
            drop(cx.spawn_compiled_in(&cx.spawner(), frame(), Spawn::new()));
        }
        ("Cx", "attached") => drop(cx.attached().get()),
        ("Waiter", "home") => drop(cx.waiter().home()),
        ("Waiter", "region_id") => drop(cx.waiter().region_id()),
        ("Waiter", "coop") => {
            let waiter = cx.waiter();
            std::future::poll_fn(|context| waiter.coop(context)).await;
        }
        ("Sleep", "deadline") => drop(cx.sleep(Duration::ZERO).deadline()),
        ("Sleep", "precise") => drop(cx.sleep(Duration::ZERO).precise()),
        ("Cx", "region") => drop(cx.region(all(), async |_, _| Ok(())).await),
        ("Cx", "bracket") => {
            let acquire = async { Ok(()) };
            let work = async |_: &mut ()| Ok(());
            drop(cx.bracket(acquire, work, |_, ()| async { Ok(()) }).await);
        }
        ("Cx", "blocking") => drop(cx.blocking(|| Ok(())).await),
        ("Cx", "mask") => drop(cx.mask(9, async { cx.checkpoint() }).await),
        ("Cx", "mask_sync") => drop(cx.mask_sync(|| cx.checkpoint())),
        ("Cx", "commit_section") => drop(cx.commit_section(9, async { cx.checkpoint() }).await),
        ("Cx", "task_id") => drop(cx.task_id()),
        ("Cx", "region_id") => drop(cx.region_id()),
        ("Cx", "budget") => drop(cx.budget()),
        ("Cx", "caps") => drop(cx.caps()),
        ("Cx", "is_cancel_requested") => assert!(cx.is_cancel_requested()),
        ("Cx", "cancel_reason") => assert!(cx.cancel_reason().is_some()),
        ("Cx", "charge") => drop(cx.charge(1)),
        ("Cx", "poll_coop") => std::future::poll_fn(|context| cx.poll_coop(context)).await,
        ("Cx", "waiter") => drop(cx.waiter()),
        ("Cx", "absorb_panic") => drop(cx.absorb_panic(Box::new("caught"))),
        ("Cx", "set_name") => cx.set_name("named"),
        ("Cx", "without" | "share") => {
            let less = cx.share::<asr_kernel::cx::caps::Heal>();
            drop(less.without::<asr_kernel::cx::caps::Io>());
        }
        ("Cx", "require") => drop(cx.require::<asr_kernel::cx::caps::Io>("io")),
        ("Cx", "restrict") => {
            let less = cx.share::<asr_kernel::cx::caps::Heal>();
            drop(less.restrict(Caps::ALL));
        }
        ("Cx", "now" | "try_now") => drop(cx.try_now()),
        ("Cx", "random_u64") => drop(cx.random_u64()),
        ("Cx", "fill") => drop(cx.fill(&mut [0; 9])),
        ("Cx", "trace") => drop(cx.trace(1, 2)),
        ("Cx", "spawn") => drop(cx.spawn(async |_| Ok(()))),
        ("Cx", "spawn_with") => drop(cx.spawn_with(Spawn::new(), async |_| Ok(()))),
        ("Cx", "spawner") => drop(cx.spawner()),
        ("Cx", "open_region") => drop(cx.open_region(&all())),
        ("Cx", "defer_sync") => drop(cx.defer_sync(|| Ok(()))),
        ("Cx", "defer_async") => drop(cx.defer_async(move |_| none())),
        ("Cx", "defer_task") => drop(cx.defer_task(|| Ok(()))),
        ("Cx", "defer_task_async") => drop(cx.defer_task_async(move |_| none())),
        ("JoinHandle", _) => {
            let child = cx.spawn(async |_| Ok(()))?;
            match name {
                "join" => drop(child.join(cx).await),
                "id" => drop(child.id()),
                "is_finished" => drop(child.is_finished()),
                "phase" => drop(child.phase()),
                "abort" => child.abort(),
                "abort_by" => child.abort_by(cx),
                "try_join" => drop(child.try_join()),
                "discard" => drop(child.discard(0)),
                _ => panic!("no test of {owner}::{name}"),
            }
        }
        ("RegionHandle", _) => {
            let region = cx.open_region(&all())?;
            match name {
                "close" => drop(region.close(cx).await),
                "outcome" => drop(region.outcome()),
                "cancel" => region.cancel("stop"),
                "cancel_as" => region.cancel_as(asr_base::CancelKind::User, "stop"),
                "cancel_children" => {
                    region.cancel_children(asr_base::CancelKind::User, "stop");
                }
                "cancel_below" => drop(region.cancel_below(region.id(), "stop")),
                "begin_close" => region.begin_close(),
                "open" => drop(region.open(&all())),
                _ => panic!("no test of {owner}::{name}"),
            }
        }
        ("Scope", _) => {
            let inner = cx.mask(
                99,
                cx.region(all(), async |scope, _| {
                    match name {
                        "fiber" => drop(scope.fiber(async |_| Ok(()))),
                        "handle" => drop(scope.handle()),
                        _ => panic!("no test of Scope::{name}"),
                    }
                    Ok(())
                }),
            );
            inner.await?.into_result()?;
        }
        ("Spawner", _) => {
            let spawner = cx.spawner();
            match name {
                "id" => drop(spawner.id()),
                "region" => drop(spawner.region().depth()),
                "state" => drop(spawner.state()),
                "defer_sync" => drop(spawner.defer_sync(|| Ok(()))),
                "defer_async" => drop(spawner.defer_async(move |_| none())),
                "spawn_compiled" => drop(spawner.spawn_compiled(frame(), Spawn::new())),
                "spawn" => drop(spawner.spawn(async |_| Ok(()))),
                "spawn_with" => drop(spawner.spawn_with(Spawn::new(), async |_| Ok(()))),
                _ => panic!("no test of {owner}::{name}"),
            }
        }
        ("Cx", "reserve") => cx.reserve(pool.take(Kind::ACK)?)?.abort(),
        ("Cx", "reserve_with") => cx.reserve_with(|| pool.take(Kind::ACK))?.abort(),
        ("Cx", "reserve_raw" | "abort_raw") => {
            let id = cx.reserve_raw(Kind::REPLY, None)?;
            assert_eq!(cx.abort_raw(id, AbortCause::Verb), Ok(()));
        }
        ("Cx", "reserve_raw_for" | "look_raw") => {
            let id = cx.reserve_raw_for(Kind::REPLY, (1, 2), None)?;
            assert_eq!(cx.look_raw(id), Ok((Kind::REPLY, (1, 2))));
            assert_eq!(cx.abort_raw(id, AbortCause::Verb), Ok(()));
        }
        ("Cx", "commit_raw") => {
            let id = cx.reserve_raw(Kind::REPLY, None)?;
            assert_eq!(cx.commit_raw(id), Ok(()));
        }
        ("Cx", "transfer_raw") => {
            let id = cx.reserve_raw(Kind::REPLY, None)?;
            let _ = cx.transfer_raw(id, cx);
            let _ = cx.abort_raw(id, AbortCause::Verb);
        }
        ("Cx", "holder") => drop(cx.holder()),
        ("Cx", "home") => drop(cx.home()),
        ("Home", "region_id") => drop(cx.home().region_id()),
        ("Home", "is_closed") => assert!(!cx.home().is_closed()),
        ("Home" | "Lodging", "admit" | "home") => {
            let lodger: Arc<dyn Belongs> = Arc::new(Lodger);
            let lodging = cx.home().admit(Arc::downgrade(&lodger))?;
            assert_eq!(lodging.home().region_id(), cx.region_id());
        }
        ("Home", "undelivered") => cx.home().undelivered(&AtomicU64::new(0), 1),
        ("Holder", "hold") => cx.holder().hold::<SyncPermit>()?.commit(),
        ("Hold", _) => {
            let token = cx.holder().hold::<SyncPermit>()?;
            match name {
                "commit" => token.commit(),
                "abort" => token.abort(AbortCause::Verb),
                "release" => token.release(),
                "is_unwound" | "mark" => {
                    let _ = (token.is_unwound(), token.mark());
                    token.commit();
                }
                _ => panic!("no test of {owner}::{name}"),
            }
        }
        ("Obligation", _) => {
            let mut token = cx.reserve(pool.take(Kind::ACK)?)?;
            match name {
                "commit" => drop(token.commit(1)),
                "abort" => token.abort(),
                "expire" => token.expire(),
                "transfer" => drop(
                    token
                        .transfer(cx)
                        .map(asr_kernel::obligation::Obligation::abort),
                ),
                "id" | "kind" | "resource" | "resource_mut" => {
                    let _ = (token.id(), token.kind());
                    let _ = token.resource();
                    let _ = token.resource_mut();
                    token.abort();
                }
                _ => panic!("no test of {owner}::{name}"),
            }
        }
        _ => panic!("no test of {owner}::{name}"),
    }
    Ok(())
}

/// Whether the operation observed the cancel.
fn observes(owner: &'static str, name: &'static str) -> bool {
    let local = Local::new(Config::default());
    let kernel: Arc<_> = local.kernel().clone();
    let outcome = local.run(async move |cx| {
        let region = cx.open_region(&all())?;
        let (sender, seen) = std::sync::mpsc::channel();
        let at = kernel.clone();
        let child = region.spawn(async move |cx| {
            let mut waited = false;
            std::future::poll_fn(|_| match std::mem::replace(&mut waited, true) {
                false => std::task::Poll::Pending,
                true => std::task::Poll::Ready(()),
            })
            .await;
            let phase = |at: &asr_kernel::Kernel| at.task(cx.task_id()).map(|task| task.phase());
            assert_eq!(phase(&at).ok(), Some(Phase::CancelRequested));
            operate(owner, name, &cx).await?;
            let after = phase(&at)?;
            let _ = sender.send(after);
            Ok(())
        })?;
        cx.yield_now().await?;
        child.abort();
        let ended = child.join(&cx).await?;
        let Ok(phase) = seen.try_recv() else {
            panic!("{owner}::{name}: {ended:?}")
        };
        Ok(phase)
    });
    match outcome {
        Outcome::Ok(Phase::Cancelling) => true,
        Outcome::Ok(Phase::CancelRequested) => false,
        other => panic!("{owner}::{name}: {other:?}"),
    }
}

/// `tests/inventory.rs` holds the table to the sources.
#[test]
fn can_10_each_operation_is_of_its_class() {
    for row in OPERATIONS {
        let (owner, name) = row.name.split_once("::").expect("type and name");
        let expected = match row.class {
            // What looks again does so with a waker that is not the task's own, as here.
            Class::Checkpointing | Class::Conditional => true,
            Class::Masked | Class::Commit => false,
        };
        assert_eq!(observes(owner, name), expected, "{}", row.name);
    }
}
