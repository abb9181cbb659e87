//! The end of a task under the model checker, against what others give it at that moment.
#![cfg(loom)]

mod model;

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use asr_base::{Outcome, Status};
use asr_kernel::cx::caps::Io;
use asr_kernel::obligation::{AbortCause, Kind, LeakResponse};
use asr_kernel::{Config, Cx};
use model::{Model, model_within, outcome, spawn};

/// A context that its task gave away.
type Given = Arc<Mutex<Option<Cx>>>;

/// OBL-6, OBL-10: a token that is given to a task while it ends goes with it, or stays with its
/// giver; it is aborted once.
#[test]
fn obl_6_transfer_against_the_end_of_the_receiver() {
    model_within(3, || {
        let mut config = Config::default();
        config.leak_response = LeakResponse::Silent;
        let model = Model::with(config);
        let aborts = Arc::new(AtomicU32::new(0));
        let given = Given::default();
        let (give, count) = (given.clone(), aborts.clone());
        let giver = model.kernel.root().spawn(async move |cx| {
            let abort = move |_| {
                count.fetch_add(1, Relaxed);
            };
            let id = cx.reserve_raw(Kind::LEASE, Some(Box::new(abort)))?;
            let own = cx.share::<Io>();
            *give.lock().unwrap() = Some(cx);
            poll_fn(|_| match own.checkpoint() {
                Ok(()) => Poll::Pending,
                Err(interrupted) => Poll::Ready(interrupted),
            })
            .await;
            Ok(id)
        });
        let giver = giver.unwrap();
        model.drain();
        let id = model.kernel.task(giver.id()).unwrap().obligations()[0];
        let receiver = model.kernel.root().spawn(async |_| Ok(())).unwrap();
        let runner = {
            let model = model.clone();
            spawn(move || model.drain())
        };
        let context = given.lock().unwrap().take().unwrap();
        let transferred = context.transfer_raw(id, &receiver);
        runner.join().unwrap();
        model.drain();
        assert!(matches!(outcome(receiver), Outcome::Ok(())));
        match transferred {
            Ok(()) => {
                assert_eq!(aborts.load(Relaxed), 1, "the receiver ended with it");
                assert_eq!(
                    context.abort_raw(id, AbortCause::Verb),
                    Err(Status::ALREADY_RESOLVED)
                );
            }
            Err(status) => {
                assert_eq!(status, Status::REGION_CLOSING);
                assert_eq!(aborts.load(Relaxed), 0);
                assert_eq!(context.abort_raw(id, AbortCause::Verb), Ok(()));
            }
        }
        assert_eq!(model.kernel.obligations().recorded(), 0);
        drop(context);
        giver.abort();
        drop(giver);
        model.finish();
    });
}

/// REG-15: a finalizer that is registered while its task ends runs once, or is refused.
#[test]
fn reg_15_a_finalizer_against_the_end_of_its_task() {
    model_within(3, || {
        let model = Model::new();
        let ran = Arc::new(AtomicU32::new(0));
        let given = Arc::new(Mutex::new(None));
        let give = given.clone();
        let task = model.kernel.root().spawn(async move |cx| {
            let mut first = true;
            poll_fn(|context| {
                if !std::mem::take(&mut first) {
                    return Poll::Ready(());
                }
                *give.lock().unwrap() = Some(cx.share::<Io>());
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            Ok(())
        });
        let task = task.unwrap();
        assert!(model.run_one());
        let context = given.lock().unwrap().take().unwrap();
        let runner = {
            let model = model.clone();
            spawn(move || model.drain())
        };
        let count = ran.clone();
        let accepted = context.defer_task(move || {
            count.fetch_add(1, Relaxed);
            Ok(())
        });
        runner.join().unwrap();
        model.drain();
        assert!(matches!(outcome(task), Outcome::Ok(())));
        assert_eq!(ran.load(Relaxed), u32::from(accepted.is_ok()));
        drop((accepted, context));
        model.finish();
    });
}
