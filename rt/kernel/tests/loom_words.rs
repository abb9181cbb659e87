//! The words alone.
#![cfg(loom)]

use asr_abi::flag;
use asr_kernel::region::word::{Drain, Word as RegionWord};
use asr_kernel::sync::atomic::{AtomicU32, Ordering::Relaxed};
use asr_kernel::task::word::{AfterPoll, Requested, Wake, Word};
use asr_kernel::thread::checkpoint::{request, take};
use loom::sync::{Arc, Mutex};
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
            let _ = word.begin_poll(true).unwrap();
            seen = data[0].load(Relaxed) + data[1].load(Relaxed);
            queued = word.end_poll() == AfterPoll::Enqueue;
        }
        let enqueued = wakers.into_iter().map(|waker| waker.join().unwrap());
        let enqueued = enqueued.filter(|&enqueued| enqueued).count();
        assert!(enqueued <= 1, "enqueued twice without a poll between");
        if enqueued == 1 {
            let _ = word.begin_poll(true).unwrap();
            seen = data[0].load(Relaxed) + data[1].load(Relaxed);
        }
        assert_eq!(seen, 2);
    });
}

/// TSK-12: a wake that gives its own reference to the queue, against the end of a poll, which gives
/// up its own: one reference is left for each entry of a queue.
#[test]
fn tsk_12_part_a_counted_wake() {
    model(|| {
        let word = Arc::new(Word::new(false));
        word.retain();
        let waker = {
            let word = word.clone();
            thread::spawn(move || {
                let queued = word.wake_counted() == Wake::Enqueue;
                assert!(queued || !word.release());
                queued
            })
        };
        let _ = word.begin_poll(true).unwrap();
        let again = word.end_poll() == AfterPoll::Enqueue;
        let queued = waker.join().unwrap();
        // Notified while it was in the queue: nothing. Else one of the two queues it.
        assert!(!(again && queued));
        let rest = Word::FRESH_REFS; // List, context, handle.
        assert_eq!(word.load().refs(), rest + u64::from(again || queued));
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
                word.request_cancel(0)
            })
        };
        let started = !word.begin_poll(true).unwrap().cancel_pending();
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

/// CAN-27: a waker that is registered for a cancel is found by the request, or who registers finds
/// the request.
#[test]
fn can_27_part_who_awaits_a_cancel_meets_it() {
    model(|| {
        let word = Arc::new(Word::new(false));
        let _ = word.begin_poll(true).unwrap();
        let wakers = Arc::new(Mutex::new(0));
        let asker = {
            let (word, wakers) = (word.clone(), wakers.clone());
            thread::spawn(move || {
                let _ = word.request_cancel(0);
                word.load().is_awaited() && *wakers.lock().unwrap() == 1
            })
        };
        *wakers.lock().unwrap() += 1;
        word.await_cancel();
        let met = !word.clear();
        assert!(asker.join().unwrap() || met);
    });
}

/// SCH-2: of two requests at once the word keeps the greater rank, and one is the first.
#[test]
fn sch_2_part_the_greatest_rank_stays() {
    model(|| {
        let word = Arc::new(Word::new(false));
        let other = word.clone();
        let asker = thread::spawn(move || other.request_cancel(5));
        let own = word.request_cancel(2);
        let other = asker.join().unwrap();
        let first = |it: &Requested| matches!(it, Requested::First(_));
        assert_ne!(first(&own), first(&other));
        assert_eq!(word.load().cancel_rank(), 5);
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
                let complete = !word.drop_handle();
                assert!(!complete || !word.release_handle());
                complete
            })
        };
        let _ = word.begin_poll(true).unwrap();
        let mine = word.complete().unwrap().handle_gone();
        assert!(mine ^ dropper.join().unwrap());
        assert!(word.load().taken());
        assert_eq!(word.load().refs(), Word::FRESH_REFS);
    });
}

/// The last reference is dropped once, whoever drops it.
#[test]
fn tsk_25_one_gives_the_record_back() {
    model(|| {
        let word = Arc::new(Word::new(false));
        assert!(!word.release_both());
        let other = {
            let word = word.clone();
            thread::spawn(move || word.release())
        };
        let mine = word.release();
        assert!(mine ^ other.join().unwrap());
        assert!(!word.try_retain());
    });
}

/// The word of a region with the lock that guards its changes.
#[derive(Default)]
struct Guarded {
    lock: Mutex<()>,
    word: RegionWord,
}

impl Guarded {
    /// One section.
    fn with<R>(&self, change: impl FnOnce(&RegionWord) -> R) -> R {
        let _section = self.lock.lock().unwrap();
        change(&self.word)
    }
}

/// REG-4, REG-7: a spawner, a child that ends, and a closer: the region is driven on exactly once,
/// and never while somebody lives. Whoever reads the state without the lock sees it grow.
#[test]
fn reg_7_one_drives_the_close() {
    model(|| {
        let region = Arc::new(Guarded::default());
        region.with(|word| word.admit()).unwrap();
        let ends = |region: &Guarded| region.with(RegionWord::child_ended) == Drain::Finalize;
        let child = {
            let region = region.clone();
            thread::spawn(move || ends(&region))
        };
        let spawner = {
            let region = region.clone();
            thread::spawn(move || region.with(|word| word.admit()).is_ok() && ends(&region))
        };
        let before = region.word.state();
        assert!(region.with(RegionWord::close));
        let mut drives = u32::from(region.with(RegionWord::drain) == Drain::Finalize);
        drives += u32::from(child.join().unwrap());
        drives += u32::from(spawner.join().unwrap());
        assert_eq!(drives, 1);
        assert!(before < region.word.state());
        assert_eq!(region.word.live(), 0);
        assert_eq!(region.with(RegionWord::finalized), Drain::Publish);
        region.with(|word| word.closed(true));
    });
}

/// REG-36: what finalizers leave alive ends while they end: the region is published exactly once.
#[test]
fn reg_36_one_publishes() {
    model(|| {
        let region = Arc::new(Guarded::default());
        assert!(region.with(RegionWord::close));
        assert_eq!(region.with(RegionWord::drain), Drain::Finalize);
        region.with(|word| word.admit_nested()).unwrap();
        let child = {
            let region = region.clone();
            thread::spawn(move || region.with(RegionWord::child_ended) == Drain::Publish)
        };
        let mine = region.with(RegionWord::finalized) == Drain::Publish;
        assert!(mine ^ child.join().unwrap());
        region.with(|word| word.closed(true));
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
        assert!(!word.begin_poll(true).unwrap().cancel_pending());
        let asker = {
            let (word, thread_flag) = (word.clone(), thread_flag.clone());
            thread::spawn(move || {
                let first = matches!(word.request_cancel(0), Requested::First(_));
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
        let region = Arc::new(Guarded::default());
        assert!(region.with(RegionWord::close));
        assert_eq!(region.with(RegionWord::drain), Drain::Finalize);
        let opener = {
            let region = region.clone();
            thread::spawn(move || region.with(|word| word.admit_nested()).is_ok())
        };
        let published = region.with(RegionWord::finalized) == Drain::Publish;
        if published {
            region.with(|word| word.closed(true));
        }
        let admitted = opener.join().unwrap();
        assert!(admitted ^ published);
        if admitted {
            assert_eq!(region.with(RegionWord::child_ended), Drain::Publish);
            region.with(|word| word.closed(true));
        }
    });
}
