//! Model: cancel of a timer against its firing (rule SCH-26).
#![cfg(loom)]

use asr_base::Time;
use asr_kernel::sync::{Arc, lock, rank};
use asr_kernel::timer::Wheel;

/// The lock of the wheel.
type Mutex<T> = asr_kernel::sync::Mutex<T, rank::Timers>;

/// Of the canceller and the driver exactly one gets what the timer was armed with, also when the
/// slot is given to another timer in between.
#[test]
fn sch_26_cancel_or_fire_gets_the_payload() {
    loom::model(|| {
        let mut wheel = Wheel::new();
        let id = wheel.insert(Time::from_nanos(10), 1u32);
        let wheel = Arc::new(Mutex::new(wheel));
        let driver = {
            let wheel = wheel.clone();
            loom::thread::spawn(move || {
                let mut fired = Vec::new();
                lock(&wheel).advance(Time::from_nanos(10), &mut |_, _, n| fired.push(n));
                lock(&wheel).insert(Time::from_nanos(20), 2u32);
                fired
            })
        };
        let cancelled = lock(&wheel).cancel(id);
        let fired = driver.join().expect("the driver ends");
        assert_eq!(fired.len() + usize::from(cancelled.is_some()), 1);
        assert!(fired.iter().chain(&cancelled).all(|&n| n == 1));
        let mut rest = Vec::new();
        lock(&wheel).advance(Time::from_nanos(20), &mut |_, _, n| rest.push(n));
        assert_eq!(rest, [2]);
        assert_eq!(lock(&wheel).cancel(id), None);
    });
}
