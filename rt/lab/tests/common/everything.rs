//! A program that meets most of what the kernel writes.

use std::time::Duration;

use asr_base::{Budget, CancelKind, Failure};
use asr_kernel::{Cx, RegionConfig, Spawn};
use asr_lab::{Lab, LabConfig};
use asr_trace::Event;

/// Everything an oracle looks at: regions in regions, cancels of several kinds, finalizers of
/// regions and tasks, deadlines and quotas that are met and missed.
async fn everything(cx: Cx) -> Result<(), Failure> {
    cx.defer_sync(|| Ok(()))?;
    cx.defer_async(async |cx| Ok(cx.sleep(Duration::from_secs(1)).await?))?;
    cx.defer_task(|| Ok(()))?;
    cx.trace(1, 2)?;
    let quota = Budget {
        polls: 2,
        ..Budget::UNLIMITED
    };
    let tired = cx.spawn_with(Spawn::new().budget(quota), async |cx: Cx| {
        loop {
            cx.yield_now().await?;
            if cx.budget().polls == 0 {
                return Ok(());
            }
        }
    })?;
    let config = RegionConfig::new().timeout(Duration::from_secs(2));
    let late = cx
        .region(config, async |scope, cx| {
            let fiber = scope.fiber(async |cx| Ok(cx.sleep(Duration::from_secs(9)).await?))?;
            let _ = fiber.join(&cx).await?;
            Ok(())
        })
        .await;
    drop(late);
    let open = cx.open_region(&RegionConfig::new())?;
    let inside = open.spawn(async |cx| {
        cx.defer_sync(|| Ok(()))?;
        Ok(cx.sleep(Duration::from_secs(60)).await?)
    })?;
    cx.yield_now().await?;
    open.cancel("enough");
    open.cancel_as(CancelKind::Shutdown, "at once");
    let _ = inside.join(&cx).await?;
    let _ = open.close(&cx).await;
    let _ = tired.join(&cx).await?;
    Ok(())
}

/// Its events under a seed.
pub(crate) fn events(seed: u64) -> Vec<Event> {
    let run = Lab::new(LabConfig::seed(seed)).run(everything);
    run.expect("no oracle objects").trace.events
}
