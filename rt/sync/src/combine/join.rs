//! All branches, and what they gave, in the order of the branches.

use asr_base::{Error, Failure, Outcome};
use asr_kernel::cx::{May, Set, caps};
use asr_kernel::{Cx, Policy, RegionConfig, Scope};

use super::settle;

/// Runs both branches and waits for both. If both end Ok, so does this; else the result is the
/// combination of their outcomes, the worst, and of equals the first (VAL-3). Under
/// [`Policy::FailFast`] a branch that fails cancels the other with FailFast, under
/// [`Policy::CollectAll`] nothing is cancelled (CMB-7).
///
/// # Cancel safety
/// Waits for the branches even so: a cancel is passed on to them as ParentCancelled, and is the
/// result once they have ended. Dropping the future ends the branches at once, and leaves what they
/// started to the region around (REG-36).
pub async fn join<'env, C, A, B, F, G, FutA, FutB>(
    cx: &Cx<C>,
    policy: Policy,
    first: F,
    second: G,
) -> Outcome<(A, B), Error>
where
    C: Set + May<caps::Fiber>,
    F: FnOnce(Cx<C>) -> FutA + Send + 'env,
    G: FnOnce(Cx<C>) -> FutB + Send + 'env,
    FutA: Future<Output = Result<A, Failure>> + Send + 'env,
    FutB: Future<Output = Result<B, Failure>> + Send + 'env,
    A: Send + 'env,
    B: Send + 'env,
{
    let body = move |scope: Scope<'env, C>, cx: Cx<C>| async move {
        let (first, second) = (scope.fiber(first)?, scope.fiber(second)?);
        // Both are waited for here, so that the region admits as long as one of them lives.
        let (first, second) = (first.join(&cx).await?, second.join(&cx).await?);
        Ok(first.ok().zip(second.ok()))
    };
    whole(cx, cx.region(config(policy), body).await)
}

/// The same for any number of branches of one type. Of none it is the empty list, at once.
///
/// # Cancel safety
/// As for [`join`].
pub async fn join_all<'env, C, T, I, F, Fut>(
    cx: &Cx<C>,
    policy: Policy,
    branches: I,
) -> Outcome<Vec<T>, Error>
where
    C: Set + May<caps::Fiber>,
    I: IntoIterator<Item = F>,
    F: FnOnce(Cx<C>) -> Fut + Send + 'env,
    Fut: Future<Output = Result<T, Failure>> + Send + 'env,
    T: Send + 'env,
{
    let branches: Vec<F> = branches.into_iter().collect();
    if branches.is_empty() {
        return Outcome::Ok(Vec::new());
    }
    let body = move |scope: Scope<'env, C>, cx: Cx<C>| async move {
        let mut handles = Vec::with_capacity(branches.len());
        for branch in branches {
            handles.push(scope.fiber(branch)?);
        }
        let mut values = Some(Vec::with_capacity(handles.len()));
        for handle in handles {
            let value = handle.join(&cx).await?.ok();
            values = values.zip(value).map(|(mut values, value)| {
                values.push(value);
                values
            });
        }
        Ok(values)
    };
    whole(cx, cx.region(config(policy), body).await)
}

fn config(policy: Policy) -> RegionConfig {
    RegionConfig::new().policy(policy)
}

/// The outcome of the region is the combination of those of its children.
fn whole<C: Set, T>(cx: &Cx<C>, outcome: Outcome<Option<T>, Error>) -> Outcome<T, Error> {
    settle(cx, outcome).map(|values| values.expect("a region is not Ok if a branch is not"))
}
