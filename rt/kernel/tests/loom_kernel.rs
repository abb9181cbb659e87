//! The kernel itself under the model checker: two threads at its shared words, with real records,
//! regions and handles. Each model ends with every task run to its end.
#![cfg(loom)]

mod model;

use std::future::poll_fn;
use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Poll, Waker};

use asr_base::{Failure, Outcome};
use asr_kernel::RegionConfig;
use asr_kernel::region::State;
use asr_kernel::task::Phase;
use loom::sync::{Arc, Mutex};
use model::{Model, model, model_within, outcome, spawn};

/// REG-4: a spawn that races the close is either seen by the drain or refused; nobody lives after
/// `Closed`.
#[test]
fn reg_4_spawn_against_close() {
    model(|| {
        let model = Model::new();
        let region = model.kernel.root().open(&RegionConfig::new()).unwrap();
        let spawner = {
            let region = (*region).clone();
            spawn(move || {
                let ran = StdArc::new(AtomicU32::new(0));
                let inside = ran.clone();
                let spawned = region.spawn(async move |_| {
                    inside.fetch_add(1, Relaxed);
                    Ok(())
                });
                (spawned, ran)
            })
        };
        region.begin_close();
        let (spawned, ran) = spawner.join().unwrap();
        if spawned.is_ok() {
            assert_ne!(region.state(), State::Closed, "closed with a live child");
        }
        model.drain();
        assert_eq!(region.state(), State::Closed);
        match spawned {
            Ok(handle) => {
                assert!(matches!(outcome(handle), Outcome::Ok(())));
                assert_eq!(ran.load(Relaxed), 1);
            }
            Err(refused) => {
                drop(refused);
                assert_eq!(ran.load(Relaxed), 0);
            }
        }
        model.finish();
    });
}

/// TSK-7: a cancel that races the completion is late, or cancels; the outcome says which.
#[test]
fn tsk_7_cancel_against_complete() {
    model(|| {
        let model = Model::new();
        let handle = model.kernel.root().spawn(async |_| Ok(1)).unwrap();
        let task = model.kernel.task(handle.id()).unwrap();
        let runner = {
            let model = model.clone();
            spawn(move || model.drain())
        };
        handle.abort();
        runner.join().unwrap();
        model.drain();
        assert_eq!(task.phase(), Phase::Completed);
        match outcome(handle) {
            Outcome::Ok(value) => assert_eq!(value, 1),
            Outcome::Cancelled(_) => {}
            other => panic!("{other:?}"),
        }
        model.finish();
    });
}

/// TSK-12: a wake that races the poll is not lost.
#[test]
fn tsk_12_wake_against_poll() {
    model(|| {
        let model = Model::new();
        let ready = Arc::new(loom::sync::atomic::AtomicU32::new(0));
        let waker: Arc<Mutex<Option<Waker>>> = Arc::new(Mutex::new(None));
        let handle = {
            let (ready, waker) = (ready.clone(), waker.clone());
            let spawned = model.kernel.root().spawn(async move |_| {
                poll_fn(|context| {
                    *waker.lock().unwrap() = Some(context.waker().clone());
                    if ready.load(loom::sync::atomic::Ordering::Acquire) == 1 {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
                waker.lock().unwrap().take();
                Ok(())
            });
            spawned.unwrap()
        };
        let setter = {
            let (ready, waker) = (ready.clone(), waker.clone());
            spawn(move || {
                ready.store(1, loom::sync::atomic::Ordering::Release);
                let waker = waker.lock().unwrap().take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            })
        };
        model.run_one();
        setter.join().unwrap();
        model.drain();
        assert!(matches!(outcome(handle), Outcome::Ok(())));
        model.finish();
    });
}

/// A joiner that races the completion is woken, and gets the outcome once (TSK-9).
#[test]
fn tsk_9_join_against_complete() {
    model(|| {
        let model = Model::new();
        let child = model.kernel.root().spawn(async |_| Ok(7)).unwrap();
        let spawned = model.kernel.root().spawn(async move |cx| {
            let joined = child.join(&cx).await?;
            Ok::<u32, Failure>(joined.into_result()?)
        });
        let joiner = spawned.unwrap();
        let other = {
            let model = model.clone();
            spawn(move || model.run_one())
        };
        model.run_one();
        other.join().unwrap();
        model.drain();
        assert!(matches!(outcome(joiner), Outcome::Ok(7)));
        model.finish();
    });
}

/// REG-7: of two children that end at once in a closing region, one runs the finalizers, once.
#[test]
fn reg_7_one_thread_finalizes() {
    model(|| {
        let model = Model::new();
        let region = model.kernel.root().open(&RegionConfig::new()).unwrap();
        let ran = StdArc::new(AtomicU32::new(0));
        let finalized = ran.clone();
        let deferred = region.defer_sync(move || {
            finalized.fetch_add(1, Relaxed);
            Ok(())
        });
        deferred.unwrap();
        for _ in 0..2 {
            drop(region.spawn(async |_| Ok(())).unwrap());
        }
        region.begin_close();
        let other = {
            let model = model.clone();
            spawn(move || model.run_one())
        };
        model.run_one();
        other.join().unwrap();
        model.drain();
        assert_eq!(region.state(), State::Closed);
        assert_eq!(ran.load(Relaxed), 1);
        model.finish();
    });
}

/// CAN-5: a task that is spawned while its region is cancelled is found by the request, or starts
/// cancelled: its body does not run once the request is complete.
#[test]
fn can_5_spawn_against_cancel() {
    model(|| {
        let model = Model::new();
        let region = model.kernel.root().open(&RegionConfig::new()).unwrap();
        let ran = StdArc::new(AtomicU32::new(0));
        let spawner = {
            let (region, inside) = ((*region).clone(), ran.clone());
            spawn(move || {
                let spawned = region.spawn(async move |_| {
                    inside.fetch_add(1, Relaxed);
                    Ok(())
                });
                spawned.unwrap()
            })
        };
        region.cancel("enough");
        let handle = spawner.join().unwrap();
        region.begin_close();
        model.drain();
        assert_eq!(ran.load(Relaxed), 0);
        assert!(matches!(outcome(handle), Outcome::Cancelled(_)));
        model.finish();
    });
}

/// A plain cell of memory: relaxed, so that only the edge orders it.
fn cell() -> Arc<loom::sync::atomic::AtomicU32> {
    Arc::new(loom::sync::atomic::AtomicU32::new(0))
}

const RELAXED: loom::sync::atomic::Ordering = loom::sync::atomic::Ordering::Relaxed;

/// TSK-27: what is written before a completion is visible after the join, and after the close of
/// the region, on whatever thread; what is written before a spawn, in the first poll.
#[test]
fn tsk_27_spawn_completion_and_close_order_memory() {
    model_within(2, || {
        let model = Model::new();
        let region = model.kernel.root().open(&RegionConfig::new()).unwrap();
        let (before, inside) = (cell(), cell());
        before.store(1, RELAXED);
        let child = {
            let (before, inside) = (before.clone(), inside.clone());
            let spawned = region.spawn(async move |_| {
                assert_eq!(before.load(RELAXED), 1);
                inside.store(1, RELAXED);
                Ok(())
            });
            spawned.unwrap()
        };
        region.begin_close();
        let other = {
            let model = model.clone();
            spawn(move || model.drain())
        };
        if child.is_finished() {
            assert_eq!(inside.load(RELAXED), 1);
        }
        if region.state() == State::Closed {
            assert_eq!(inside.load(RELAXED), 1);
        }
        other.join().unwrap();
        model.finish();
    });
}

/// TSK-27: what one poll writes is visible in the next, on another thread; what is written before a
/// cancel request is visible to who observes it.
#[test]
fn tsk_27_polls_and_requests_order_memory() {
    model_within(2, || {
        let model = Model::new();
        let (polled, asked) = (cell(), cell());
        let handle = {
            let (polled, asked) = (polled.clone(), asked.clone());
            let spawned = model.kernel.root().spawn(async move |cx| {
                let mut polls = 0;
                let interrupted = poll_fn(|context| {
                    assert_eq!(polled.load(RELAXED), polls);
                    polls += 1;
                    polled.store(polls, RELAXED);
                    if cx.checkpoint().is_err() {
                        assert_eq!(asked.load(RELAXED), 1);
                        return Poll::Ready(());
                    }
                    if polls < 3 {
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Poll::Ready(())
                });
                interrupted.await;
                Ok(())
            });
            spawned.unwrap()
        };
        let other = {
            let model = model.clone();
            spawn(move || model.drain())
        };
        model.run_one();
        asked.store(1, RELAXED);
        handle.abort();
        other.join().unwrap();
        model.drain();
        drop(handle);
        model.finish();
    });
}
