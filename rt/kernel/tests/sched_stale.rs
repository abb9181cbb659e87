//! Tasks that are promoted while they are queued have two entries: whoever takes which, each wake
//! leads to one poll, and none at the same time as another (SCH-13). The kernel's own assertion on
//! the entries of a task is on in these tests.

#[path = "common/runtime.rs"]
mod runtime;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use asr_base::Outcome;
use asr_kernel::Spawn;
use runtime::{COUNTS, all, done, on, turn, workers};

/// Tasks that yield are cancelled by others while they are in a ring, in the injector, on their
/// way from one worker to another, or in a poll.
#[test]
fn sch_13_a_promoted_task_is_polled_by_one_at_a_time() {
    const TASKS: usize = 300;
    for count in COUNTS {
        let runtime = workers(count);
        let (started, ended) = done(runtime.run(async move |cx| {
            let [started, ended] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
            let mut tasks = Vec::new();
            for n in 0..TASKS {
                let (started, ended) = (started.clone(), ended.clone());
                let inside = AtomicBool::new(false);
                let options = match n % 4 {
                    0 => on(n % count),
                    _ => Spawn::new(),
                };
                tasks.push(cx.spawn_with(options, async move |cx| {
                    started.fetch_add(1, Relaxed);
                    for round in 0.. {
                        assert!(!inside.swap(true, Relaxed), "polled by two");
                        let asked = cx.is_cancel_requested();
                        assert!(inside.swap(false, Relaxed));
                        // It goes on for a while in the cancel lane, where an old entry of it may
                        // be found, then ends.
                        if asked && round % 8 == 0 {
                            break;
                        }
                        turn().await;
                    }
                    ended.fetch_add(1, Relaxed);
                    Ok(())
                })?);
            }
            let tasks = Arc::new(tasks);
            let mut cancellers = Vec::new();
            for part in 0..4 {
                let tasks = tasks.clone();
                cancellers.push(cx.spawn(async move |cx| {
                    for task in tasks.iter().skip(part).step_by(4) {
                        task.abort();
                        cx.yield_now().await?;
                    }
                    Ok(())
                })?);
            }
            all(&cx, cancellers).await?;
            let tasks = Arc::into_inner(tasks).expect("the cancellers have ended");
            for task in tasks {
                let outcome = task.join(&cx).await?;
                assert!(!matches!(outcome, Outcome::Panicked(_)), "{outcome:?}");
            }
            Ok((started.load(Relaxed), ended.load(Relaxed)))
        }));
        // Who was cancelled before its first poll never started.
        assert_eq!(started, ended);
        assert_eq!(runtime.kernel().owned_records(), (0, 0));
    }
}
