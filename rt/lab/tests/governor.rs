//! SCH-38: the worst of governors in the production lanes of the lab.

mod common;
#[path = "../../kernel/tests/common/hostile.rs"]
mod hostile;

use std::time::Duration;

use asr_base::{Budget, CancelKind, Failure, Outcome};
use asr_kernel::obligation::hold::SyncPermit;
use asr_kernel::sched::governor::{Advice, Governor, GovernorConfig, Snapshot};
use asr_kernel::{Cx, Policy, RegionConfig, Spawn};
use asr_lab::{Lab, LabConfig};
use asr_trace::Log;
use common::{lanes, turn};

/// Many tasks in each lane at a time, which end in every way: cancelled with several kinds, late,
/// with finalizers, with tokens that they resolve while they clean up.
async fn crowd(cx: Cx) -> Result<(), Failure> {
    let all = cx.open_region(&RegionConfig::new().policy(Policy::CollectAll))?;
    let mut tasks = Vec::new();
    for n in 0..24_u64 {
        let mut options = Spawn::new();
        if n % 3 == 0 {
            // Two of them tie.
            let at = cx.now() + Duration::from_millis(1 + n / 6);
            options = options.budget(Budget::UNLIMITED.with_deadline(at));
        }
        tasks.push(all.spawn_with(options, async move |cx| {
            cx.defer_sync(|| Ok(()))?;
            cx.defer_async(async |cx| Ok(cx.yield_now().await?))?;
            let token = cx.holder().hold::<SyncPermit>()?;
            for _ in 0..n {
                if cx.yield_now().await.is_err() {
                    break;
                }
                cx.trace(n, cx.random_u64()?)?;
            }
            for _ in 0..3 {
                turn().await;
            }
            token.release();
            Ok(cx.sleep(Duration::from_millis(n)).await?)
        })?);
    }
    for task in tasks.iter().skip(1).step_by(4) {
        turn().await;
        task.abort();
    }
    all.cancel_children(CancelKind::FailFast, "planted");
    for task in tasks.iter().skip(2).step_by(4) {
        turn().await;
        task.abort();
    }
    cx.sleep(Duration::from_millis(3)).await?;
    all.cancel_as(CancelKind::Shutdown, "enough");
    let _ = all.close(&cx).await;
    Ok(())
}

fn config(seed: u64, governor: Option<GovernorConfig>) -> LabConfig {
    let mut config = lanes();
    config.seed = seed;
    config.kernel.governor = governor;
    config
}

fn trace(config: LabConfig) -> Log {
    let run = match Lab::new(config).run(crowd) {
        Ok(run) => run,
        Err(failure) => panic!("an oracle objects: {failure}"),
    };
    assert!(matches!(run.outcome, Outcome::Ok(())), "{:?}", run.outcome);
    run.trace
}

#[test]
fn sch_38_all_oracles_hold_and_equal_seeds_give_equal_traces() {
    let mut changed = 0;
    for seed in 0..60 {
        let interval = [1, 2, 3, 32][seed as usize % 4];
        // The seed of the run is that of the numbers, not this one.
        let [first, again] = [1, 2].map(|own| {
            let governor = hostile::hostile(interval, own);
            trace(config(seed, Some(governor))).to_bytes()
        });
        assert_eq!(first, again, "seed {seed}");
        changed += usize::from(first != trace(config(seed, None)).to_bytes());
    }
    assert!(changed > 40, "advice counts for something: {changed}");
}

/// A governor that says nothing changes nothing, and neither does any in a schedule that is not
/// that of the lanes.
#[test]
fn sch_38_no_advice_no_change() {
    struct Silent;
    impl Governor for Silent {
        fn advise(&mut self, _: &Snapshot) -> Advice {
            Advice::new()
        }
    }
    for seed in 0..20 {
        let silent = GovernorConfig::new(|_| Box::new(Silent));
        let plain = trace(config(seed, None));
        let governed = trace(config(seed, Some(silent)));
        assert_eq!(governed.to_bytes(), plain.to_bytes());
        let [plain, hostile] = [None, Some(hostile::hostile(1, 0))].map(|governor| {
            let mut config = LabConfig::seed(seed);
            config.kernel.governor = governor;
            trace(config)
        });
        assert_eq!(hostile.to_bytes(), plain.to_bytes());
    }
}
