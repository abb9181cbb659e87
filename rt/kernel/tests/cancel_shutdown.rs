//! The shutdown: one, from wherever it is called, and never a hang.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Outcome, Status};
use asr_kernel::region::State;
use asr_kernel::sched::Local;
use asr_kernel::{Config, Escalation, Kernel, RegionConfig, Spawn};

const LONG: Duration = Duration::from_secs(1000);

fn local() -> Local {
    Local::new(Config::default())
}

/// Runs a task that waits for long, and shuts down in a way.
fn ended_by(shut: impl FnOnce(Arc<Kernel>) + Send + 'static) {
    let local = local();
    let kernel = local.kernel().clone();
    let at = kernel.clone();
    let outcome: Outcome<(), _> = local.run(async move |cx| {
        let child = cx.spawn(async |cx| Ok(cx.sleep(LONG).await?))?;
        shut(at);
        cx.sleep(LONG).await?;
        child.join(&cx).await?.into_result()
    });
    let Outcome::Cancelled(reason) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(reason.kind(), CancelKind::ParentCancelled);
    assert_eq!(reason.root().kind(), CancelKind::Shutdown);
    assert!(kernel.is_closed());
    // A thread that is still inside its call may refer to a record; it is given time to go.
    let watchdog = std::time::Instant::now();
    while kernel.owned_records() != (0, 0) && watchdog.elapsed() < Duration::from_secs(60) {
        std::thread::yield_now();
    }
    assert_eq!(kernel.owned_records(), (0, 0));
    // Once more, after the end: nothing.
    kernel.shutdown();
    let again: Outcome<(), _> = local.run(async |_| Ok(()));
    let Outcome::Err(error) = again else {
        panic!("{again:?}")
    };
    assert_eq!(error.kind(), Status::SHUTDOWN);
}

#[test]
fn can_25_a_task_shuts_down() {
    ended_by(|kernel| kernel.shutdown());
}

#[test]
fn can_25_a_task_shuts_down_many_times() {
    ended_by(|kernel| (0..1000).for_each(|_| kernel.shutdown()));
}

#[test]
fn can_25_a_destructor_shuts_down() {
    struct OnDrop(Arc<Kernel>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.shutdown();
        }
    }
    ended_by(|kernel| drop(OnDrop(kernel)));
    // And one that runs while its task is dropped by an escalation, under a shutdown.
    let mut config = Config::default();
    config.cleanup.duration = Duration::ZERO;
    let local = Local::new(config);
    let kernel = local.kernel().clone();
    let outcome: Outcome<(), _> = local.run(async move |cx| {
        let guard = OnDrop(kernel.clone());
        let _ = cx.spawn(async move |_| {
            let _guard = guard;
            pending::<()>().await;
            Ok(())
        })?;
        cx.yield_now().await?;
        kernel.shutdown();
        Ok(cx.sleep(LONG).await?)
    });
    assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
}

#[test]
fn can_25_a_foreign_thread_shuts_down() {
    ended_by(|kernel| drop(std::thread::spawn(move || kernel.shutdown())));
}

#[test]
fn can_25_threads_and_a_task_shut_down_at_once() {
    for _ in 0..20 {
        ended_by(|kernel| {
            let others: Vec<_> = (0..4)
                .map(|_| {
                    let kernel = kernel.clone();
                    std::thread::spawn(move || kernel.shutdown())
                })
                .collect();
            kernel.shutdown();
            // One that is still inside may refer to a record.
            for other in others {
                other.join().expect("no panic");
            }
        });
    }
}

#[test]
fn can_25_a_shutdown_that_races_with_the_end_is_harmless() {
    for _ in 0..200 {
        let local = local();
        let kernel = local.kernel().clone();
        let other = std::thread::spawn(move || kernel.shutdown());
        drop(local.run(async |_| Ok(())));
        other.join().expect("no panic");
    }
}

#[test]
fn can_25_a_shutdown_before_the_start_lets_nothing_start() {
    let local = local();
    local.kernel().shutdown();
    let outcome: Outcome<(), _> = local.run(async |_| Ok(()));
    let Outcome::Err(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.kind(), Status::SHUTDOWN);
}

/// Blocking calls come with the blocking pool.
#[test]
fn can_25_part_after_the_shutdown_spawn_and_timers_refuse_at_once() {
    let local = local();
    let kernel = local.kernel().clone();
    let root = kernel.root();
    let seen = Arc::new(AtomicU32::new(0));
    let (count, at) = (seen.clone(), kernel.clone());
    let inside = root.clone();
    drop(local.run(async move |cx| {
        at.shutdown();
        let status = cx
            .spawn(async |_| Ok(()))
            .map_err(|refused| refused.status());
        assert_eq!(status.err(), Some(Status::SHUTDOWN));
        let status = inside
            .spawn(async |_| Ok(()))
            .map_err(|refused| refused.status());
        assert_eq!(status.err(), Some(Status::SHUTDOWN));
        // Who does not clean up under a mask does not wait for any timer.
        assert!(cx.sleep(LONG).await.is_err());
        count.store(1, Relaxed);
        Ok(())
    }));
    assert_eq!(seen.load(Relaxed), 1);
    assert_eq!(root.state(), State::Closed);
    let status = root
        .spawn(async |_| Ok(()))
        .map_err(|refused| refused.status());
    assert_eq!(status.err(), Some(Status::SHUTDOWN));
}

/// A handle of the root that outlives the runtime leads to a kernel that is there.
#[test]
fn can_25_part_a_handle_of_the_root_keeps_the_kernel() {
    for ran in [false, true] {
        let local = local();
        if ran {
            drop(local.run(async |_| Ok(())));
        }
        let kernel = Arc::downgrade(local.kernel());
        let root = local.kernel().root();
        let more = local.kernel().regions();
        drop(local);
        assert!(kernel.upgrade().is_some());
        // One that never ran was given up.
        assert_eq!(root.state(), State::Closed);
        drop(root);
        assert_eq!(kernel.upgrade().is_some(), !more.is_empty());
        drop(more);
        assert!(kernel.upgrade().is_none());
    }
}

/// A config whose cleanup and grace end soon.
/// Cleanups end at once, and the shutdown after this grace.
fn hasty(grace: Duration) -> Config {
    let mut config = Config::default();
    config.cleanup.duration = Duration::from_millis(1);
    config.shutdown_grace = grace;
    config
}

/// A task that waits for ever where nothing may drop it: its region is soft.
#[test]
fn can_26_part_a_shutdown_that_cannot_end_returns_and_names_who_is_left() {
    for by_thread in [false, true] {
        let local = Local::new(hasty(Duration::from_millis(200)));
        let kernel = local.kernel().clone();
        let outcome: Outcome<(), _> = local.run(async move |cx| {
            let soft = RegionConfig::new().escalation(Escalation::Soft);
            cx.region(soft, async move |scope, cx| {
                let _ = scope.spawn_with(Spawn::new().name("deaf"), async |cx| {
                    let _ = cx.checkpoint_at(&"waiting for a call");
                    pending::<()>().await;
                    Ok(())
                })?;
                cx.yield_now().await?;
                if by_thread {
                    drop(std::thread::spawn(move || kernel.shutdown()));
                } else {
                    kernel.shutdown();
                }
                Ok(())
            })
            .await
            .into_result()
        });
        let Outcome::Err(error) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(error.kind(), Status::TIMED_OUT);
        let stuck = local.kernel().stuck();
        // The main task was in a bounded region, and was dropped, but on a machine that stood still
        // for the whole grace.
        assert!(stuck.len() <= 2, "{stuck:?}");
        let deaf = stuck.iter().find(|left| left.name.is_some());
        let deaf = deaf.expect("it is left");
        assert_eq!(deaf.name.as_deref(), Some("deaf"));
        assert_eq!(deaf.message, Some("waiting for a call"));
        assert!(!deaf.in_poll);
        assert!(error.message().contains(&deaf.task.to_string()), "{error}");
    }
}

/// A poll that does not return holds the thread of a `Local`; with workers it will not.
#[test]
fn can_26_part_who_is_stuck_in_a_poll_is_named_from_outside() {
    let local = Local::new(hasty(LONG));
    let kernel = local.kernel().clone();
    let outcome: Outcome<(), _> = local.run(async move |cx| {
        let id = cx.task_id();
        kernel.shutdown();
        let seen = std::thread::spawn(move || {
            let stuck = kernel.stuck();
            (stuck.len(), stuck[0].task, stuck[0].in_poll)
        });
        // This poll waits for the other thread.
        assert_eq!(seen.join().expect("no panic"), (1, id, true));
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}

#[test]
fn can_26_part_a_shutdown_that_ends_in_its_grace_is_no_failure() {
    let local = Local::new(hasty(LONG));
    let kernel = local.kernel().clone();
    let outcome: Outcome<(), _> = local.run(async move |cx| {
        let _ = cx.spawn(async |_| {
            pending::<()>().await;
            Ok(())
        })?;
        cx.yield_now().await?;
        kernel.shutdown();
        Ok(cx.sleep(LONG).await?)
    });
    assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
    assert!(local.kernel().is_closed());
    assert!(local.kernel().stuck().is_empty());
}
