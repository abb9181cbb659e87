//! Ids in the lab, and outcomes that stand.

mod common;

use std::time::Duration;

use asr_base::{Failure, Outcome, Rng, TimerId};
use asr_kernel::obligation::Kind as Token;
use asr_kernel::{Cx, RegionConfig};
use asr_lab::{Lab, LabConfig};
use asr_trace::Kind;
use common::{forever, kinds, ok, run, run_with};

/// The root is a region like others and takes the first slot when the kernel is made; the first
/// region of a program is thus the second. I/O tokens and heaps come with later parts.
#[test]
fn val_27_part_the_first_ids_are_index_0_generation_1() {
    let root = Lab::new(LabConfig::default()).kernel().root().id();
    assert_eq!((root.index(), root.generation()), (0, 1));
    let run = run(async |cx| {
        let id = cx.reserve_raw(Token::BUILTIN[0], None)?;
        cx.commit_raw(id)
            .map_err(|status| asr_base::Error::new(status, "commit"))?;
        cx.sleep(Duration::from_secs(1)).await?;
        let region = cx.open_region(&RegionConfig::new())?;
        assert_eq!((region.id().index(), region.id().generation()), (1, 1));
        Ok((cx.task_id(), cx.region_id(), id))
    });
    let ((task, region, obligation), log) = ok(run);
    assert_eq!((task.index(), task.generation()), (0, 1));
    assert_eq!(region, root);
    assert_eq!((obligation.index(), obligation.generation()), (0, 1));
    let timer = TimerId::from_bits(kinds(&log, Kind::TimerSet)[0].a).expect("an id");
    assert_eq!((timer.index(), timer.generation()), (0, 1));
}

/// Makes and ends tasks and regions in an order that `seed` fixes, and lists their ids.
async fn churn(cx: Cx, seed: u64) -> Result<Vec<u64>, Failure> {
    let (mut rng, mut ids) = (Rng::seeded(seed), Vec::new());
    let (mut tasks, mut regions) = (Vec::new(), Vec::new());
    for _ in 0..300 {
        match rng.below(4) {
            0 => {
                let task = cx.spawn(async |_| {
                    forever().await;
                    Ok(())
                })?;
                ids.push(task.id().to_bits());
                tasks.push(task);
            }
            1 => {
                let region = cx.open_region(&RegionConfig::new())?;
                ids.push(region.id().to_bits());
                regions.push(region);
            }
            2 if !tasks.is_empty() => {
                let at = rng.below(tasks.len() as u64) as usize;
                let task = tasks.swap_remove(at);
                task.abort();
                cx.yield_now().await?;
            }
            3 if !regions.is_empty() => {
                let at = rng.below(regions.len() as u64) as usize;
                let _ = regions.swap_remove(at).close(&cx).await;
            }
            _ => {}
        }
    }
    for task in tasks {
        task.abort();
    }
    Ok(ids)
}

#[test]
fn val_30_two_runs_give_equal_ids() {
    for seed in 0..20 {
        let ids = || ok(run_with(LabConfig::seed(seed), move |cx| churn(cx, seed))).0;
        let (one, two) = (ids(), ids());
        assert_eq!(one, two);
        assert!(one.iter().any(|id| id >> 32 > 1), "slots were used again");
    }
}

#[test]
fn val_30_the_slot_freed_last_comes_first() {
    let run = run(async |cx| {
        let mut freed = Vec::new();
        let mut tasks = Vec::new();
        for _ in 0..5 {
            tasks.push(cx.spawn(async |_| Ok(()))?);
        }
        for task in [3, 0, 2, 0, 0].map(|at| tasks.remove(at)) {
            freed.push(task.id());
            task.join(&cx).await?.into_result()?;
        }
        let mut again = Vec::new();
        for _ in 0..5 {
            let task = cx.spawn(async |_| Ok(()))?;
            again.push(task.id());
            tasks.push(task);
        }
        Ok((freed, again))
    });
    let ((freed, again), _) = ok(run);
    for (free, id) in freed.iter().rev().zip(&again) {
        assert_eq!(
            (id.index(), id.generation()),
            (free.index(), free.generation() + 1)
        );
    }
}

/// Part: remote computations come with a later part.
#[test]
fn val_1_part_an_outcome_stands() {
    let run = run(async |cx| {
        for case in 0..4 {
            let region = cx.open_region(&RegionConfig::new())?;
            let task = region.spawn(async move |cx| match case {
                0 => Ok(7),
                1 => Err(asr_base::Error::new(asr_base::Status::IO, "gone").into()),
                2 => Ok(cx.sleep(Duration::MAX).await.map(|()| 7)?),
                _ => panic!("on purpose"),
            })?;
            // It is polled before this goes on: the lanes are first in, first out.
            cx.yield_now().await?;
            if case == 2 {
                task.abort();
            }
            let first = region.close(&cx).await;
            let bytes = format!("{first:?} {first:#?}");
            let severity = first.severity();
            // A cancel of both, of another kind, after the end.
            task.abort();
            region.cancel_as(asr_base::CancelKind::Shutdown, "too late");
            let second = region.outcome().expect("closed");
            assert_eq!(second, first);
            assert_eq!(format!("{second:?} {second:#?}"), bytes);
            assert_eq!(region.close(&cx).await, first, "any number of closers");
            let joined: Outcome<u32, _> = task.join(&cx).await?;
            assert_eq!(joined.severity(), severity);
            match (case, &joined) {
                (0, Outcome::Ok(7)) => {}
                (1, Outcome::Err(error)) => assert_eq!(error.message(), "gone"),
                (2, Outcome::Cancelled(reason)) => {
                    assert_eq!(reason.kind(), asr_base::CancelKind::User);
                }
                (3, Outcome::Panicked(payload)) => {
                    assert!(payload.to_string().contains("on purpose"));
                }
                (case, other) => panic!("{case}: {other:?}"),
            }
            let without = joined.map(|_| ());
            assert_eq!(
                format!("{without:?} {without:#?}"),
                bytes,
                "the region's is the task's"
            );
        }
        Ok(())
    });
    ok(run);
}
