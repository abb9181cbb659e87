//! What the locks of a runtime cost while tasks run, in a build with the feature `lock-metrics`.
#![cfg(feature = "lock-metrics")]

use std::time::Duration;

use asr_base::{Failure, Outcome};
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_kernel::{Config, RegionConfig};
use asr_lock::rank::{Region, Timers};

const TASKS: u64 = 2_000;

/// Every spawn and every end is a section of its region, every sleep one of the timers.
#[test]
fn sch_37_a_runtime_shows_what_its_locks_cost() {
    let before = asr_lock::metrics();
    let runtime = Workers::new(WorkersConfig::workers(2), Config::default()).expect("threads");
    let outcome = runtime.run(async |cx| {
        let region = cx.region(RegionConfig::new(), async |scope, _| {
            for _ in 0..TASKS {
                drop(scope.fiber(async |cx| {
                    cx.sleep(Duration::from_micros(50)).await?;
                    Ok(())
                })?);
            }
            Ok(())
        });
        region.await.into_result()?;
        Ok::<_, Failure>(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
    let after = asr_lock::metrics();
    let region = after.of::<Region>();
    assert!(
        region.taken - before.of::<Region>().taken >= TASKS,
        "{after}"
    );
    assert!(
        region.held > 0 && region.longest_hold <= region.held,
        "{after}"
    );
    assert!(after.of::<Timers>().taken >= TASKS, "{after}");
    let text = after.to_string();
    println!("{text}");
    for name in ["region", "timers", "sched.idle"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{text}");
    }
}
