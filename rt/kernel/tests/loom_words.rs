//! The words alone.
#![cfg(loom)]

use asr_abi::flag;
use asr_kernel::region::word::{Drain, Word as RegionWord};
use asr_kernel::sync::atomic::{AtomicU32, Ordering::Relaxed};
use asr_kernel::task::word::{AfterPoll, Requested, Wake, Word};
use asr_kernel::thread::checkpoint::{request, take};
use loom::sync::Arc;
use loom::thread;

/// Up to three preemptions: two or three threads with a few steps each have no interleaving that
/// needs more to show, and all of them would take hours.
fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(check);
}

/// TSK-10, TSK-11: two wakers and a poller: whoever polls is alone, each wake is followed by a poll
/// that began after it, and what the waker wrote is visible there (TSK-27).
#[test]
fn tsk_10_one_poller_and_no_wake_is_lost() {
    model(|| {
        let word = Arc::new(Word::new(false));
        let data = [Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0))];
        let wakers: Vec<_> = data
            .iter()
            .map(|data| {
                let (word, data) = (word.clone(), data.clone());
                thread::spawn(move || {
                    data.store(1, Relaxed);
                    word.wake() == Wake::Enqueue
                })
            })
            .collect();
        let mut seen = 0;
        let mut queued = true;
        while queued {
            let _ = word.begin_poll().unwrap();
            seen = data[0].load(Relaxed) + data[1].load(Relaxed);
            queued = word.end_poll() == AfterPoll::Enqueue;
        }
        let enqueued = wakers.into_iter().map(|waker| waker.join().unwrap());
        let enqueued = enqueued.filter(|&enqueued| enqueued).count();
        assert!(enqueued <= 1, "enqueued twice without a poll between");
        if enqueued == 1 {
            let _ = word.begin_poll().unwrap();
            seen = data[0].load(Relaxed) + data[1].load(Relaxed);
        }
        assert_eq!(seen, 2);
    });
}

/// TSK-8: a request is first exactly when the completer finds it pending, and sees what was stored
/// before it.
#[test]
fn tsk_8_request_against_complete() {
    model(|| {
        let word = Arc::new(Word::new(false));
        let reason = Arc::new(AtomicU32::new(0));
        let asker = {
            let (word, reason) = (word.clone(), reason.clone());
            thread::spawn(move || {
                reason.store(1, Relaxed);
                word.request_cancel()
            })
        };
        let _ = word.begin_poll().unwrap();
        let started = word.start();
        let before = word.complete().unwrap();
        match asker.join().unwrap() {
            Requested::Late => assert!(started && !before.cancel_pending()),
            Requested::First(_) => assert!(before.cancel_pending()),
            Requested::Again => unreachable!("one asker"),
        }
        if before.cancel_pending() {
            assert_eq!(reason.load(Relaxed), 1);
        }
    });
}

/// A handle that is dropped while the task completes: one of the two drops the output.
#[test]
fn tsk_17_handle_against_complete() {
    model(|| {
        let word = Arc::new(Word::new(false));
        let dropper = {
            let word = word.clone();
            thread::spawn(move || {
                let before = word.drop_handle();
                before.phase() == asr_kernel::task::Phase::Completed && word.take_output()
            })
        };
        let _ = word.begin_poll().unwrap();
        let gone = word.complete().unwrap().handle_gone();
        let mine = gone && word.take_output();
        assert!(mine ^ dropper.join().unwrap());
    });
}

/// The last reference is dropped once, whoever drops it.
#[test]
fn tsk_25_one_gives_the_record_back() {
    model(|| {
        let word = Arc::new(Word::new(false));
        assert!(!word.release());
        let other = {
            let word = word.clone();
            thread::spawn(move || word.release())
        };
        let mine = word.release();
        assert!(mine ^ other.join().unwrap());
        assert!(!word.try_retain());
    });
}

/// REG-4, REG-7: a spawner, a child that ends, and a closer: the region is driven on exactly once,
/// and never while somebody lives.
#[test]
fn reg_7_one_drives_the_close() {
    model(|| {
        let word = Arc::new(RegionWord::new());
        word.admit().unwrap();
        let child = {
            let word = word.clone();
            thread::spawn(move || word.child_ended() == Drain::Finalize)
        };
        let spawner = {
            let word = word.clone();
            thread::spawn(move || word.admit().is_ok() && word.child_ended() == Drain::Finalize)
        };
        assert!(word.close());
        let mut drives = u32::from(word.drain() == Drain::Finalize);
        drives += u32::from(child.join().unwrap());
        drives += u32::from(spawner.join().unwrap());
        assert_eq!(drives, 1);
        assert_eq!(word.live(), 0);
        assert_eq!(word.finalized(), Drain::Publish);
        word.closed();
    });
}

/// REG-36: what finalizers leave alive ends while they end: the region is published exactly once.
#[test]
fn reg_36_one_publishes() {
    model(|| {
        let word = Arc::new(RegionWord::new());
        assert!(word.close());
        assert_eq!(word.drain(), Drain::Finalize);
        word.admit_nested().unwrap();
        let child = {
            let word = word.clone();
            thread::spawn(move || word.child_ended() == Drain::Publish)
        };
        let mine = word.finalized() == Drain::Publish;
        assert!(mine ^ child.join().unwrap());
        word.closed();
    });
}

/// ABI-6, CAN-27: the flag of a thread against the word of the task that it polls. The asker sets
/// the word, then the flag; the poller takes the flag, then looks at the word. A cancel is seen by
/// this checkpoint, by a later one, or at the next poll: never by none.
#[test]
fn abi_6_flag_against_task_word() {
    model(|| {
        let word = Arc::new(Word::new(false));
        let thread_flag = Arc::new(AtomicU32::new(0));
        let _ = word.begin_poll().unwrap();
        assert!(word.start());
        let asker = {
            let (word, thread_flag) = (word.clone(), thread_flag.clone());
            thread::spawn(move || {
                let first = matches!(word.request_cancel(), Requested::First(_));
                request(&*thread_flag, flag::CANCEL);
                assert_eq!(
                    word.wake(),
                    Wake::Nothing,
                    "it is being polled, or complete"
                );
                first
            })
        };
        let mut seen = false;
        if take(&*thread_flag, false) & flag::CANCEL != 0 {
            // The flag was set after the word, so the word says why.
            assert!(word.load().cancel_pending());
            seen = word.observe_cancel();
        }
        assert!(asker.join().unwrap());
        if !seen && take(&*thread_flag, false) & flag::CANCEL != 0 {
            seen = word.observe_cancel();
        }
        assert!(seen);
        assert_eq!(
            word.end_poll(),
            AfterPoll::Enqueue,
            "the cancel made it runnable"
        );
    });
}

/// REG-5: somebody who thinks that a task of the region lives opens a nested region while the last
/// finalizer ends: it is admitted before the outcome is published, or refused.
#[test]
fn reg_5_nested_admission_against_publish() {
    model(|| {
        let word = Arc::new(RegionWord::new());
        assert!(word.close());
        assert_eq!(word.drain(), Drain::Finalize);
        let opener = {
            let word = word.clone();
            thread::spawn(move || word.admit_nested().is_ok())
        };
        let published = word.finalized() == Drain::Publish;
        if published {
            word.closed();
        }
        let admitted = opener.join().unwrap();
        assert!(admitted ^ published);
        if admitted {
            assert_eq!(word.child_ended(), Drain::Publish);
            word.closed();
        }
    });
}
