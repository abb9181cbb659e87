//! Causes of events rebuild happens-before; a failed run leaves nothing.

#[path = "common/everything.rs"]
mod everything;

use std::sync::Arc;

use asr_lab::{Lab, LabConfig, Reason};
use asr_trace::{Event, HappensBefore, Kind, Object, Resource};
use everything::events;

/// Spawn, wake, join, cancel, timers, states of regions and the ends of children: each effect has
/// its cause before it.
#[test]
fn trc_3_part_causes_rebuild_happens_before() {
    for seed in 0..50 {
        let events = events(seed);
        let relation = HappensBefore::rebuild(&events);
        let before = |a: usize, b: usize| assert!(relation.before(a, b), "{a} {b} seed {seed}");
        for (at, event) in events.iter().enumerate() {
            let earlier = |kind: Kind, wanted: &dyn Fn(&Event) -> bool| {
                let found = events[..at]
                    .iter()
                    .rposition(|e| e.kind == kind && wanted(e));
                before(found.expect("its cause is in the trace"), at);
            };
            let task = event.task;
            match event.kind {
                Kind::TaskStart => earlier(Kind::TaskSpawn, &|spawn| {
                    Some(spawn.a) == task.map(|task| task.to_bits())
                }),
                Kind::CancelObserve => earlier(Kind::CancelRequest, &|request| {
                    request.objects.first().map(|o| o.resource) == task.map(Resource::Task)
                }),
                Kind::TimerFire => earlier(Kind::TimerSet, &|set| set.a == event.a),
                Kind::TaskWake => {
                    if let Some(joined) = event
                        .objects
                        .first()
                        .filter(|o| *o == Object::read(o.resource))
                    {
                        earlier(Kind::TaskComplete, &|end| {
                            end.task.map(Resource::Task) == Some(joined.resource)
                        });
                    }
                }
                Kind::RegionFinalizing => {
                    for (child, end) in events[..at].iter().enumerate() {
                        let ended = end.kind == Kind::TaskComplete && end.region == event.region;
                        if ended {
                            before(child, at);
                        }
                    }
                }
                Kind::RegionClosed => {
                    earlier(Kind::RegionFinalizing, &|e| e.region == event.region)
                }
                _ => {}
            }
        }
    }
}

/// Children that share nothing are concurrent, and so are their ends.
#[test]
fn trc_3_part_siblings_are_concurrent() {
    let run = Lab::new(LabConfig::default()).run(async |cx| {
        for n in 0..3 {
            drop(cx.spawn(async move |cx| {
                cx.trace(n, 0)?;
                Ok(())
            })?);
        }
        Ok(())
    });
    let events = run.expect("it ends").trace.events;
    let relation = HappensBefore::rebuild(&events);
    let said: Vec<usize> = (0..events.len())
        .filter(|&at| events[at].kind == Kind::User)
        .collect();
    assert_eq!(said.len(), 3);
    for &a in &said {
        for &b in &said {
            assert_eq!(relation.concurrent(a, b), a != b);
        }
    }
}

/// A failed run leaves nothing: neither what its tasks captured, nor its records.
#[test]
fn a_failed_run_leaves_nothing() {
    let probe = Arc::new(());
    for seed in 0..1000 {
        let held = probe.clone();
        let lab = Lab::new(LabConfig::seed(seed));
        let kernel = lab.kernel().clone();
        let failure = lab.run(async move |cx| {
            let kept = held.clone();
            drop(cx.spawn(async move |_| {
                std::future::pending::<()>().await;
                drop(kept);
                Ok(())
            })?);
            let handle = cx.spawn(async move |_| {
                std::future::pending::<()>().await;
                Ok(held)
            })?;
            handle.join(&cx).await?.into_result()?;
            Ok(())
        });
        assert_eq!(failure.expect_err("it hangs").reason, Reason::Deadlock);
        assert_eq!(kernel.owned_records(), (0, 0));
        assert_eq!(Arc::strong_count(&probe), 1);
        assert_eq!(Arc::strong_count(&kernel), 1);
    }
}
