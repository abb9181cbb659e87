//! The tree: ownership, edges, admission, depth.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Failure, Outcome, RegionId};
use asr_kernel::{Cx, Policy, RegionConfig, Scope, obligation};
use asr_lab::{Explorer, Lab};
use asr_trace::{Kind, Log};

use crate::checked::{Dice, fails, of, run, run_with, seeds};
use crate::common::{kinds, lanes};
use crate::tokens::Pool;

/// A program made at random: fibers, tasks and regions in each other, with errors, panics, aborts,
/// cancels and finalizers.
fn grow(scope: Scope<'static>, cx: Cx, seed: u64, depth: u32) -> Growing {
    Box::pin(grow_here(scope, cx, seed, depth))
}

/// A token that is resolved by a verb after a turn, by a cancel before it, or by the region.
async fn token(cx: &Cx, dice: u64) -> Result<(), Failure> {
    let mut held = cx.reserve(Pool::new(1).take(obligation::Kind::LEASE)?)?;
    if dice.is_multiple_of(3) {
        held = match held.transfer(&cx.spawner()) {
            Ok(held) => held,
            Err(kept) => kept.token,
        };
    }
    cx.yield_now().await?;
    match dice % 2 {
        0 => drop(held.commit(dice)),
        _ => held.abort(),
    }
    Ok(())
}

type Growing = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

async fn grow_here(scope: Scope<'static>, cx: Cx, seed: u64, depth: u32) -> Result<(), Failure> {
    let mut dice = Dice(seed);
    for _ in 0..dice.below(4) + 1 {
        let below = dice.below(u64::MAX >> 1);
        match dice.below(if depth == 0 { 6 } else { 9 }) {
            0 => {
                let _ = scope.fiber(async move |cx| token(&cx, below).await);
            }
            1 => {
                let _ = scope.spawn(async move |cx| {
                    cx.sleep(Duration::from_millis(below % 50)).await?;
                    token(&cx, below).await
                });
            }
            2 => {
                let _ = scope.defer_async(async move |cx| {
                    cx.sleep(Duration::from_millis(below % 9)).await?;
                    Ok(())
                });
            }
            3 => {
                if let Ok(handle) = scope.spawn(async |cx| {
                    cx.sleep(Duration::from_secs(60)).await?;
                    Ok(())
                }) {
                    handle.abort();
                }
            }
            4 if below.is_multiple_of(3) => scope.handle().cancel("the dice say so"),
            4 => cx.yield_now().await?,
            5 if below.is_multiple_of(5) => std::panic::resume_unwind(Box::new("the dice say so")),
            5 => drop(cx.open_region(&RegionConfig::new()).map(|region| {
                let _ = region.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(1)).await?));
            })),
            6 | 7 => {
                let run = async move |cx: Cx| {
                    let body = move |scope, cx| grow(scope, cx, below, depth - 1);
                    let _ = cx.region(RegionConfig::new(), body).await;
                    Ok(())
                };
                let _ = scope.spawn(run);
            }
            _ => {
                let config = RegionConfig::new().policy(Policy::CollectAll);
                let body = move |scope, cx| grow(scope, cx, below, depth - 1);
                let _ = cx.region(config, body).await;
            }
        }
    }
    Ok(())
}

fn random_programs(seeds: u64, mut each: impl FnMut(Log)) {
    for seed in 0..seeds {
        let mut config = lanes();
        if seed.is_multiple_of(2) {
            config = asr_lab::LabConfig::seed(seed);
        }
        let ran = run_with(config, async move |cx| {
            let body = move |scope, cx| grow(scope, cx, seed, 3);
            let _ = cx.region(RegionConfig::new(), body).await;
            Ok(())
        });
        each(ran.ok().1);
    }
}

/// The walk is in `checked`, after each step. That it finds a record that is out of the tree is a
/// test of the kernel (`kernel::tree`).
#[test]
fn reg_1_each_record_has_one_owner() {
    let mut spawned = 0;
    random_programs(300, |trace| spawned += kinds(&trace, Kind::TaskSpawn).len());
    assert!(spawned > 2000, "the programs are too small: {spawned}");
}

/// That the oracle rejects every other pair is tested with it (`asr-trace`, protocol).
#[test]
fn reg_2_a_region_takes_each_edge_once() {
    const EDGES: [Kind; 5] = [
        Kind::RegionOpen,
        Kind::RegionClosing,
        Kind::RegionDraining,
        Kind::RegionFinalizing,
        Kind::RegionClosed,
    ];
    random_programs(100, |trace| {
        for opened in kinds(&trace, Kind::RegionOpen) {
            let own = of(&trace, opened.region.expect("a region opens"));
            let edges: Vec<Kind> = own
                .iter()
                .map(|event| event.kind)
                .filter(|kind| EDGES.contains(kind))
                .collect();
            assert_eq!(edges, EDGES);
        }
    });
}

/// I/O is not there yet: the oracles look at children, finalizers and tokens.
#[test]
fn reg_8_part_a_closed_region_is_quiet() {
    let (mut closed, mut tokens) = (0, 0);
    random_programs(100, |trace| {
        closed += kinds(&trace, Kind::RegionClosed).len();
        tokens += kinds(&trace, Kind::ObligationReserve).len();
    });
    assert!(closed > 300 && tokens > 100, "{closed} and {tokens}");
}

/// A spawner and a closer in every order: what was admitted ran before the region was closed, what
/// was refused never runs. The loom model of the word is in the kernel's tests.
#[test]
fn reg_4_a_spawn_is_drained_or_refused() {
    let explored = Explorer::default().run(
        || {
            async |cx: Cx| {
                let ran = Arc::new(AtomicU64::new(0));
                let owned = cx.open_region(&RegionConfig::new())?;
                let (into, count) = (owned.clone(), ran.clone());
                let spawner = cx.spawn(async move |cx| {
                    let mut admitted = 0;
                    for _ in 0..2 {
                        let count = count.clone();
                        let run = async move |cx: Cx| {
                            cx.yield_now().await?;
                            count.fetch_add(1, Relaxed);
                            Ok(())
                        };
                        admitted += u64::from(into.spawn(run).is_ok());
                        cx.yield_now().await?;
                    }
                    Ok(admitted)
                })?;
                cx.yield_now().await?;
                owned.close(&cx).await.into_result()?;
                let at_close = ran.load(Relaxed);
                let admitted = spawner.join(&cx).await?.into_result()?;
                Ok((admitted, at_close, ran.load(Relaxed)))
            }
        },
        |run| match &run.outcome {
            Outcome::Ok((admitted, at_close, ran)) if admitted == ran && at_close == ran => {
                Ok(*admitted)
            }
            other => Err(format!("{other:?}")),
        },
    );
    let explored = explored.expect("every schedule drains or refuses");
    assert!(explored.complete);
    let outcomes: Vec<u64> = explored.seen.into_keys().collect();
    assert_eq!(outcomes, [0, 1, 2], "some schedules admit, some refuse");
}

const DEPTH: usize = 10_000;

/// A chain of regions, a sleeping task in each, on a stack that a recursion over the depth would
/// not fit. `end` ends it from the top; regions close from the leaf up.
fn chain(end: fn(&asr_kernel::RegionHandle)) -> (Vec<RegionId>, Log, Outcome<(), asr_base::Error>) {
    let run = move || {
        let mut config = lanes();
        config.max_steps = 10 * DEPTH as u64;
        let lab = Lab::new(config);
        let kernel = lab.kernel().clone();
        let ran = lab.run(async move |cx| {
            let top = cx.open_region(&RegionConfig::new())?;
            let mut chain = vec![top];
            while chain.len() < DEPTH {
                let last = chain.last().expect("the top is there");
                let _ = last.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(3600)).await?))?;
                let next = last.open(&RegionConfig::new())?;
                chain.push(next);
            }
            cx.sleep(Duration::from_secs(1)).await?;
            let ids = chain.iter().map(|region| region.id()).collect::<Vec<_>>();
            let top = (*chain[0]).clone();
            end(&top);
            // Each waits for the one below: when the leaf closes, all of them do.
            chain.iter().skip(1).for_each(|region| region.begin_close());
            let outcome = top.close(&cx).await;
            drop(top);
            drop(chain);
            Ok((ids, outcome))
        });
        let ran = ran.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(kernel.owned_records(), (0, 0));
        match ran.outcome {
            Outcome::Ok((ids, outcome)) => (ids, ran.trace, outcome),
            other => panic!("{other:?}"),
        }
    };
    let small = std::thread::Builder::new().stack_size(512 << 10);
    small.spawn(run).expect("a thread").join().expect("it ends")
}

#[test]
fn reg_6_depth_costs_no_stack() {
    let (ids, trace, outcome) = chain(|top| top.cancel("enough"));
    let Outcome::Cancelled(reason) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(reason.kind(), CancelKind::User);
    let closed: Vec<RegionId> = kinds(&trace, Kind::RegionClosed)
        .iter()
        .filter_map(|event| event.region)
        .filter(|id| ids.contains(id))
        .collect();
    assert!(
        closed.iter().rev().eq(ids.iter()),
        "regions close from the leaf to the top"
    );
}

/// The same without a cancel: the tasks end by themselves, that of the leaf last.
#[test]
fn reg_6_a_close_goes_up_without_a_stack() {
    let (ids, trace, outcome) = chain(|top| top.begin_close());
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(kinds(&trace, Kind::RegionClosed).len(), ids.len() + 1);
}

/// A handle keeps the records above it, and lets go of them without a recursion.
#[test]
fn reg_6_records_go_back_without_a_stack() {
    let run = || {
        let mut config = lanes();
        config.max_steps = 10 * DEPTH as u64;
        let lab = Lab::new(config);
        let kernel = lab.kernel().clone();
        let ran = lab.run(async move |cx| {
            let mut last = cx.open_region(&RegionConfig::new())?;
            let mut above = Vec::new();
            for _ in 1..DEPTH {
                let next = last.open(&RegionConfig::new())?;
                above.push(std::mem::replace(&mut last, next));
            }
            let leaf = (*last).clone();
            drop(last);
            while let Some(region) = above.pop() {
                drop(region);
            }
            cx.sleep(Duration::from_secs(1)).await?;
            Ok(leaf)
        });
        let ran = ran.unwrap_or_else(|failure| panic!("{failure}"));
        let Outcome::Ok(leaf) = ran.outcome else {
            panic!("{:?}", ran.outcome)
        };
        // The leaf and all above it, but for the root, which the kernel keeps.
        assert_eq!(kernel.owned_records().1, DEPTH);
        drop(leaf);
        assert_eq!(kernel.owned_records(), (0, 0));
    };
    let small = std::thread::Builder::new().stack_size(512 << 10);
    small.spawn(run).expect("a thread").join().expect("it ends");
}

#[test]
fn reg_13_children_of_a_nested_region_do_not_count_above_it() {
    seeds(20, || {
        async |cx: Cx| {
            let outer: Outcome<(), _> = cx
                .region(RegionConfig::new(), async |_, cx| {
                    let config = RegionConfig::new();
                    // What a race does with a loser: its region's outcome is the race's to judge.
                    let lost: Outcome<(), _> = cx
                        .region(config, async |scope, cx| {
                            let _ = scope.spawn(async |_| Err::<(), _>(fails("the loser")))?;
                            cx.yield_now().await?;
                            Ok(())
                        })
                        .await;
                    assert!(!lost.is_ok(), "{lost:?}");
                    Ok(())
                })
                .await;
            assert!(outer.is_ok(), "{outer:?}");
            Ok(())
        }
    });
}

/// Of two children that fail, the one that was spawned first gives the outcome, whichever ends
/// first; the body comes before both.
#[test]
fn reg_13_outcomes_combine_in_spawn_order() {
    for (body_fails, expected) in [(false, "first"), (true, "body")] {
        let ran = run(async move |cx| {
            let config = RegionConfig::new().policy(Policy::CollectAll);
            let outcome: Outcome<(), _> = cx
                .region(config, async |scope, cx| {
                    for (name, after) in [("first", 3), ("second", 1), ("third", 2)] {
                        let _ = scope.spawn(async move |cx| {
                            cx.sleep(Duration::from_secs(after)).await?;
                            Err::<(), _>(fails(name))
                        })?;
                    }
                    cx.sleep(Duration::from_secs(9)).await?;
                    if body_fails {
                        return Err(fails("body"));
                    }
                    Ok(())
                })
                .await;
            let Outcome::Err(error) = outcome else {
                panic!("{outcome:?}")
            };
            Ok(error.message().to_owned())
        });
        assert_eq!(ran.ok().0, expected);
    }
}
