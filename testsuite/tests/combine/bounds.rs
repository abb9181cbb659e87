//! The bounds of combinators, computed from those of their branches, against what is measured.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::Poll;

use asr_base::{Error, Failure, Outcome, Responsive, Rng};
use asr_kernel::{Cx, Policy};
use asr_lab::LabConfig;
use asr_sync::combine::{join, join_all, race, race_all, timeout};

use crate::branches::second;
use crate::common::run_with;

/// A wait of the kernel or of a channel (CHN-15).
const WAIT: Responsive = Responsive::new(1, 0, 1);

/// A step of a branch.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A sleep of so many seconds.
    Sleep(u64),
    Yield,
    /// So many yields under a mask.
    Masked(u32),
    /// A finalizer that yields so often, registered from here on.
    Finalizer(u32),
}

fn plan(rng: &mut Rng) -> Vec<Step> {
    let steps = 1 + rng.below(4);
    (0..steps)
        .map(|_| match rng.below(4) {
            0 => Step::Sleep(1 + rng.below(5)),
            1 => Step::Yield,
            2 => Step::Masked(rng.below(4) as u32),
            _ => Step::Finalizer(rng.below(4) as u32),
        })
        .collect()
}

/// What CAN-19 makes of a plan.
fn computed(plan: &[Step]) -> Responsive {
    plan.iter()
        .fold(Responsive::LEAST, |bound, step| match *step {
            Step::Sleep(_) | Step::Yield => bound.then(WAIT),
            // A poll for each yield, and the one that ends it.
            Step::Masked(yields) => bound.then(WAIT.masked(yields + 1)),
            Step::Finalizer(yields) => bound.with_pending(yields + 1),
        })
}

async fn branch(cx: Cx, plan: Vec<Step>) -> Result<u32, Failure> {
    for step in plan {
        match step {
            Step::Sleep(seconds) => cx.sleep(second(seconds)).await?,
            Step::Yield => cx.yield_now().await?,
            Step::Masked(yields) => {
                let own = async {
                    for _ in 0..yields {
                        cx.yield_now().await?;
                    }
                    Ok::<_, Failure>(())
                };
                cx.mask(yields + 1, own).await??;
            }
            Step::Finalizer(yields) => cx.defer_task_async(async move |cx| {
                for _ in 0..yields {
                    cx.yield_now().await?;
                }
                Ok(())
            })?,
        }
    }
    Ok(0)
}

/// Counts the polls of `combinator` that began with a cancel of the caller.
async fn counted<T>(
    cx: &Cx,
    polls: &AtomicU32,
    combinator: impl Future<Output = Outcome<T, Error>>,
) -> Outcome<T, Error> {
    let mut combinator = pin!(combinator);
    poll_fn(|context| {
        if cx.is_cancel_requested() {
            polls.fetch_add(1, Relaxed);
        }
        match combinator.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn combined(cx: &Cx, which: u64, plans: Vec<Vec<Step>>, polls: &AtomicU32) {
    let started = |plan: Vec<Step>| async move |cx: Cx| branch(cx, plan).await;
    let mut all = plans.into_iter().map(started);
    match which {
        0 => {
            let (first, second) = (all.next().expect("two"), all.next().expect("two"));
            drop(counted(cx, polls, join(cx, Policy::CollectAll, first, second)).await);
        }
        1 => drop(counted(cx, polls, join_all(cx, Policy::FailFast, all)).await),
        2 => {
            let (first, second) = (all.next().expect("two"), all.next().expect("two"));
            drop(counted(cx, polls, race(cx, first, second)).await);
        }
        3 => drop(counted(cx, polls, race_all(cx, all)).await),
        _ => {
            let first = all.next().expect("one");
            drop(counted(cx, polls, timeout(cx, second(3), first)).await);
        }
    }
}

/// CMB-6: the caller is cancelled at some moment of a random plan; it is never polled more often
/// after that than the bound says, and for each combinator a fifth of the bound is too little.
#[test]
fn cmb_6_measured_polls_are_within_the_computed_bound() {
    let seeds = if std::env::var_os("ASR_FULL").is_some() {
        10_000
    } else {
        400
    };
    let mut tightest = [0.0f64; 5];
    for seed in 0..seeds {
        let mut rng = Rng::seeded(seed);
        let which = rng.below(5);
        let count = match which {
            0 | 2 => 2,
            4 => 1,
            _ => 1 + rng.below(5),
        };
        let plans: Vec<_> = (0..count).map(|_| plan(&mut rng)).collect();
        let bound = Responsive::around(plans.iter().map(|plan| computed(plan)));
        let after = rng.below(6);
        let yields = rng.below(6);
        let polls = Arc::new(AtomicU32::new(0));
        let (own, shown) = (polls.clone(), format!("{plans:?}"));
        let report = run_with(LabConfig::seed(seed), async move |cx| {
            let caller = cx.spawn(async move |cx| {
                combined(&cx, which, plans, &own).await;
                Ok(())
            })?;
            cx.sleep(second(after)).await?;
            for _ in 0..yields {
                cx.yield_now().await?;
            }
            caller.abort();
            drop(caller.join(&cx).await?);
            Ok(())
        });
        assert!(report.outcome.is_ok(), "seed {seed}: {:?}", report.outcome);
        let measured = polls.load(Relaxed);
        let most = bound.polls();
        assert!(
            measured <= most,
            "seed {seed}: {measured} polls, {bound}: {shown}"
        );
        let share = f64::from(measured) / f64::from(most);
        let tight = &mut tightest[which as usize];
        *tight = tight.max(share);
    }
    assert!(tightest.iter().all(|&share| share > 0.2), "{tightest:?}");
}

/// Part: the bounds of the operations themselves (CAN-18) are published for channels and locks
/// only.
#[test]
fn can_19_part_bounds_compose() {
    let wait = WAIT;
    assert_eq!(wait.polls(), 2);
    assert_eq!(
        wait.then(Responsive::new(3, 2, 0)),
        Responsive::new(3, 2, 1)
    );
    assert_eq!(wait.or(Responsive::LEAST), wait);
    assert_eq!(wait.masked(4), Responsive::new(4, 1, 1));
    assert_eq!(wait.masked(4).masked(2), Responsive::new(4, 2, 1));
    assert_eq!(wait.with_pending(5).with_pending(1).f, 7);
    assert_eq!(Responsive::around([]).polls(), 2);
    assert_eq!(Responsive::around([wait, wait]).polls(), 8);
    let endless = Responsive::new(u32::MAX, u32::MAX, u32::MAX);
    assert_eq!(Responsive::around([endless, endless]).polls(), u32::MAX);
}
