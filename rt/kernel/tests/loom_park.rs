//! Sleeping: the permit, and who is woken.
#![cfg(loom)]

use std::time::Duration;

use asr_base::Time;
use asr_kernel::sched::duty::Duty;
use asr_kernel::sched::idle::{Idle, Left};
use asr_kernel::sched::park::{Parker, Wait};
use asr_kernel::sync::atomic::{AtomicUsize, Ordering::*};
use loom::sync::{Arc, Mutex, Notify};
use loom::thread;

/// An eventfd without the system.
struct Event(Notify);

impl Event {
    fn new() -> Event {
        Event(Notify::new())
    }
}

impl Wait for Event {
    fn wait(&self, limit: Option<Duration>) {
        assert!(limit.is_none());
        self.0.wait();
    }

    fn wake(&self) {
        self.0.notify();
    }
}

fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(check);
}

/// SCH-20: an unpark before the park is kept, two are one, and what was written before an unpark is
/// seen after the park that takes it. The model deadlocks if a permit is lost.
#[test]
fn sch_20_a_permit_is_kept_and_does_not_add_up() {
    model(|| {
        let parker = Arc::new(Parker::new(Event::new()));
        let data = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (parker, data) = (parker.clone(), data.clone());
                thread::spawn(move || {
                    data.fetch_add(1, Relaxed);
                    parker.unpark();
                })
            })
            .collect();
        let mut permits = 0;
        while data.load(Relaxed) < 2 {
            permits += usize::from(parker.park(None));
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(permits <= 2);
        // Whatever is left is one permit, which the next park takes at once.
        parker.unpark();
        parker.unpark();
        assert!(parker.park(None));
    });
}

/// Queues that anybody may take from, as far as sleeping is concerned: how many are in each.
struct Workers {
    queued: [AtomicUsize; 2],
    done: AtomicUsize,
    idle: Idle,
    parkers: [Parker<Event>; 2],
    choice: usize,
}

impl Workers {
    fn new(choice: usize) -> Workers {
        Workers {
            queued: [AtomicUsize::new(0), AtomicUsize::new(0)],
            done: AtomicUsize::new(0),
            idle: Idle::new(&[0, 0]),
            parkers: [Parker::new(Event::new()), Parker::new(Event::new())],
            choice,
        }
    }

    fn push(&self, queue: usize) {
        self.queued[queue].fetch_add(1, Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(worker) = self.idle.wake_one(|_| self.choice) {
            self.parkers[worker].unpark();
        }
    }

    fn waits(&self) -> bool {
        self.queued.iter().any(|queue| queue.load(Acquire) > 0)
    }

    fn take(&self) -> bool {
        let less = |queue: &AtomicUsize| {
            let taken = queue.fetch_update(AcqRel, Acquire, |n| n.checked_sub(1));
            taken.is_ok()
        };
        self.queued.iter().any(less)
    }

    /// The loop of a worker, until `all` tasks are done.
    fn work(&self, me: usize, all: usize) {
        let mut searching = self.idle.search(me);
        while self.done.load(Acquire) < all {
            if self.take() {
                if std::mem::take(&mut searching) {
                    self.idle.found(me);
                    if self.waits() {
                        self.wake();
                    }
                }
                if self.done.fetch_add(1, AcqRel) + 1 == all {
                    // The end of the runtime: all are woken.
                    for worker in 0..2 {
                        if self.idle.call(worker) {
                            self.parkers[worker].unpark();
                        }
                    }
                }
                continue;
            }
            self.idle.announce(me, std::mem::take(&mut searching));
            if !self.waits() && self.done.load(Acquire) < all {
                self.parkers[me].park(None);
            }
            assert!(self.idle.searching() <= 1);
            searching = self.idle.leave(me) == Left::Searching;
        }
        if searching {
            self.idle.found(me);
        }
    }
}

/// SCH-21, SCH-22, SCH-47: two workers and a producer, which queues in one queue or in both: both
/// tasks are run, whichever sleeper is chosen, and at most one searches. The model deadlocks if
/// work stays while all sleep.
fn nothing_stays_queued(choice: usize, queues: [usize; 2]) {
    model(move || {
        let workers = Arc::new(Workers::new(choice));
        let threads: Vec<_> = (0..2)
            .map(|me| {
                let workers = workers.clone();
                thread::spawn(move || workers.work(me, 2))
            })
            .collect();
        for queue in queues {
            workers.push(queue);
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(workers.done.load(Relaxed), 2);
        assert_eq!((workers.idle.sleeping(), workers.idle.searching()), (0, 0));
    });
}

#[test]
fn sch_21_one_queue_the_first_sleeper() {
    nothing_stays_queued(0, [0, 0]);
}

#[test]
fn sch_22_one_queue_the_last_sleeper() {
    nothing_stays_queued(1, [0, 0]);
}

#[test]
fn sch_21_two_queues_the_last_sleeper() {
    nothing_stays_queued(1, [0, 1]);
}

/// SCH-17: work of one worker only wakes that one, and is not lost against its going to sleep.
#[test]
fn sch_17_the_owner_is_called() {
    model(|| {
        let workers = Arc::new(Workers::new(0));
        let owner = {
            let workers = workers.clone();
            thread::spawn(move || {
                let mut left = Left::Alone;
                while workers.queued[0].load(Acquire) == 0 {
                    workers.idle.announce(0, false);
                    if workers.queued[0].load(Acquire) == 0 {
                        workers.parkers[0].park(None);
                    }
                    left = workers.idle.leave(0);
                }
                assert_ne!(left, Left::Searching);
            })
        };
        workers.idle.announce(1, false);
        workers.queued[0].fetch_add(1, Release);
        if workers.idle.call(0) {
            workers.parkers[0].unpark();
        }
        owner.join().unwrap();
        assert_eq!(workers.idle.leave(1), Left::Alone, "nobody else is woken");
    });
}

/// SCH-25: two workers go to sleep, one of them wakes up and sleeps again, while a timer is armed
/// from outside: somebody sleeps no longer than until it, or is called.
#[test]
fn sch_25_a_timer_that_is_armed_late_finds_a_sleeper() {
    model(|| {
        let duty = Arc::new(Duty::default());
        let earliest = Arc::new(Mutex::new(10));
        let sleep = |duty: &Duty, earliest: &Mutex<u64>, worker| {
            let next = || Some(Time::from_nanos(*earliest.lock().unwrap()));
            duty.take(worker, next)
        };
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let (duty, earliest) = (duty.clone(), earliest.clone());
                thread::spawn(move || {
                    let mut until = sleep(&duty, &earliest, worker);
                    if worker == 1 {
                        duty.give_back(worker);
                        until = sleep(&duty, &earliest, worker);
                    }
                    until
                })
            })
            .collect();
        *earliest.lock().unwrap() = 5;
        let called = duty.sleeps_past(Time::from_nanos(5));
        let until: Vec<_> = workers.into_iter().map(|it| it.join().unwrap()).collect();
        let slept = |worker: usize| until[worker].is_some_and(|at| at == Time::from_nanos(5));
        assert!(called.is_some() || slept(0) || slept(1), "{until:?}");
    });
}
