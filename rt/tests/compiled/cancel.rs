//! Cancel: of running code, of waiting code, escalated, and the bits of the flag word.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_abi::{Frame, Ret, Thread, flag};
use asr_kernel::compiled::frame_memory;
use asr_rt::{Duration, Escalation, Outcome, RegionConfig, Spawn};

use crate::machines::*;
use crate::runtimes::{Runtime, alone, done};

const LONG: u64 = 3_600_000_000_000;

#[test]
fn abi_39_a_cancel_stops_a_running_loop() {
    let _alone = alone();
    for count in [1, 2, 8] {
        let runtime = Runtime::workers(count);
        let outcome = runtime.run(async |cx| {
            for round in 0..50_u64 {
                let task = cx.spawn_compiled(root(spinner, SIZE, &[u64::MAX, 0]), Spawn::new())?;
                if round % 2 == 0 {
                    cx.yield_now().await?;
                }
                task.abort();
                assert!(matches!(task.join(&cx).await?, Outcome::Cancelled(_)));
            }
            Ok(())
        });
        done(outcome);
    }
}

#[test]
fn abi_28_a_cancelled_wait_is_resumed_and_cleans_up_once() {
    let _alone = alone();
    for runtime in Runtime::each() {
        let before = CLEANED.load(Relaxed);
        let outcome = runtime.run(async |cx| {
            let mut tasks = Vec::new();
            for _ in 0..10 {
                for frame in [
                    root(sleeper, SIZE, &[LONG, 0]),
                    root(outer, SIZE_2, &[LONG, 0]),
                    root(outer_heap, SIZE, &[LONG, 0]),
                ] {
                    tasks.push(cx.spawn_compiled(frame, Spawn::new())?);
                }
            }
            cx.sleep(Duration::from_millis(2)).await?;
            for task in &tasks {
                task.abort();
            }
            for task in tasks {
                assert!(matches!(task.join(&cx).await?, Outcome::Cancelled(_)));
            }
            Ok(())
        });
        done(outcome);
        // Each frame once: one of a sleeper, two of the others.
        assert_eq!(CLEANED.load(Relaxed) - before, 10 * (1 + 2 + 2));
    }
}

machine! {
    /// Waits, and when it is cancelled waits again: only an escalation ends it.
    stubborn(m, th) {
        let got = match m.head.state {
            0 => asr_i_sleep(th, m.slot(), m.word[0]),
            _ => asr_i_op_poll(th, m.slot()),
        };
        if got.status != PENDING {
            let masked = asr_i_mask_enter(th);
            assert_eq!(masked.status, OK);
            let got = asr_i_sleep(th, m.slot(), m.word[0]);
            assert_eq!(got.status, PENDING);
        }
        m.suspend(th, 1)
    }
}

machine! {
    /// Awaits `stubborn` on the heap.
    above(m, th) {
        let child = asr_i_frame_new(th, stubborn).cast::<Machine>();
        (*child).word[0] = m.word[0];
        m.word[2] = child as u64;
        let got = stubborn(child.cast(), th);
        assert_eq!(got.status, PENDING);
        (*child).head.parent = &raw mut m.head;
        m.head.state = 1;
        got
    }
}

fn register_stubborn() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        register_unit(
            8,
            &[
                (stubborn, "stubborn", &[64], &[]),
                (above, "above", &[], &[48]),
            ],
        );
    });
}

#[test]
fn abi_28_escalation_frees_by_the_table_without_cleanup() {
    let _alone = alone();
    register_stubborn();
    let mut config = asr_kernel::Config::default();
    config.cleanup.duration = Duration::from_millis(5);
    for runtime in Runtime::each_with(config) {
        let cleaned = CLEANED.load(Relaxed);
        let outcome = runtime.run(async |cx| {
            let config = RegionConfig::new().escalation(Escalation::Drop);
            let region = cx.open_region(&config)?;
            for _ in 0..20 {
                for frame in [
                    root(stubborn, SIZE_2, &[LONG]),
                    root(above, SIZE_2, &[LONG]),
                ] {
                    drop(region.spawn_compiled(frame, Spawn::new())?);
                }
            }
            cx.sleep(Duration::from_millis(2)).await?;
            region.cancel("escalate");
            drop(region.close(&cx).await);
            Ok(())
        });
        done(outcome);
        assert_eq!(CLEANED.load(Relaxed), cleaned, "no cleanup ran");
        assert!(runtime.kernel().inspect_timers().is_empty());
        drop(runtime);
        let (_, bytes) = frame_memory();
        assert!(bytes < 64 << 20);
    }
}

machine! {
    /// What it finds in the state of the thread goes to `SEEN`.
    looks(m, th) {
        let _ = m;
        SEEN[0].store(th.task_id.get(), Relaxed);
        SEEN[1].store(u64::from(th.context.get().is_null()), Relaxed);
        SEEN[2].store(u64::from(th.flag.load(Relaxed) & flag::OF_TASK), Relaxed);
        ret(0, OK)
    }
}
static SEEN: [AtomicU64; 3] = [const { AtomicU64::new(7) }; 3];

#[test]
fn abi_20_abi_41_the_thread_says_whose_poll_it_is() {
    let _alone = alone();
    let runtime = Runtime::Local(asr_kernel::sched::Local::new(asr_kernel::Config::default()));
    let outcome = runtime.run(async |cx| {
        let task = cx.spawn_compiled(root(looks, SIZE, &[]), Spawn::new())?;
        let id = task.id().to_bits();
        task.join(&cx).await?.into_result()?;
        Ok(id)
    });
    let th = asr_kernel::thread::adopt();
    assert_eq!(SEEN[0].load(Relaxed), done(outcome));
    assert_eq!((SEEN[1].load(Relaxed), SEEN[2].load(Relaxed)), (0, 0));
    assert!(th.task.get().is_null() && th.context.get().is_null() && th.task_id.get() == 0);
}

/// A row outside of a task, and from C inside of one.
#[test]
fn abi_20_outside_of_a_task_rows_refuse() {
    use asr_abi::status::BAD_ARGUMENT;
    let th = asr_kernel::thread::adopt();
    // SAFETY: rows refuse before they use what they are given.
    unsafe {
        for refused in [
            asr_i_region_open(th),
            asr_i_chan_new(th, 1),
            asr_i_mask_enter(th),
            asr_i_reserve(th, 0),
            asr_i_sleep(th, std::ptr::null_mut(), 0),
            asr_i_join(th, std::ptr::null_mut(), 1),
        ] {
            assert_eq!(refused.status, u64::from(BAD_ARGUMENT));
        }
    }
    let _: fn(*mut Frame, *const Thread) -> Option<Ret> = |_, _| None;
}
