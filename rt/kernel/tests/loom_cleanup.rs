//! The one timer of all cleanups: tasks that begin and end to clean up on two threads.
#![cfg(loom)]

use asr_base::{Time, TimerId};
use asr_kernel::cancel::{Alarm, Cleanups};
use asr_kernel::sync::{Arc, lock, rank};
use asr_kernel::task::word::{Phase, Word};
use loom::thread;

/// The lock of the clock.
type Mutex<T> = asr_kernel::sync::Mutex<T, rank::Timers>;

/// Timers that are armed.
#[derive(Default)]
struct Armed {
    next: u32,
    timers: Vec<(TimerId, Time)>,
}

#[derive(Default)]
struct Clock(Mutex<Armed>);

impl Clock {
    fn earliest(&self) -> Option<Time> {
        lock(&self.0).timers.iter().map(|timer| timer.1).min()
    }
}

impl Alarm for Clock {
    fn arm(&self, at: Time) -> Option<TimerId> {
        let mut armed = lock(&self.0);
        armed.next += 1;
        let id = TimerId::new(armed.next, 1);
        armed.timers.push((id, at));
        Some(id)
    }

    fn disarm(&self, timer: TimerId) {
        lock(&self.0).timers.retain(|armed| armed.0 != timer);
    }
}

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

fn begin(all: &(Cleanups, Clock), end: u64) {
    all.0.count();
    all.0.ends(&all.1, at(end));
}

#[test]
fn can_23_who_begins_while_the_last_one_ends_has_a_timer() {
    loom::model(|| {
        let all = Arc::new((Cleanups::new(), Clock::default()));
        begin(&all, 10);
        let other = all.clone();
        let last = thread::spawn(move || other.0.forget(&other.1));
        begin(&all, 20);
        last.join().unwrap();
        let armed = all.1.earliest().expect("armed for the one that is left");
        assert!(armed <= at(20));
        all.0.forget(&all.1);
        assert_eq!(all.1.earliest(), None, "and for nobody else");
    });
}

/// The way of a request and of an end: counted and taken under the lock of the record.
#[test]
fn can_23_who_ends_while_it_is_asked_leaves_no_timer() {
    loom::model(|| {
        let all = Arc::new((Cleanups::new(), Clock::default()));
        let word = Arc::new(Word::new(false));
        let counted = Arc::new(Mutex::new(false));
        let _ = word.begin_poll(true).expect("queued");
        let (other, ended, taken) = (all.clone(), word.clone(), counted.clone());
        let ends = thread::spawn(move || {
            let _ = ended.complete().expect("nothing is deferred");
            let counted = std::mem::take(&mut *lock(&taken));
            if counted {
                other.0.forget(&other.1);
            }
        });
        let mut record = lock(&counted);
        let asked = word.load().phase() != Phase::Completed;
        if asked {
            all.0.count();
            *record = true;
        }
        drop(record);
        let _ = word.request_cancel(0);
        if asked {
            all.0.ends(&all.1, at(10));
        }
        ends.join().unwrap();
        assert_eq!(all.1.earliest(), None);
    });
}

#[test]
fn can_23_two_that_begin_have_the_earlier_timer() {
    loom::model(|| {
        let all = Arc::new((Cleanups::new(), Clock::default()));
        let other = all.clone();
        let early = thread::spawn(move || begin(&other, 10));
        begin(&all, 20);
        early.join().unwrap();
        assert_eq!(all.1.earliest(), Some(at(10)));
        assert_eq!(lock(&all.1.0).timers.len(), 1);
        all.0.forget(&all.1);
        all.0.forget(&all.1);
        assert_eq!(all.1.earliest(), None);
    });
}

#[test]
fn can_23_who_begins_while_the_timer_fires_is_found_by_its_walk_or_has_another() {
    loom::model(|| {
        let all = Arc::new((Cleanups::new(), Clock::default()));
        begin(&all, 10);
        let found = Arc::new(Mutex::new(Vec::new()));
        let (other, walked) = (all.clone(), found.clone());
        let fires = thread::spawn(move || {
            let (id, _) = lock(&other.1.0).timers.remove(0);
            other.0.fired(id);
            // The walk: who is there by now is looked at.
            lock(&walked).iter().copied().min()
        });
        all.0.count();
        lock(&found).push(20);
        all.0.ends(&all.1, at(20));
        let seen = fires.join().unwrap();
        assert!(seen == Some(20) || all.1.earliest() == Some(at(20)));
    });
}
