//! Capabilities at run time: what a narrowed context refuses, and that nothing widens it.

mod traced;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use asr_base::{Budget, Duration, Error, Failure, Outcome, Rng, Status, Time};
use asr_kernel::cx::caps::{
    Entropy, Fiber, Heal, Io, Remote, Supervise, Task, Time as Clock, Trace,
};
use asr_kernel::cx::{Caps, Checked};
use asr_kernel::{Cx, RegionConfig};
use asr_trace::{Kind, Sub, text_number};
use parking_lot::Mutex;
use traced::{denied, events, traced};

/// The bit of `K`.
fn bit<K: asr_kernel::cx::Token>() -> u16 {
    K::BIT
}

/// Tries everything that needs a token; counts the effects that happened.
async fn attempt_all(cx: &Cx<Checked>, effects: &Arc<AtomicU32>) -> Result<(), Failure> {
    denied(cx.try_now());
    denied(cx.try_sleep(Duration::ZERO));
    denied(cx.try_sleep_until(Time::ZERO));
    denied(cx.random_u64());
    let mut bytes = [7; 9];
    denied(cx.fill(&mut bytes));
    assert_eq!(bytes, [7; 9]);
    denied(cx.trace(1, 2));
    denied(cx.open_region(&RegionConfig::new()));
    let count = effects.clone();
    let refused = cx.spawn(async move |_| {
        count.fetch_add(1, Relaxed);
        Ok(())
    });
    let refused = refused.expect_err("denied");
    assert_eq!(refused.status(), Status::CAP_DENIED);
    assert_eq!(Error::from(refused).kind(), Status::CAP_DENIED);
    let inner: Outcome<(), _> = cx
        .region(RegionConfig::new(), async |_, _| {
            effects.fetch_add(1, Relaxed);
            Ok(())
        })
        .await;
    let Outcome::Err(error) = inner else {
        panic!("{inner:?}")
    };
    assert_eq!(error.kind(), Status::CAP_DENIED);
    // What needs no token goes on.
    cx.checkpoint()?;
    cx.yield_now().await?;
    cx.mask(1, async {}).await?;
    assert_eq!(cx.budget(), Budget::UNLIMITED);
    assert!(!cx.is_cancel_requested());
    Ok(())
}

/// Part: that each narrowed type is refused by the compiler is in `tests/ui`; the call through the
/// C ABI waits for it, and ends in the same `require`.
#[test]
fn cap_6_part_a_context_narrowed_at_run_time_is_refused_without_effect() {
    let effects = Arc::new(AtomicU32::new(0));
    let seen = effects.clone();
    let (bits, log) = traced(async move |cx| {
        let cx = cx.restrict(Caps::NONE);
        attempt_all(&cx, &effects).await?;
        Ok(cx.caps().bits())
    });
    assert_eq!((bits, seen.load(Relaxed)), (0, 0));
    let none = |kind| !log.iter().any(|e| e.sub == Sub::None && e.kind == kind);
    assert!(none(Kind::User) && none(Kind::TimerSet));
    let count = |kind| log.iter().filter(|e| e.kind == kind).count();
    assert_eq!(count(Kind::TaskSpawn), 1, "the main task only");
    assert_eq!(count(Kind::RegionOpen), 0, "the root was open before");
    let tokens: Vec<u64> = events(&log).iter().map(|event| event.1).collect();
    let (time, entropy, trace) = (bit::<Clock>(), bit::<Entropy>(), bit::<Trace>());
    let (fiber, task) = (bit::<Fiber>(), bit::<Task>());
    let expected = [
        time, time, time, entropy, entropy, trace, fiber, task, fiber,
    ];
    assert_eq!(tokens, expected.map(u64::from));
}

#[test]
fn cap_6_part_each_token_opens_its_own_operations_only() {
    let (_, _) = traced(async |cx| {
        let cx = cx.restrict(Caps::from_bits(bit::<Clock>() | bit::<Entropy>()));
        cx.try_sleep(Duration::from_nanos(1))?.await?;
        assert!(cx.try_now()? > Time::ZERO);
        cx.random_u64()?;
        denied(cx.trace(0, 0));
        denied(cx.open_region(&RegionConfig::new()));
        assert!(cx.spawn(async |_| Ok(())).is_err());
        Ok(())
    });
}

/// That narrowing allocates nothing is in `caps_alloc`.
#[test]
fn cap_8_a_denial_is_in_the_trace() {
    let ((task, region), log) = traced(async |cx| {
        let ids = (cx.task_id(), cx.region_id());
        let handle = cx.open_region(&RegionConfig::new())?;
        let cx = cx.restrict(Caps::from_bits(bit::<Task>() | bit::<Fiber>()));
        denied(cx.random_u64());
        denied(cx.require::<Heal>("repair"));
        let narrow = cx.restrict(Caps::from_bits(bit::<Fiber>()));
        let own = narrow.open_region(&RegionConfig::new())?;
        assert!(own.spawn(async |_| Ok(())).is_err());
        drop(handle);
        Ok(ids)
    });
    let denials = events(&log);
    let entropy = u64::from(bit::<Entropy>());
    assert_eq!(denials[0], (text_number("random_u64"), entropy, Some(task)));
    let heal = u64::from(bit::<Heal>());
    assert_eq!(denials[1], (text_number("repair"), heal, Some(task)));
    // A handle belongs to a region; the event names who used it.
    let spawn = u64::from(bit::<Task>());
    assert_eq!(denials[2], (text_number("spawn"), spawn, Some(task)));
    let first = log.iter().find(|event| event.sub == Sub::CapDenied);
    assert_eq!(first.and_then(|event| event.region), Some(region));
    assert_eq!(denials.len(), 3);
}

/// Takes one capability away by its type, and forgets the type.
fn drop_one(cx: Cx<Checked>, which: u64) -> Cx<Checked> {
    match which {
        0 => cx.without::<Fiber>().restrict(Caps::ALL),
        1 => cx.without::<Task>().restrict(Caps::ALL),
        2 => cx.without::<Io>().restrict(Caps::ALL),
        3 => cx.without::<Remote>().restrict(Caps::ALL),
        4 => cx.without::<Supervise>().restrict(Caps::ALL),
        5 => cx.without::<Clock>().restrict(Caps::ALL),
        6 => cx.without::<Entropy>().restrict(Caps::ALL),
        7 => cx.without::<Trace>().restrict(Caps::ALL),
        _ => cx.share::<Heal>().restrict(Caps::ALL),
    }
}

/// Everything that hands out a context: each gives at most what `cx` has.
async fn children_inherit(cx: &Cx<Checked>) -> Result<u32, Failure> {
    let (caps, mut seen) = (cx.caps(), 0);
    let held = Arc::new(Mutex::new(Vec::new()));
    let keep = |cx: &Cx<Checked>, held: &Mutex<Vec<Caps>>| held.lock().push(cx.caps());
    if let Ok(handle) = cx.spawn(async |cx| Ok(cx.caps())) {
        let inherited = handle.join(cx).await?.into_result()?;
        assert_eq!(inherited, caps);
        seen += 1;
    }
    let (finalizer, own) = (held.clone(), held.clone());
    let inner = cx
        .region(RegionConfig::new(), async |scope, inside| {
            assert_eq!(inside.caps(), caps);
            let fiber = scope.fiber(async |cx| Ok(cx.caps()))?;
            assert_eq!(fiber.join(&inside).await?.into_result()?, caps);
            scope.defer_async(async move |cx| {
                keep(&cx, &finalizer);
                Ok(())
            })?;
            inside.defer_task_async(async move |cx| {
                keep(&cx, &own);
                Ok(())
            })?;
            if let Ok(task) = scope.handle().spawn(async |cx| Ok(cx.caps())) {
                assert_eq!(task.join(&inside).await?.into_result()?, caps);
            }
            Ok(())
        })
        .await;
    if inner.is_ok() {
        assert_eq!(*held.lock(), [caps, caps]);
        seen += 2;
    }
    if let Ok(open) = cx.open_region(&RegionConfig::new()) {
        let finalizer = held.clone();
        open.defer_async(async move |cx| {
            keep(&cx, &finalizer);
            Ok(())
        })?;
        assert!(open.close(cx).await.is_ok());
        assert_eq!(held.lock().pop(), Some(caps));
        seen += 1;
    }
    Ok(seen)
}

#[test]
fn cap_7_random_narrowing_never_widens() {
    let (seen, _) = traced(async |cx| {
        let mut rng = Rng::seeded(7);
        let mut seen = 0;
        for _ in 0..200 {
            // A context of the full set, again: a child's own.
            let chain = rng.next_u64();
            let child = cx.spawn(async move |cx| {
                let mut rng = Rng::seeded(chain);
                let mut cx = cx.restrict(Caps::ALL);
                let mut seen = 0;
                for _ in 0..rng.below(12) {
                    let before = cx.caps();
                    cx = match rng.below(12) {
                        which @ 0..9 => drop_one(cx, which),
                        9 => cx.restrict(Caps::ALL),
                        10 => cx.restrict(Caps::from_bits(rng.next_u64() as u16 | 0x11)),
                        _ => cx.restrict(Caps::from_bits(!0)),
                    };
                    assert_eq!(cx.caps().and(before), cx.caps(), "only removed");
                    seen += children_inherit(&cx).await?;
                }
                Ok(seen)
            })?;
            seen += child.join(&cx).await?.into_result()?;
        }
        Ok(seen)
    });
    assert!(seen > 500, "each way was taken: {seen}");
}
