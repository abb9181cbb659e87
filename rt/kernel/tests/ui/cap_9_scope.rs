//! A scope kept beyond what its fibers may borrow.

use asr_kernel::{Cx, RegionConfig, Scope};

async fn kept<'a>(cx: &Cx) -> Option<Scope<'a>> {
    let local = 7;
    let borrowed = &local;
    let mut slot = None;
    let out = &mut slot;
    let _ = cx
        .region(RegionConfig::new(), async |scope, _| {
            let _ = scope.fiber(async move |_| Ok(*borrowed));
            *out = Some(scope);
            Ok(())
        })
        .await;
    slot
}

fn main() {}
