//! The cause of every cancel, from the trace alone.

mod common;

use std::time::Duration;

use asr_base::{CancelKind, Outcome, TaskId};
use asr_kernel::{Cx, Escalation, OpenRegion, Policy, RegionConfig};
use asr_lab::LabConfig;
use asr_trace::explain;
use common::{ok, run_with};

/// Kind and origin of each link of a chain.
type Links = Vec<(CancelKind, u64)>;

/// A small stream of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// A tree of regions with tasks, some of which have a region of their own; a few requests from
/// anywhere. What each cancelled task was told.
async fn tree(cx: Cx, seed: u64) -> Result<Vec<(TaskId, Links)>, asr_base::Failure> {
    let mut dice = Dice(seed);
    let config = |dice: &mut Dice| {
        let mode = [Escalation::Drop, Escalation::Panic, Escalation::Soft];
        RegionConfig::new()
            .policy(Policy::CollectAll)
            .escalation(mode[dice.below(3) as usize])
    };
    let mut regions: Vec<OpenRegion> = vec![cx.open_region(&config(&mut dice))?];
    for _ in 0..dice.below(8) {
        let under = dice.below(regions.len() as u64) as usize;
        let inner = regions[under].open(&config(&mut dice))?;
        regions.push(inner);
    }
    let mut handles = Vec::new();
    for _ in 0..1 + dice.below(8) {
        let region = &regions[dice.below(regions.len() as u64) as usize];
        let nested = dice.below(2) == 0;
        handles.push(region.spawn(async move |cx| {
            let long = Duration::from_secs(100);
            if !nested {
                return Ok(cx.sleep(long).await?);
            }
            let inner = cx
                .region(RegionConfig::new(), async |scope, cx| {
                    let fiber = scope.fiber(async move |cx| Ok(cx.sleep(long).await?))?;
                    fiber.join(&cx).await?.into_result()
                })
                .await;
            // Its own cancel, which it sees now, and not what its region made of it.
            cx.checkpoint()?;
            inner.into_result()
        })?);
    }
    for _ in 0..1 + dice.below(4) {
        cx.sleep(Duration::from_millis(dice.below(20))).await?;
        let kind = CancelKind::ALL[dice.below(7) as usize];
        if dice.below(3) == 0 {
            handles[dice.below(handles.len() as u64) as usize].abort();
        } else {
            regions[dice.below(regions.len() as u64) as usize].cancel_as(kind, "asked");
        }
    }
    regions[0].cancel("the end");
    let mut told = Vec::new();
    for handle in handles {
        let id = handle.id();
        if let Outcome::Cancelled(reason) = handle.join(&cx).await? {
            let links = reason
                .chain()
                .map(|link| (link.kind(), link.origin().number()));
            told.push((id, links.collect()));
        }
    }
    drop(regions);
    Ok(told)
}

#[test]
fn can_28_the_trace_explains_every_cancel() {
    let mut explained = 0;
    for seed in 0..1000 {
        let run = run_with(LabConfig::seed(seed), move |cx| tree(cx, seed));
        let (told, log) = ok(run);
        assert!(!told.is_empty(), "seed {seed}");
        for (task, links) in told {
            let steps = explain(&log, task);
            let seen: Links = steps.iter().map(|step| (step.kind, step.origin)).collect();
            assert_eq!(seen, links, "seed {seed}, {task}");
            assert!(steps.windows(2).all(|two| two[1].seq < two[0].seq));
            explained += 1;
        }
    }
    assert!(explained > 1000);
}
