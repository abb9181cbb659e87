//! Model of the one word that other threads write (rule ABI-6).
#![cfg(loom)]

use asr_abi::flag;
use asr_kernel::sync::atomic::{AtomicU32, Ordering::Relaxed};
use asr_kernel::thread::checkpoint::{request, take};
use loom::sync::Arc;

/// A request made while the flag is taken is served by this take or the next: never lost, never
/// twice; what the setter wrote before is visible to whoever serves it.
#[test]
fn abi_6_no_request_is_lost() {
    loom::model(|| {
        let word = Arc::new(AtomicU32::new(0));
        let data = Arc::new(AtomicU32::new(0));
        let setters: Vec<_> = [flag::CANCEL, flag::REPAIR]
            .into_iter()
            .map(|bit| {
                let (word, data) = (word.clone(), data.clone());
                loom::thread::spawn(move || {
                    if bit == flag::REPAIR {
                        data.store(1, Relaxed);
                    }
                    request(&*word, bit);
                })
            })
            .collect();
        let mut served = 0;
        let first = take(&*word, false);
        if first & flag::REPAIR != 0 {
            assert_eq!(data.load(Relaxed), 1);
        }
        served += first;
        for setter in setters {
            setter.join().unwrap();
        }
        served += take(&*word, false);
        assert_eq!(served, flag::CANCEL | flag::REPAIR);
        assert_eq!(take(&*word, false), 0);
    });
}
