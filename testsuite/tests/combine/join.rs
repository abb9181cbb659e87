//! All branches.

use std::time::Duration;

use asr_base::{CancelKind, Outcome};
use asr_kernel::Policy;
use asr_lab::LabConfig;
use asr_sync::combine::{join, join_all};

use crate::branches::{Seen, fails, none, second, secs};
use crate::common::{cancelled, ok, run, run_with};

const POLICIES: [Policy; 2] = [Policy::FailFast, Policy::CollectAll];

#[test]
fn cmb_7_all_run_and_all_are_waited_for() {
    for policy in POLICIES {
        ok(run(async move |cx| {
            let words = [String::from("borrowed"), String::from("by branches")];
            let both = join(
                &cx,
                policy,
                async |cx| {
                    cx.sleep(second(2)).await?;
                    Ok(words[0].as_str())
                },
                async |cx| {
                    cx.sleep(second(1)).await?;
                    Ok(words[1].len())
                },
            );
            let both = both.await.into_result()?;
            assert_eq!((both, cx.now()), (("borrowed", 11), secs(2)));
            Ok(())
        }));
    }
}

#[test]
fn cmb_7_of_none_it_is_the_empty_list_at_once() {
    ok(run(async |cx| {
        let all = join_all(&cx, Policy::FailFast, none()).await;
        assert_eq!(all, Outcome::Ok(Vec::new()));
        Ok(())
    }));
}

/// Three branches, of which the one in the middle fails.
#[test]
fn cmb_7_a_branch_fails() {
    for policy in POLICIES {
        let run = run(async move |cx| {
            let seen = Seen::new();
            let all = join_all(
                &cx,
                policy,
                (0..3).map(|n| {
                    let seen = seen.clone();
                    async move |cx| {
                        let n = seen.branch(cx, second(1 + n), second(2), n).await?;
                        match n {
                            1 => Err(fails("in the middle")),
                            n => Ok(n),
                        }
                    }
                }),
            );
            let outcome = all.await;
            assert_eq!(
                (
                    seen.live(),
                    seen.begun.load(std::sync::atomic::Ordering::Relaxed)
                ),
                (0, 3)
            );
            let kinds = seen.kinds.lock().clone();
            Ok((outcome, kinds, cx.now()))
        });
        let ((outcome, kinds, at), _) = ok(run);
        match policy {
            Policy::FailFast => {
                // It fails at 2 s, and the last cleans up for 2 s.
                assert_eq!((kinds, at), (vec![CancelKind::FailFast], secs(4)));
                assert_eq!(cancelled(outcome).kind(), CancelKind::FailFast);
            }
            Policy::CollectAll => {
                assert_eq!((kinds, at), (Vec::new(), secs(3)));
                let Outcome::Err(error) = outcome else {
                    panic!("{outcome:?}")
                };
                assert_eq!(error.message(), "in the middle");
            }
        }
    }
}

/// All orders in which four branches can end, some of them together.
#[test]
fn cmb_3_results_are_in_the_order_of_the_branches() {
    for order in 0..256_u64 {
        let delays = [order % 4, order / 4 % 4, order / 16 % 4, order / 64];
        let (values, _) = ok(run_with(LabConfig::seed(order), async move |cx| {
            let branches = delays.map(|delay| {
                async move |cx: asr_kernel::Cx| {
                    cx.sleep(Duration::from_millis(delay)).await?;
                    Ok(delay)
                }
            });
            let all = join_all(&cx, Policy::FailFast, branches).await;
            all.into_result()
        }));
        assert_eq!(values, delays);
    }
}

/// What a branch starts in the region of the call is waited for, too, and its failure counts.
#[test]
fn cmb_1_tasks_of_branches_are_waited_for() {
    for fail in [false, true] {
        let run = run(async move |cx| {
            let all = join(
                &cx,
                Policy::FailFast,
                async move |cx| {
                    drop(cx.spawn(async move |cx| {
                        cx.sleep(second(3)).await?;
                        if fail { Err(fails("later")) } else { Ok(()) }
                    })?);
                    Ok(1)
                },
                async |cx| {
                    cx.sleep(second(1)).await?;
                    // The first branch has ended, and the region admits still.
                    drop(cx.spawn(async |_| Ok(()))?);
                    Ok(2)
                },
            );
            Ok((all.await, cx.now()))
        });
        let ((outcome, at), _) = ok(run);
        assert_eq!(at, secs(3));
        match fail {
            false => assert_eq!(outcome, Outcome::Ok((1, 2))),
            true => assert!(matches!(outcome, Outcome::Err(_)), "{outcome:?}"),
        }
    }
}

/// The branches have the budget of the caller, met with that of a region of their own.
#[test]
fn cmb_5_branches_have_the_meet_of_the_budgets() {
    use asr_base::Budget;
    use asr_kernel::{RegionConfig, Spawn};
    ok(run(async |cx| {
        let budget = Budget::UNLIMITED.with_deadline(secs(5)).with_priority(7);
        let task = cx.spawn_with(Spawn::new().budget(budget), async |cx| {
            let seen = |own: u64| {
                async move |cx: asr_kernel::Cx| {
                    let around = cx.budget();
                    let config = RegionConfig::new().timeout(second(own));
                    let inside =
                        async |_: asr_kernel::Scope<'_>, cx: asr_kernel::Cx| Ok(cx.budget());
                    let inside = cx.region(config, inside).await.into_result()?;
                    Ok((around.deadline, inside.deadline, inside.priority))
                }
            };
            let both = join(&cx, Policy::FailFast, seen(3), seen(9))
                .await
                .into_result()?;
            assert_eq!(both.0, (secs(5), secs(3), 7));
            assert_eq!(both.1, (secs(5), secs(5), 7));
            Ok(())
        })?;
        task.join(&cx).await?.into_result()?;
        Ok(())
    }));
}
