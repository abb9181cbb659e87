//! The first branch to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Error, Outcome, Status};
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_lab::{Explorer, LabConfig};
use asr_sync::combine::{join, panic_as_err, race, race_all};
use asr_trace::{Kind, Sub};

use crate::branches::{Seen, fails, none, polls, second, secs};
use crate::common::{forever, kinds, ok, run, run_with, subs, turn};

#[test]
fn cmb_1_a_race_waits_for_the_cleanup_of_the_loser() {
    ok(run(async |cx| {
        let seen = Seen::new();
        let won = race(
            &cx,
            async |cx| seen.branch(cx, second(9), second(1), "slow").await,
            async |_| Ok("fast"),
        );
        assert_eq!(won.await, Outcome::Ok("fast"));
        assert_eq!((seen.live(), cx.now()), (0, secs(1)));
        assert_eq!(*seen.kinds.lock(), [CancelKind::RaceLost]);
        Ok(())
    }));
}

/// A select that knows nothing of regions drops a race: it goes on at once, and the region around
/// closes after the task that cleans up.
#[test]
fn cmb_1_a_foreign_select_leaves_the_cleanup_to_the_region_around() {
    ok(run(async |cx| {
        let seen = Seen::new();
        let mut selected = None;
        let outcome: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |_, cx| {
                let inside = seen.clone();
                let task = async move |cx: Cx| {
                    let seen = inside;
                    let task =
                        cx.spawn(async move |cx| seen.branch(cx, second(9), second(1), ()).await)?;
                    task.join(&cx).await?.into_result()
                };
                let waits = async |_| {
                    forever().await;
                    Ok(())
                };
                let lost = polls(race(&cx, task, waits), 3).await;
                assert!(lost.is_none());
                selected = Some(cx.now());
                Ok(())
            })
            .await;
        assert_eq!(outcome, Outcome::Ok(()));
        assert_eq!((selected, cx.now()), (Some(secs(0)), secs(1)));
        assert_eq!(seen.live(), 0);
        Ok(())
    }));
}

/// All orders in which four branches can end: the first wins, and of those of one step the one with
/// the lowest index.
#[test]
fn cmb_3_of_equals_the_lowest_index_wins() {
    for order in 0..256_u64 {
        let delays = [order % 4, order / 4 % 4, order / 16 % 4, order / 64];
        for waits in [false, true] {
            let (won, _) = ok(run_with(LabConfig::seed(order), async move |cx| {
                let branches = delays.into_iter().enumerate().map(|(index, delay)| {
                    async move |cx: Cx| {
                        match waits {
                            true => cx.sleep(Duration::from_millis(delay)).await?,
                            false => {
                                for _ in 0..delay {
                                    cx.yield_now().await?;
                                }
                            }
                        }
                        Ok(index)
                    }
                });
                race_all(&cx, branches).await.into_result()
            }));
            let least = delays.iter().min();
            assert_eq!(
                delays.iter().position(|delay| Some(delay) == least),
                Some(won)
            );
        }
    }
}

#[test]
fn cmb_4_a_panic_prevails() {
    for in_cleanup in [false, true] {
        let (outcome, _) = ok(run(async move |cx| {
            let won = race(
                &cx,
                async move |cx| {
                    assert!(in_cleanup, "at once");
                    let slept = cx.sleep(second(9)).await;
                    assert!(slept.is_ok(), "in its cleanup");
                    Ok(1)
                },
                async move |cx| Ok(cx.sleep(second(1)).await.map(|()| 2)?),
            );
            Ok(won.await)
        }));
        let Outcome::Panicked(payload) = outcome else {
            panic!("{outcome:?}")
        };
        let what = if in_cleanup {
            "in its cleanup"
        } else {
            "at once"
        };
        assert!(payload.message().contains(what), "{payload:?}");
    }
}

/// The same with panics that are errors: a loser does not matter, and a winner has failed.
#[test]
fn cmb_4_a_panic_that_is_an_error_does_not() {
    for in_cleanup in [false, true] {
        let (outcome, log) = ok(run(async move |cx| {
            let panics = panic_as_err(async move |cx: Cx| {
                assert!(in_cleanup, "at once");
                let slept = cx.sleep(second(9)).await;
                assert!(slept.is_ok(), "in its cleanup");
                Ok(1)
            });
            let other = async move |cx: Cx| Ok(cx.sleep(second(1)).await.map(|()| 2)?);
            Ok(race(&cx, panics, other).await)
        }));
        match (in_cleanup, outcome) {
            (true, outcome) => assert_eq!(outcome, Outcome::Ok(2)),
            (false, Outcome::Err(error)) => assert_eq!(error.kind(), Status::THREW),
            (false, outcome) => panic!("{outcome:?}"),
        }
        assert_eq!(subs(&log, Sub::PanicAbsorbed).len(), 1);
    }
}

#[test]
fn cmb_8_the_winner_may_have_failed() {
    ok(run(async |cx| {
        let seen = Seen::new();
        let won = race(
            &cx,
            async |cx| seen.branch(cx, second(2), second(0), 1).await,
            async |cx| {
                cx.sleep(second(1)).await?;
                Err(fails("first"))
            },
        );
        let Outcome::Err(error) = won.await else {
            panic!("the first outcome wins, whatever it is")
        };
        assert_eq!((error.message(), cx.now()), ("first", secs(1)));
        assert_eq!(*seen.kinds.lock(), [CancelKind::RaceLost]);
        Ok(())
    }));
}

#[test]
fn cmb_8_of_none_it_never_ends_but_is_a_cancel_point() {
    ok(run(async |cx| {
        let task = cx.spawn(async |cx| {
            let outcome = race_all(&cx, none()).await;
            assert!(matches!(&outcome, Outcome::Cancelled(r) if r.kind() == CancelKind::User));
            Ok(())
        })?;
        cx.sleep(second(5)).await?;
        assert!(!task.is_finished());
        task.abort();
        let outcome = task.join(&cx).await?;
        assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
        Ok(())
    }));
}

/// A connection, and how many are open.
#[derive(Debug, PartialEq)]
struct Connection(Arc<Open>);

#[derive(Debug, Default)]
struct Open(AtomicU32);

impl PartialEq for Open {
    fn eq(&self, other: &Open) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

/// Two accepts, ready in one step; and one that is ready while it does not look at its cancel.
#[test]
fn cmb_9_the_connection_of_the_loser_is_closed() {
    for late in [0, 1] {
        let ((), log) = ok(run(async move |cx| {
            let open = Arc::new(Open::default());
            let accept = |after: u64| {
                let open = open.clone();
                async move |cx: Cx| {
                    cx.mask(99, cx.sleep(second(after))).await??;
                    open.0.fetch_add(1, Relaxed);
                    Ok(Connection(open))
                }
            };
            let won = race(&cx, accept(1), accept(1 + late)).await.into_result()?;
            assert_eq!(open.0.load(Relaxed), 1, "that of the winner");
            assert_eq!(cx.now(), secs(1 + late));
            drop(won);
            Ok(())
        }));
        let discarded = subs(&log, Sub::RaceDiscarded);
        assert_eq!(discarded.len(), 1);
        assert_eq!(discarded[0].a, 1, "the second branch");
        let region = discarded[0].region;
        let closed = kinds(&log, Kind::RegionClosed);
        let closed = closed.iter().find(|event| event.region == region);
        assert!(closed.is_some_and(|closed| closed.seq > discarded[0].seq));
    }
}

/// A loser that returns a value after it saw the cancel is no case of this (TSK-6).
#[test]
fn cmb_9_a_value_after_the_cancel_was_seen_is_not_reported() {
    let ((), log) = ok(run(async |cx| {
        let won = race(
            &cx,
            async |_| Ok(1),
            async |cx| {
                let _ = cx.sleep(second(9)).await;
                Ok(2)
            },
        );
        assert_eq!(won.await, Outcome::Ok(1));
        Ok(())
    }));
    assert_eq!(subs(&log, Sub::RaceDiscarded).len(), 0);
    assert_eq!(subs(&log, Sub::ResultDiscarded).len(), 1);
}

/// Every schedule of a race whose branches wait for tasks, against somebody who cancels it: it
/// returns when nobody of it is left, with the first outcome or the cancel.
#[test]
fn cmb_8_every_schedule_has_one_winner_and_no_survivor() {
    let explorer = Explorer::default();
    for cancels in [false, true] {
        let explored = explorer.run(
            move || {
                async move |cx: Cx| {
                    let seen = Seen::new();
                    let inside = seen.clone();
                    let config = RegionConfig::new().policy(Policy::CollectAll);
                    let region = cx.open_region(&config)?;
                    let racer = region.spawn(async move |cx| {
                        let seen = inside;
                        let task = |turns| {
                            let seen = seen.clone();
                            async move |cx: Cx| {
                                let work = async move |cx| seen.turns(cx, turns, turns).await;
                                cx.spawn(work)?.join(&cx).await?.into_result()
                            }
                        };
                        let outcome = race(&cx, task(0), task(1)).await;
                        assert_eq!(seen.live(), 0);
                        outcome.into_result()
                    })?;
                    if cancels {
                        turn().await;
                        racer.abort();
                    }
                    let outcome = racer.join(&cx).await?;
                    drop(region.close(&cx).await);
                    assert_eq!(seen.live(), 0);
                    Ok(match outcome {
                        Outcome::Ok(turns) => Some(turns),
                        _ => None,
                    })
                }
            },
            |run| match run.outcome {
                Outcome::Ok(won) => Ok(won),
                ref other => Err(format!("{other:?}")),
            },
        );
        let explored = match explored {
            Ok(explored) => explored,
            Err(found) => panic!("{}", found.what),
        };
        assert!(explored.complete, "{} schedules", explored.executions);
        let seen: Vec<_> = explored.seen.keys().copied().collect();
        match cancels {
            false => assert_eq!(seen, [Some(0), Some(1)]),
            true => assert_eq!(seen, [None, Some(0), Some(1)]),
        }
    }
}

/// A race in a race, and in a join: each region closes before the one around it.
#[test]
fn cmb_1_combinators_nest() {
    let (outcome, _) = ok(run(async |cx| {
        let seen = Seen::new();
        let inner = async |cx: Cx| {
            let won = race(
                &cx,
                async |cx| seen.branch(cx, second(5), second(1), 5).await,
                async |cx| seen.branch(cx, second(6), second(2), 6).await,
            );
            won.await.into_result()
        };
        let outer = async |cx: Cx| {
            let quick = async |cx: Cx| Ok(cx.sleep(second(1)).await.map(|()| 1)?);
            race(&cx, inner, quick).await.into_result()
        };
        let other = async |cx: Cx| seen.branch(cx, second(2), second(0), 2).await;
        let both: Outcome<_, Error> = join(&cx, Policy::FailFast, outer, other).await;
        assert_eq!((seen.live(), cx.now()), (0, secs(3)));
        let kinds = seen.kinds.lock().clone();
        assert_eq!(kinds, [CancelKind::ParentCancelled; 2]);
        both.into_result()
    }));
    assert_eq!(outcome, (1, 2));
}
