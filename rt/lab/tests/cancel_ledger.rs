//! What a cancelled task held, by the ledger of its trace.

#[path = "../../kernel/tests/tokens/mod.rs"]
mod tokens;

use asr_base::{Failure, Outcome};
use asr_kernel::obligation::{Kind, LeakResponse};
use asr_kernel::{Cx, RegionConfig};
use asr_lab::{Lab, LabConfig};
use asr_trace::Marking;
use tokens::Pool;

/// Steps of the task, each with a token more: the cancel comes after so many of them.
const STEPS: u64 = 11;

/// A branch that is cancelled at any point has each token committed, aborted or transferred by the
/// time it is terminal; the ledger of the trace (OBL-20) balances, and no capacity is missing.
#[test]
fn can_9_a_cancelled_branch_conserves_what_it_holds() {
    for after in 0..=STEPS {
        let pool = Pool::new(STEPS as i64);
        let shared = pool.clone();
        let mut config = LabConfig::seed(after);
        config.kernel = tokens::config(LeakResponse::Panic, true);
        let run = Lab::new(config).run(async move |cx: Cx| {
            let branch = cx.spawn(async move |cx| {
                let mut held = Vec::new();
                for kind in Kind::BUILTIN {
                    held.push(cx.reserve(shared.take(*kind)?)?);
                    cx.yield_now().await?;
                }
                // One goes by its verb; the others stay held until the cancel takes them.
                if let Some(token) = held.pop() {
                    assert!(token.commit(1).is_ok());
                }
                loop {
                    cx.yield_now().await?;
                }
                #[expect(unreachable_code, reason = "says the type")]
                Ok::<(), Failure>(())
            })?;
            for _ in 0..after {
                cx.yield_now().await?;
            }
            branch.abort();
            Ok(branch.join(&cx).await?)
        });
        let run = run.expect("it ends");
        let Outcome::Ok(Outcome::Cancelled(_)) = run.outcome else {
            panic!("after {after}: {:?}", run.outcome)
        };
        let ledger = Marking::check(&run.trace).expect("no place goes below zero");
        assert!(ledger.live() == 0 && ledger.balanced(), "after {after}");
        assert_eq!(pool.free(), STEPS as i64, "after {after}");
    }
}

/// A select drops a branch half-way: what the body of its region held is unwound, no leak, so
/// nobody panics and nothing is missing.
#[test]
fn obl_10_the_body_of_a_dropped_region_is_unwound() {
    let pool = Pool::new(1);
    let shared = pool.clone();
    let mut config = LabConfig::default();
    config.kernel = tokens::config(LeakResponse::Panic, true);
    let run = Lab::new(config).run(async move |cx: Cx| {
        let outer: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |_, cx| {
                let mut branch = Box::pin(cx.region(RegionConfig::new(), async |_, cx| {
                    let _token = cx.reserve(shared.take(Kind::BUILTIN[0])?)?;
                    std::future::pending::<()>().await;
                    Ok(())
                }));
                std::future::poll_fn(|context| {
                    assert!(branch.as_mut().poll(context).is_pending());
                    std::task::Poll::Ready(())
                })
                .await;
                drop(branch);
                cx.yield_now().await?;
                Ok(())
            })
            .await;
        outer.into_result()
    });
    let run = run.expect("it ends");
    assert!(matches!(run.outcome, Outcome::Ok(())), "{:?}", run.outcome);
    assert_eq!(pool.free(), 1);
}
