//! A fiber that borrows a local of the body, which may end before it.

use asr_kernel::{Cx, RegionConfig};

async fn local_of_the_body(cx: &Cx) {
    let _ = cx
        .region(RegionConfig::new(), async |scope, _| {
            let local = 7;
            let _ = scope.fiber(async |_| Ok(local + 1));
            Ok(())
        })
        .await;
}

fn main() {}
