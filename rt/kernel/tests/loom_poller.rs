//! The flag word of a thread and the word of a task that it polls (ABI-39), under loom:
//! `RUSTFLAGS="--cfg loom" cargo test -p asr-kernel --test loom_poller`.
#![cfg(loom)]

use asr_abi::flag::{CANCEL, OF_TASK};
use asr_kernel::compiled::poller::{asked, polled};
use asr_kernel::task::word::Word;
use asr_kernel::thread::checkpoint::FlagWord;
use loom::sync::Arc;
use loom::sync::atomic::AtomicU32;
use loom::thread;

const NUMBER: u16 = 5;

/// One thread asks, while another begins a poll: either that finds the request, or its flag is set.
#[test]
fn abi_39_no_request_is_missed() {
    loom::model(|| {
        let word = Arc::new(Word::new(false));
        let flag = Arc::new(AtomicU32::new(0));
        assert!(word.begin_poll(true).is_some());
        let setter = thread::spawn({
            let (word, flag) = (word.clone(), flag.clone());
            move || {
                let _ = word.request_cancel(1);
                asked(&word, |number| {
                    assert_eq!(number, NUMBER);
                    flag.ask(CANCEL);
                });
            }
        });
        polled(&word, &*flag, NUMBER, false);
        setter.join().unwrap();
        assert!(flag.holds(CANCEL), "the poll that runs sees it");
    });
}

/// The poll ends, and another task is polled there: a late bit is taken out or is a hint; the word
/// of the task that was asked says so for its next poll.
#[test]
fn abi_39_a_late_request_is_seen_by_the_next_poll() {
    loom::model(|| {
        let (first, second) = (Arc::new(Word::new(false)), Word::new(false));
        let flag = Arc::new(AtomicU32::new(0));
        assert!(first.begin_poll(true).is_some() && second.begin_poll(true).is_some());
        polled(&first, &*flag, NUMBER, false);
        let setter = thread::spawn({
            let (first, flag) = (first.clone(), flag.clone());
            move || {
                let _ = first.request_cancel(1);
                asked(&first, |_| flag.ask(CANCEL));
            }
        });
        let _ = first.end_poll();
        let pending = polled(&second, &*flag, NUMBER, false);
        assert!(!pending.cancel_pending());
        setter.join().unwrap();
        let _ = second.end_poll();
        // The next poll of the first begins as that of a woken task does.
        let _ = first.wake();
        assert!(first.begin_poll(true).is_some());
        assert!(polled(&first, &*flag, NUMBER, false).cancel_pending());
        assert!(flag.holds(CANCEL));
        assert!(!flag.holds(OF_TASK & !CANCEL));
    });
}
