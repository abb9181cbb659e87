//! What tasks cost: allocations and live bytes, counted by the allocator of this program.

#[path = "../../base/tests/counting/mod.rs"]
mod counting;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use asr_base::Outcome;
use asr_kernel::sched::Local;
use asr_kernel::task::Task;
use asr_kernel::{Config, Policy, RegionConfig};
use counting::{allocations, live};
use parking_lot::Mutex;

fn full() -> bool {
    std::env::var_os("ASR_FULL").is_some()
}

#[track_caller]
fn ok<T>(outcome: Outcome<T, asr_base::Error>) -> T {
    match outcome {
        Outcome::Ok(value) => value,
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn tsk_25_sequential_tasks_use_one_record_again_and_again() {
    let many = if full() { 1_000_000 } else { 50_000 };
    let local = Local::new(Config::default());
    let kernel = local.kernel().clone();
    let (early, late) = ok(local.run(async move |cx| {
        let mut early = 0;
        for n in 0..many {
            let outcome = cx.spawn(async |_| Ok(()))?.join(&cx).await?;
            outcome.into_result()?;
            if n == 999 {
                early = live();
            }
        }
        // Main, and nobody else.
        assert_eq!(kernel.owned_records().0, 1);
        Ok((early, live()))
    }));
    assert!(late <= early + early / 100, "{early} bytes, then {late}");
}

#[test]
fn tsk_25_a_record_is_held_by_what_refers_to_it_and_no_longer() {
    let local = Local::new(Config::default());
    let kernel = local.kernel().clone();
    ok(local.run(async move |cx| {
        let handle = cx.spawn(async |_| Ok(7))?;
        cx.yield_now().await?;
        assert!(handle.is_finished());
        assert_eq!(kernel.owned_records().0, 2, "not joined yet");
        drop(handle);
        assert_eq!(kernel.owned_records().0, 1);
        Ok(())
    }));
}

#[test]
fn tsk_26_wakes_and_polls_allocate_nothing() {
    let allocated = ok(Local::new(Config::default()).run(async |cx| {
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let slot = waker.clone();
        let child = cx.spawn(async move |cx| {
            poll_fn(|context| {
                let kept = slot.lock().is_some();
                if !kept {
                    *slot.lock() = Some(context.waker().clone());
                }
                match cx.is_cancel_requested() {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
            Ok(())
        })?;
        for _ in 0..100 {
            cx.yield_now().await?;
        }
        let own = waker.lock().clone().expect("it was polled");
        let before = allocations();
        for _ in 0..10_000 {
            own.wake_by_ref();
            cx.yield_now().await?;
            let clone = own.clone();
            clone.wake();
        }
        let allocated = allocations() - before;
        child.abort();
        child.join(&cx).await?.into_result()?;
        Ok(allocated)
    }));
    assert_eq!(allocated, 0);
}

/// The future of a task lies in its cell: that is the one allocation.
#[test]
fn tsk_26_a_spawn_allocates_once_with_its_future() {
    let (spawned, joined) = ok(Local::new(Config::default()).run(async |cx| {
        // Lists and slots grow to what they need.
        for _ in 0..2 {
            let warm: Vec<_> = (0..1000)
                .map(|_| cx.spawn(async |_| Ok([0_u8; 200])))
                .collect::<Result<_, _>>()?;
            for handle in warm {
                handle.join(&cx).await?.into_result()?;
            }
        }
        let mut handles = Vec::with_capacity(1000);
        let before = allocations();
        for _ in 0..1000 {
            handles.push(cx.spawn(async |cx| {
                cx.yield_now().await?;
                Ok([0_u8; 200])
            })?);
        }
        let spawned = allocations() - before;
        let before = allocations();
        for handle in handles {
            handle.join(&cx).await?.into_result()?;
        }
        Ok((spawned, allocations() - before))
    }));
    assert_eq!((spawned, joined), (1000, 0));
}

#[test]
fn tsk_29_part_suspended_tasks_that_were_never_cancelled_are_small() {
    assert!(size_of::<Task>() <= 80, "{}", size_of::<Task>());
    let tasks = if full() { 1_000_000 } else { 100_000 };
    let each = ok(Local::new(Config::default()).run(async move |cx| {
        let all = RegionConfig::new().policy(Policy::CollectAll);
        let region = cx.open_region(&all)?;
        let before = live();
        for _ in 0..tasks {
            drop(region.spawn(async |_| {
                std::future::pending::<()>().await;
                Ok(())
            })?);
        }
        // Polled once each, and waiting.
        cx.yield_now().await?;
        let each = (live() - before) as f64 / tasks as f64;
        drop(region);
        Ok(each)
    }));
    println!("{each} bytes a suspended task");
    // The record, what the slab keeps ahead (chunks double), the cell of this future, the queue.
    assert!(each <= 80.0 * 2.0 + 256.0, "{each} bytes a suspended task");
}
