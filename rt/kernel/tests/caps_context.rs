//! Contexts over time and in other hands: after their region, inside a framework's own, under a
//! driver that leaves something out.

mod traced;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use asr_base::{Budget, Duration, Error, Interrupted, Outcome, Status, TaskId, Time};
use asr_kernel::cx::caps::{Entropy, Heal, Io};
use asr_kernel::cx::{Caps, May};
use asr_kernel::sched::{Lanes, Limits};
use asr_kernel::{Config, Cx, Driver, Kernel, RegionConfig, Runnable};
use parking_lot::Mutex;
use traced::{denied, events, traced};

/// Part: a scope cannot be used beyond its environment: `tests/ui`; the status through the C ABI
/// waits for it. A context is an owned value and can be moved out; what it then meets is this.
#[test]
fn cap_9_part_a_context_is_dead_after_its_region() {
    let (stale, _) = traced(async |cx| {
        let moved: Arc<Mutex<Vec<Cx>>> = Arc::default();
        let out = moved.clone();
        let effects = Arc::new(AtomicU32::new(0));
        let inner = cx
            .region(RegionConfig::new(), async |scope, inside| {
                let task = scope.spawn(async move |cx| {
                    out.lock().push(cx);
                    Ok(())
                })?;
                task.join(&inside).await?.into_result()?;
                Ok((scope.handle(), inside))
            })
            .await;
        let (handle, body) = inner.into_result()?;
        let task = moved.lock().pop().expect("moved out");
        for dead in [&task, &body] {
            let closed = |error: Error| assert_eq!(error.kind(), Status::REGION_CLOSED);
            closed(dead.random_u64().expect_err("closed"));
            closed(dead.fill(&mut [0]).expect_err("closed"));
            closed(dead.trace(0, 0).expect_err("closed"));
            closed(dead.try_now().expect_err("closed"));
            closed(dead.try_sleep(Duration::ZERO).expect_err("closed"));
            closed(dead.open_region(&RegionConfig::new()).expect_err("closed"));
            closed(dead.require::<Io>("read").expect_err("closed"));
            closed(dead.defer_task(|| Ok(())).expect_err("closed"));
            let count = effects.clone();
            let refused = dead.spawn(async move |_| {
                count.fetch_add(1, Relaxed);
                Ok(())
            });
            assert_eq!(refused.expect_err("closed").status(), Status::REGION_CLOSED);
            let inner: Outcome<(), _> = dead
                .region(RegionConfig::new(), async |_, _| {
                    effects.fetch_add(1, Relaxed);
                    Ok(())
                })
                .await;
            assert!(matches!(inner, Outcome::Err(e) if e.kind() == Status::REGION_CLOSED));
            // The type of a sleep has no room for a status: it never waits.
            assert_eq!(dead.sleep(Duration::MAX).await, Err(Interrupted));
            let refused = dead.defer_sync(|| Ok(())).expect_err("closed");
            assert_eq!(refused.status(), Status::REGION_CLOSED);
        }
        let refused = handle.spawn(async |_| Ok(())).expect_err("closed");
        assert_eq!(refused.status(), Status::REGION_CLOSED);
        let refused = handle.open(&RegionConfig::new()).expect_err("closed");
        assert_eq!(refused.kind(), Status::REGION_CLOSED);
        Ok(effects.load(Relaxed))
    });
    assert_eq!(stale, 0);
}

/// A framework's request context.
struct Request<C> {
    cx: Cx<C>,
    user: &'static str,
}

impl<C: asr_kernel::cx::Set> Request<C> {
    fn checkpoint(&self) -> Result<(), Interrupted> {
        self.cx.checkpoint()
    }

    fn budget(&self) -> Budget {
        self.cx.budget()
    }

    fn is_cancel_requested(&self) -> bool {
        self.cx.is_cancel_requested()
    }

    /// A framework's own effect, out of those of the context.
    fn ticket(&self) -> Result<(&'static str, u64), Error>
    where
        C: May<Entropy>,
    {
        Ok((self.user, self.cx.random_u64()?))
    }
}

#[test]
fn cap_10_a_wrapper_forwards_and_adds_nothing() {
    let (_, log) = traced(async |cx| {
        let budget = Budget::UNLIMITED.with_polls(1000).with_priority(3);
        let options = asr_kernel::Spawn::new().budget(budget);
        let child = cx.spawn_with(options, async |cx| {
            let cx = cx.restrict(Caps::ALL.without::<Entropy>());
            let request = Request { cx, user: "ada" };
            assert_eq!(request.budget(), request.cx.budget());
            assert_eq!(request.budget().polls, 1000);
            assert_eq!(request.checkpoint(), Ok(()));
            assert!(!request.is_cancel_requested());
            denied(request.ticket());
            // Until the cancel is there.
            while !request.is_cancel_requested() {
                request.cx.mask(2, request.cx.yield_now()).await??;
            }
            assert_eq!(request.checkpoint(), Err(Interrupted));
            let whole = Request {
                cx: request.cx.restrict(Caps::ALL),
                user: "ada",
            };
            denied(whole.ticket());
            Ok(())
        })?;
        cx.yield_now().await?;
        child.abort();
        // It observed its cancel, so what it returned does not count.
        let outcome = child.join(&cx).await?;
        assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
        let request = Request { cx, user: "eve" };
        assert_eq!(request.ticket()?.0, "eve");
        Ok(())
    });
    assert_eq!(events(&log).len(), 2);
}

/// A driver without randomness.
struct Deaf(Arc<Mutex<Lanes>>);

impl Driver for Deaf {
    fn now(&self) -> Time {
        Time::ZERO
    }
    fn enqueue(&self, task: Runnable) {
        self.0.lock().push(task);
    }
    fn promote(&self, task: TaskId) {
        self.0.lock().promote(task);
    }
    fn interprets(&self) -> Caps {
        Caps::ALL.without::<Entropy>()
    }
    fn entropy(&self, _: TaskId, _: u64) -> u64 {
        panic!("it said that it has none")
    }
    fn timer_armed(&self, _: Time) {}
    fn root_closed(&self) {}
}

/// Part: I/O and remote calls have no operation yet; they ask the same question.
#[test]
fn cap_11_part_an_effect_without_interpretation_is_unsupported() {
    let lanes = Arc::new(Mutex::new(Lanes::new(Limits::default())));
    let kernel = Kernel::new(Box::new(Deaf(lanes.clone())), Config::default());
    let root = kernel.root();
    let main = root.spawn(async |cx: Cx| {
        let mut bytes = [7; 3];
        let error = cx.random_u64().expect_err("nobody interprets it");
        assert_eq!(error.kind(), Status::UNSUPPORTED);
        let error = cx.fill(&mut bytes).expect_err("nobody interprets it");
        assert_eq!((error.kind(), bytes), (Status::UNSUPPORTED, [7; 3]));
        // A denial comes first: what may not be asked is not answered.
        denied(cx.share::<Heal>().restrict(Caps::NONE).random_u64());
        // The others are the kernel's own.
        cx.sleep_until(Time::ZERO).await?;
        cx.trace(1, 2)?;
        cx.yield_now().await?;
        Ok(cx.now())
    });
    let main = main.expect("the root is open");
    while let Some(task) = { lanes.lock().pop() } {
        kernel.run(task);
    }
    let outcome = main.try_join().expect("it ended");
    assert!(matches!(outcome, Outcome::Ok(Time::ZERO)), "{outcome:?}");
    root.begin_close();
    while let Some(task) = { lanes.lock().pop() } {
        kernel.run(task);
    }
    assert!(kernel.is_closed());
}
