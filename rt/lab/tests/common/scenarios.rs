//! Programs that several tests run.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::sync::Arc;

use asr_base::Failure;
use asr_kernel::Cx;
use parking_lot::Mutex;

/// Tasks of two steps each, and the order of the steps.
pub(crate) async fn order(cx: Cx, tasks: u32) -> Result<Vec<u32>, Failure> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut handles = Vec::new();
    for n in 0..tasks {
        let order = order.clone();
        handles.push(cx.spawn(async move |cx| {
            order.lock().push(n);
            cx.yield_now().await?;
            order.lock().push(n);
            Ok(())
        })?);
    }
    for handle in handles {
        handle.join(&cx).await?.into_result()?;
    }
    let order = order.lock().clone();
    Ok(order)
}

/// Tasks that read a value, and write it back after a yield: the planted bug, which loses an update
/// in some schedules. The sum of the updates.
pub(crate) async fn racy(cx: Cx, tasks: u32) -> Result<u32, Failure> {
    let cell = Arc::new(Mutex::new(0));
    let mut handles = Vec::new();
    for _ in 0..tasks {
        let cell = cell.clone();
        handles.push(cx.spawn(async move |cx| {
            let read = *cell.lock();
            cx.yield_now().await?;
            *cell.lock() = read + 1;
            Ok(())
        })?);
    }
    for handle in handles {
        handle.join(&cx).await?.into_result()?;
    }
    let sum = *cell.lock();
    Ok(sum)
}
