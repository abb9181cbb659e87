//! SCH-38: governors on production drivers: what they see, and that the worst of them break
//! nothing.

#[path = "../../base/tests/counting/mod.rs"]
mod counting;
#[path = "common/fairness.rs"]
mod fairness;
#[path = "common/hostile.rs"]
mod hostile;
#[path = "common/runtime.rs"]
mod runtime;
#[path = "common/steady.rs"]
mod steady;

use std::num::NonZeroU32;
use std::sync::Arc;

use asr_base::{Duration, Outcome};
use asr_kernel::sched::governor::{Advice, Drain, Governor, GovernorConfig, Snapshot};
use asr_kernel::sched::{Local, Workers, WorkersConfig};
use asr_kernel::{Config, Cx};
use fairness::LOADS;
use hostile::hostile;
use parking_lot::Mutex;
use runtime::{COUNTS, Runtime, done, turn};

fn config(governor: GovernorConfig) -> Config {
    let mut config = Config::default();
    config.governor = Some(governor);
    config
}

fn governed(count: usize, governor: GovernorConfig) -> Workers {
    Workers::new(WorkersConfig::workers(count), config(governor)).expect("threads")
}

/// One thread, or one worker.
fn alone(governor: &GovernorConfig) -> [Runtime; 2] {
    let local = Local::new(config(governor.clone()));
    let workers = governed(1, governor.clone());
    [Runtime::Local(local), Runtime::Workers(workers)]
}

/// Under hostile governors, each on a worker: the bounds of SCH-6, 8 and 9 hold.
#[test]
fn sch_38_workers_keep_their_bounds() {
    for count in COUNTS {
        let runtime = governed(count, hostile(5, count as u64));
        let positions = fairness::positions(&runtime, count);
        assert!(positions.iter().all(|&at| at <= 33), "{positions:?}");
        for stats in runtime.stats() {
            assert!(stats.max_cancel_streak.get() <= 32);
        }
        for load in LOADS {
            let runtime = governed(count, hostile(3, 7));
            let waited = fairness::behind(&runtime, count, load);
            let bound = load.n() * 34;
            assert!(waited.iter().all(|&polls| polls < bound), "{waited:?}");
        }
    }
    for interval in [1, 32] {
        let between = fairness::between(&governed(1, hostile(interval, 3)));
        assert!(between.iter().all(|&polls| polls <= 3), "{between:?}");
    }
}

/// Notes what it sees.
struct Notes(Arc<Mutex<Vec<Snapshot>>>, Advice);

impl Governor for Notes {
    fn advise(&mut self, snapshot: &Snapshot) -> Advice {
        self.0.lock().push(*snapshot);
        self.1
    }
}

fn notes(advice: Advice) -> (GovernorConfig, Arc<Mutex<Vec<Snapshot>>>) {
    let seen: Arc<Mutex<Vec<Snapshot>>> = Arc::default();
    let give = seen.clone();
    let make = move |_| Box::new(Notes(give.clone(), advice)) as Box<dyn Governor>;
    (GovernorConfig::new(make), seen)
}

/// Every 32 dispatches, with what is there at that time; another interval if said.
#[test]
fn sch_38_a_snapshot_every_so_many_dispatches() {
    for interval in [32, 1, 100] {
        let (mut governor, seen) = notes(Advice::new());
        assert_eq!(governor.interval.get(), 32);
        governor.interval = NonZeroU32::new(interval).expect("not 0");
        for runtime in alone(&governor) {
            seen.lock().clear();
            let noted = seen.clone();
            let outcome = runtime.run(async move |cx: Cx| {
                let mut sleepers = Vec::new();
                for _ in 0..10 {
                    let sleep = async |cx: Cx| Ok(cx.sleep(Duration::from_secs(60)).await?);
                    sleepers.push(cx.spawn(sleep)?);
                }
                for _ in 0..300 {
                    cx.yield_now().await?;
                }
                let last = *noted.lock().last().expect("it was asked");
                assert!(
                    last.root_children == 11 && last.most_tasks >= 11,
                    "{last:?}"
                );
                assert!(last.next_timer.is_some_and(|at| at > last.now), "{last:?}");
                assert!(!last.shutdown && last.waiting.cancel == 0, "{last:?}");
                sleepers.iter().for_each(asr_kernel::JoinHandle::abort);
                Ok(())
            });
            done(outcome);
            let seen = seen.lock();
            let at: Vec<u64> = seen.iter().map(|it| it.dispatches).collect();
            let wanted: Vec<u64> = (1..=at.len() as u64)
                .map(|n| n * u64::from(interval))
                .collect();
            assert_eq!(at, wanted);
            assert!(at.len() as u64 >= 300 / u64::from(interval));
            let mut draws: Vec<u64> = seen.iter().map(|it| it.draw).collect();
            draws.dedup();
            assert_eq!(draws.len(), at.len(), "each has a number of its own");
        }
    }
}

/// A drain that a governor suggests doubles L, and ends with the suggestion.
#[test]
fn sch_38_sch_6_a_drain_by_advice() {
    for (drain, position) in [
        (Drain::Obligations, 33),
        (Drain::Regions, 33),
        (Drain::Off, 17),
    ] {
        let mut advice = Advice::new();
        advice.drain = drain;
        let (governor, _) = notes(advice);
        for count in COUNTS {
            let runtime = governed(count, governor.clone());
            assert_eq!(fairness::positions(&runtime, count), vec![position; count]);
        }
    }
}

/// One that panics is asked no more; neither its worker nor its tasks notice.
#[test]
fn sch_38_a_governor_that_panics_is_off() {
    struct Rough;
    impl Governor for Rough {
        fn advise(&mut self, _: &Snapshot) -> Advice {
            panic!("planted: advice");
        }
    }
    impl Drop for Rough {
        fn drop(&mut self) {
            panic!("planted: drop");
        }
    }
    let rough = GovernorConfig::new(|_| Box::new(Rough));
    let never = GovernorConfig::new(|_| panic!("planted: making"));
    for governor in [rough, never] {
        for runtime in alone(&governor) {
            done(runtime.run(async |_| {
                for _ in 0..200 {
                    turn().await;
                }
                Ok(())
            }));
            assert_eq!(runtime.kernel().stats().governor_panics.get(), 1);
            if let Runtime::Workers(workers) = &runtime {
                assert_eq!(workers.panics(), 0);
            }
        }
    }
}

/// With a governor that is asked before each dispatch, and whose advice changes all the time,
/// dispatches of every lane allocate nothing.
#[test]
fn sch_38_advice_allocates_nothing() {
    let runtime = governed(1, hostile(1, 5));
    let outcome = runtime.run(steady::allocations);
    assert!(matches!(outcome, Outcome::Ok(0)), "{outcome:?}");
}
