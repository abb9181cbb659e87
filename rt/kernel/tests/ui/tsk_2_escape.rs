//! A fiber whose borrow would outlive what it borrows.

use asr_kernel::{Cx, RegionConfig};

async fn escapes(cx: &Cx) {
    let region = {
        let local = 7;
        let borrowed = &local;
        cx.region(RegionConfig::new(), async move |scope, _| {
            let _ = scope.fiber(async move |_| Ok(*borrowed));
            Ok(())
        })
    };
    let _ = region.await;
}

fn main() {}
