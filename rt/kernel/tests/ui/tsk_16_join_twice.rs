//! A handle used after it was joined.

use asr_kernel::{Cx, JoinHandle};

async fn twice(cx: &Cx, handle: JoinHandle<u32>) {
    let _ = handle.join(cx).await;
    let _ = handle.join(cx).await;
}

fn main() {}
