//! A scope that was carried out of its region starts no fiber that borrows what ends before the
//! region's future does.

use std::cell::RefCell;
use std::pin::pin;

use asr_kernel::{Cx, RegionConfig, Scope};

async fn stash(cx: Cx) {
    let kept: RefCell<Option<Scope<'_>>> = RefCell::new(None);
    let mut region = pin!(cx.region(RegionConfig::new(), async |scope, cx| {
        *kept.borrow_mut() = Some(scope);
        cx.yield_now().await?;
        Ok(())
    }));
    let _ = std::future::poll_fn(|context| {
        let _ = region.as_mut().poll(context);
        std::task::Poll::Ready(())
    })
    .await;
    {
        let short = String::from("ends before the region's future");
        let scope = kept.borrow_mut().take().unwrap();
        let _ = scope.fiber(async |_| Ok(short.len()));
    }
}

fn main() {}
