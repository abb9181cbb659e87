//! The first branch to end, whatever its outcome.

use std::future::poll_fn;
use std::task::Poll;

use asr_base::{CancelKind, CancelReason, Error, Failure, Interrupted, Origin, Outcome};
use asr_kernel::Cx;
use asr_kernel::cx::{May, Set, caps};

use super::contest::{Ended, Rules, contest};

const RULES: Rules<'static> = Rules {
    clock: None,
    kind: CancelKind::RaceLost,
    message: "another branch won",
};

/// Runs both branches. The first to end, in whatever way, is the winner; of two in the same
/// scheduler step the first branch. The other is cancelled with RaceLost and waited for; a value
/// that it has all the same is dropped, and reported as `race.discarded` (CMB-8, CMB-9).
///
/// # Cancel safety
/// As for [`join`](super::join()).
pub async fn race<'env, C, T, F, G, FutA, FutB>(
    cx: &Cx<C>,
    first: F,
    second: G,
) -> Outcome<T, Error>
where
    C: Set + May<caps::Fiber>,
    F: FnOnce(Cx<C>) -> FutA + Send + 'env,
    G: FnOnce(Cx<C>) -> FutB + Send + 'env,
    FutA: Future<Output = Result<T, Failure>> + Send + 'env,
    FutB: Future<Output = Result<T, Failure>> + Send + 'env,
    T: Send + 'env,
{
    let ended = contest(cx, RULES, |scope| {
        Ok(vec![Some(scope.fiber(first)?), Some(scope.fiber(second)?)])
    });
    winner(ended.await)
}

/// The same for any number of branches of one type. Of none it never ends, but is a cancel point.
///
/// # Cancel safety
/// As for [`join`](super::join()).
pub async fn race_all<'env, C, T, I, F, Fut>(cx: &Cx<C>, branches: I) -> Outcome<T, Error>
where
    C: Set + May<caps::Fiber>,
    I: IntoIterator<Item = F>,
    F: FnOnce(Cx<C>) -> Fut + Send + 'env,
    Fut: Future<Output = Result<T, Failure>> + Send + 'env,
    T: Send + 'env,
{
    let branches: Vec<F> = branches.into_iter().collect();
    if branches.is_empty() {
        return never(cx).await;
    }
    let ended = contest(cx, RULES, |scope| {
        let start = |branch| Ok(Some(scope.fiber(branch)?));
        branches.into_iter().map(start).collect()
    });
    winner(ended.await)
}

fn winner<T>(ended: Outcome<Ended<T>, Error>) -> Outcome<T, Error> {
    match ended {
        Outcome::Ok(Ended::Branch(outcome)) => outcome,
        Outcome::Ok(Ended::Clock) => unreachable!("a race has no clock"),
        Outcome::Err(error) => Outcome::Err(error),
        Outcome::Cancelled(reason) => Outcome::Cancelled(reason),
        Outcome::Panicked(payload) => Outcome::Panicked(payload),
    }
}

/// Waits for a cancel.
async fn never<C: Set, T>(cx: &Cx<C>) -> Outcome<T, Error> {
    let mut waiter = cx.waiter();
    let Interrupted = poll_fn(
        |context| match waiter.check().and_then(|()| waiter.park(context)) {
            Ok(()) => Poll::Pending,
            Err(interrupted) => Poll::Ready(interrupted),
        },
    )
    .await;
    let reason = cx.cancel_reason().unwrap_or_else(|| {
        // The context outlived its task, which had no cancel.
        let origin = Origin::Task(cx.task_id());
        CancelReason::new(CancelKind::User, origin, cx.budget().deadline)
    });
    Outcome::Cancelled(reason)
}
