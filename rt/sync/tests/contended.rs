//! The lock of the runtime's own sections.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use asr_sync::{ContendedMutex, ContendedStats};

/// Two contenders: one has it until the other is counted as waiting.
#[test]
fn chn_18_two_contenders_of_an_internal_lock() {
    for measured in [false, true] {
        let lock = ContendedMutex::new(0);
        let lock = Arc::new(if measured { lock.measured() } else { lock });
        assert_eq!(lock.stats(), ContendedStats::default());
        let mut guard = lock.lock();
        let (told, hears) = channel();
        let waiter = {
            let lock = lock.clone();
            thread::spawn(move || {
                told.send(()).expect("somebody hears");
                *lock.lock() += 1;
            })
        };
        hears.recv().expect("it is told");
        while lock.stats().contended == 0 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(2));
        *guard += 1;
        drop(guard);
        waiter.join().expect("it ends");
        assert_eq!(*lock.lock(), 2);
        let stats = lock.stats();
        assert_eq!((stats.locked, stats.contended), (3, 1));
        if measured {
            assert!(stats.held >= Duration::from_millis(2) && stats.waited > Duration::ZERO);
            assert_eq!(stats.longest_wait, stats.waited);
            assert!(stats.longest_hold >= Duration::from_millis(2));
        } else {
            let none = (Duration::ZERO, Duration::ZERO);
            assert_eq!((stats.waited, stats.held), none);
        }
    }
}
