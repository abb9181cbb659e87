//! Lab tests of `asr-sync`, by what they are about.

mod branches;
mod channels;
mod ends;
mod futurelock;
mod locks;
mod unpolled;

use asr_base::Failure;
use asr_kernel::{Cx, Policy, RegionConfig};

/// Runs a body some of whose tasks end cancelled: in a region whose outcome nobody asks for.
pub(crate) async fn apart<F, Fut>(cx: &Cx, body: F) -> Result<(), Failure>
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let region = cx.open_region(&RegionConfig::new().policy(Policy::CollectAll))?;
    let body = region.spawn(body)?;
    let ended = body.join(cx).await?.into_result();
    let _ = region.close(cx).await;
    ended
}
