//! Misuse: each gives a typed error, and nothing else.

use std::sync::Arc;

use asr_base::{Outcome, Status};
use asr_kernel::cx::caps;
use asr_kernel::region::State;
use asr_kernel::{Cx, RegionConfig};

use crate::local;

#[test]
fn a_runtime_that_has_ended_says_shutdown() {
    let runtime = local();
    assert!(runtime.run(async |_| Ok(())).is_ok());
    let Outcome::Err(error) = runtime.run(async |_| Ok(())) else {
        panic!("it has ended")
    };
    assert_eq!(error.kind(), Status::SHUTDOWN);
    assert_eq!(runtime.kernel().root().state(), State::Closed);
    runtime.kernel().shutdown();
    assert_eq!(runtime.kernel().check_tree(), Ok(()));
}

/// Names of regions and tasks that are gone, whose slots have other occupants.
#[test]
fn stale_names_are_refused() {
    let runtime = local();
    let kernel = runtime.kernel().clone();
    let outcome = runtime.run(async move |cx| {
        let first = cx.open_region(&RegionConfig::new())?;
        let task = first.spawn(async |_| Ok(()))?;
        let (region, task_id) = (first.id(), task.id());
        assert_eq!(kernel.region(region)?.id(), region);
        first.close(&cx).await.into_result()?;
        drop((first, task));
        let second = cx.open_region(&RegionConfig::new())?;
        assert_eq!(
            second.id().index(),
            region.index(),
            "the slot is used again"
        );
        for refused in [
            kernel.region(region).map(drop),
            kernel.task(task_id).map(drop),
            second.cancel_below(region, "gone"),
        ] {
            assert_eq!(refused.expect_err("stale").kind(), Status::STALE_HANDLE);
        }
        second.close(&cx).await.into_result()
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// A context that outlived its task, whose region is gone and whose slots would have been used
/// again, were it not for the context.
#[test]
fn a_context_that_outlived_its_region_is_refused() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let first = cx.open_region(&RegionConfig::new())?;
        let region = first.id();
        let kept = first.spawn(async |cx| Ok(cx))?.join(&cx).await?;
        let kept: Cx = kept.into_result()?;
        first.close(&cx).await.into_result()?;
        drop(first);
        let other = cx.open_region(&RegionConfig::new())?;
        assert_ne!(other.id(), region);
        assert_eq!(kept.region_id(), region);
        let closed = Status::REGION_CLOSED;
        let spawner = kept.spawner();
        assert_eq!(
            spawner.spawn(async |_| Ok(())).expect_err("gone").status(),
            closed
        );
        assert_eq!(
            kept.spawn(async |_| Ok(())).expect_err("gone").status(),
            closed
        );
        assert_eq!(
            kept.defer_sync(|| Ok(())).expect_err("gone").status(),
            closed
        );
        assert_eq!(kept.defer_task(|| Ok(())).expect_err("gone").kind(), closed);
        let refused = kept.open_region(&RegionConfig::new());
        assert_eq!(refused.expect_err("gone").kind(), closed);
        let refused: Outcome<(), _> = kept.region(RegionConfig::new(), async |_, _| Ok(())).await;
        let Outcome::Err(error) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(error.kind(), closed);
        let _ = kept.budget();
        let _ = kept.charge(1);
        assert_eq!(other.state(), State::Open);
        other.close(&cx).await.into_result()
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(runtime.kernel().owned_records(), (0, 0));
}

/// A handle of a closed region keeps nothing open, and asks no other.
#[test]
fn a_handle_of_a_closed_region_is_refused() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let first = cx.open_region(&RegionConfig::new())?;
        let handle = first.clone();
        first.close(&cx).await.into_result()?;
        drop(first);
        let other = cx.open_region(&RegionConfig::new())?;
        let refused = handle.spawn(async |_| Ok(())).expect_err("closed");
        assert_eq!(refused.status(), Status::REGION_CLOSED);
        handle.cancel("nobody hears it");
        handle.begin_close();
        assert_eq!(handle.close(&cx).await, Outcome::Ok(()));
        assert_eq!(
            (handle.state(), other.state()),
            (State::Closed, State::Open)
        );
        cx.checkpoint()?;
        other.close(&cx).await.into_result()
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// Handles of the root too, whose record belongs to the kernel.
#[test]
fn what_outlives_the_runtime_is_harmless() {
    let runtime = local();
    let kept = Arc::new(std::sync::Mutex::new(None));
    let keep = kept.clone();
    let outcome = runtime.run(async move |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let shared = cx.share::<caps::Task>();
        *keep.lock().expect("no panic under it") = Some((owned.clone(), shared));
        owned.close(&cx).await.into_result()
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    let root = runtime.kernel().root();
    drop(runtime);
    assert_eq!(root.state(), State::Closed);
    assert!(root.spawn(async |_| Ok(())).is_err());
    drop(root);
    let (region, cx) = kept
        .lock()
        .expect("no panic under it")
        .take()
        .expect("kept");
    assert_eq!(region.state(), State::Closed);
    region.cancel("nobody hears it");
    assert!(region.spawn(async |_| Ok(())).is_err());
    drop(region);
    drop(cx);
}
