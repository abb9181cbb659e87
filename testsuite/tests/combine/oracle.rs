//! The oracle of drained losers, on the trace of calls that obey it.

use asr_base::{RegionId, TaskId};
use asr_kernel::Policy;
use asr_kernel::task::Tier;
use asr_lab::oracle::{LoserDrain, Oracle, Oracles};
use asr_sync::combine::{join, race, timeout};
use asr_trace::{Event, Kind};

use crate::branches::{Seen, fails, second};
use crate::common::{ok, run};

/// A task with a call whose branch with index 0 loses.
fn events(which: u32) -> Vec<Event> {
    let ((), log) = ok(run(async move |cx| {
        let task = cx.spawn(async move |cx| {
            let seen = Seen::new();
            let slow = async |cx| seen.branch(cx, second(9), second(1), ()).await;
            let _ = match which {
                0 => race(&cx, slow, async |_| Ok(())).await,
                1 => timeout(&cx, second(1), slow).await,
                _ => {
                    let bad = async |_| Err::<(), _>(fails("at once"));
                    join(&cx, Policy::FailFast, slow, bad).await.map(|_| ())
                }
            };
            Ok(())
        })?;
        task.join(&cx).await?.into_result()?;
        Ok(())
    }));
    log.events
}

fn place(events: &[Event], wanted: impl Fn(&Event) -> bool) -> usize {
    events.iter().position(wanted).expect("it is in the trace")
}

/// The loser, its region, and the task of the call.
fn call(events: &[Event]) -> (TaskId, RegionId, TaskId) {
    let asked = place(events, |event| event.kind == Kind::CancelRequest);
    let region = events[asked].region.expect("a request has one");
    let open = place(events, |event| {
        event.kind == Kind::RegionOpen && event.region == Some(region)
    });
    let slow = place(events, |event| {
        let fiber = event.b == Tier::Fiber as u64;
        event.kind == Kind::TaskSpawn && event.region == Some(region) && fiber
    });
    let slow = TaskId::from_bits(events[slow].a).expect("a spawn names its task");
    (slow, region, events[open].task.expect("a task opened it"))
}

fn objects_at(events: &[Event]) -> Option<(usize, &'static str)> {
    let mut oracle = LoserDrain::default();
    events.iter().enumerate().find_map(|(at, event)| {
        let broken = oracle.step(event).err()?;
        Some((at, broken.rule))
    })
}

#[test]
fn lab_12_a_loser_that_is_not_drained() {
    for which in 0..3 {
        let events = events(which);
        assert_eq!(Oracles::check(&events), Ok(()));
        let (loser, region, caller) = call(&events);
        let end = |events: &[Event], task| {
            place(events, |event| {
                event.kind == Kind::TaskComplete && event.task == Some(task)
            })
        };
        let closed = |events: &[Event]| {
            place(events, |event| {
                event.kind == Kind::RegionClosed && event.region == Some(region)
            })
        };

        // The loser lives when its region closes.
        let mut early = events.clone();
        let ended = early.remove(end(&events, loser));
        let at = closed(&early);
        assert_eq!(objects_at(&early), Some((at, "CMB-1")), "call {which}");
        // It ends later, when the call has returned.
        early.insert(at + 1, ended);
        assert_eq!(objects_at(&early), Some((at, "CMB-1")), "call {which}");

        // The region is open when the task that called ends.
        let mut open = events.clone();
        open.remove(closed(&events));
        let at = end(&open, caller);
        assert_eq!(objects_at(&open), Some((at, "CMB-1")), "call {which}");
    }
}
