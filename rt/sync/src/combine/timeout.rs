//! One branch, against the clock.

use asr_base::{CancelKind, Duration, Error, Failure, Outcome, Status};
use asr_kernel::Cx;
use asr_kernel::cx::{Has, May, Set, caps};

use super::contest::{Ended, Rules, contest};

/// Runs a branch for at most `after`: then it is cancelled with Timeout and waited for, and the
/// result is `TIMED_OUT`. It is polled once in any case; if it ends in the step in which the time
/// is over, it wins. A time too far away to be counted never comes (CMB-10).
///
/// # Cancel safety
/// As for [`join`](super::join()).
pub async fn timeout<'env, C, T, F, Fut>(
    cx: &Cx<C>,
    after: Duration,
    branch: F,
) -> Outcome<T, Error>
where
    C: Set + May<caps::Fiber> + Has<caps::Time>,
    F: FnOnce(Cx<C>) -> Fut + Send + 'env,
    Fut: Future<Output = Result<T, Failure>> + Send + 'env,
    T: Send + 'env,
{
    let rules = Rules {
        clock: Some(cx.sleep(after)),
        kind: CancelKind::Timeout,
        message: "the time of the branch is over",
    };
    let ended = contest(cx, rules, |scope| Ok(vec![Some(scope.fiber(branch)?)]));
    match ended.await {
        Outcome::Ok(Ended::Branch(outcome)) => outcome,
        Outcome::Ok(Ended::Clock) => {
            let what = format!("after {} ns", after.as_nanos());
            Outcome::Err(Error::new(Status::TIMED_OUT, what))
        }
        Outcome::Err(error) => Outcome::Err(error),
        Outcome::Cancelled(reason) => Outcome::Cancelled(reason),
        Outcome::Panicked(payload) => Outcome::Panicked(payload),
    }
}
