//! Two threads of a pool that decide to end at the same time.
#![cfg(loom)]

use asr_kernel::blocking::Counts;
use asr_kernel::sync::{Arc, lock, rank};
use loom::thread;

/// The lock of the pool.
type Mutex<T> = asr_kernel::sync::Mutex<T, rank::Pool>;

#[test]
fn sch_32_two_that_retire_leave_the_minimum() {
    loom::model(|| {
        let counts = Arc::new(Mutex::new(Counts::default()));
        for _ in 0..2 {
            lock(&counts).start();
            lock(&counts).rest();
        }
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let counts = counts.clone();
                thread::spawn(move || lock(&counts).retire(1))
            })
            .collect();
        let retired = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(retired.filter(|retired| *retired).count(), 1);
        assert_eq!(lock(&counts).live(), 1);
    });
}
