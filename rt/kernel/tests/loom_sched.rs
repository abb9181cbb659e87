//! The queues of a worker under the model checker: each entry is taken exactly once, in order, by
//! somebody to whom it was published. Loads that take effect late are beyond the checker: that the
//! reads of a thief come before the reuse of a place rests on the argument in `ring`.
#![cfg(loom)]

mod common;

use std::sync::Arc;

use asr_kernel::sched::injector::Injector;
use asr_kernel::sched::ring::{Owner, Ring, SLOTS};
use asr_kernel::sched::urgent::Urgent;
use asr_kernel::task::word::{AfterPoll, Wake, Word};
use common::Item;
use loom::thread::{self, JoinHandle};

/// Up to three preemptions, as in the models of the words.
fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(check);
}

struct Worker {
    owner: Owner<Item>,
    injector: Arc<Injector<Item>>,
}

impl Worker {
    fn new() -> Worker {
        let ring = Arc::new(Ring::new());
        Worker {
            owner: ring.own().expect("the first"),
            injector: Arc::new(Injector::new()),
        }
    }

    fn push(&self, ids: impl IntoIterator<Item = usize>) {
        for id in ids {
            self.owner.push(Item::new(id), &self.injector);
        }
    }

    fn pop(&self) -> Option<usize> {
        self.owner.pop().map(Item::id)
    }

    /// A thief with a ring of its own; what it got, in order.
    fn thief(&self) -> JoinHandle<Vec<usize>> {
        let (victim, injector) = (self.owner.ring().clone(), self.injector.clone());
        thread::spawn(move || {
            let own = Arc::new(Ring::new()).own().expect("the first");
            let stolen = own.steal(&victim, &injector, |_, _| unreachable!("none is pinned"));
            let mut ids: Vec<_> = stolen.first.map(Item::id).into_iter().collect();
            ids.extend(std::iter::from_fn(|| own.pop().map(Item::id)));
            assert_eq!(ids.len(), stolen.count);
            ids
        })
    }

    fn rest(&self) -> Vec<usize> {
        std::iter::from_fn(|| self.pop()).collect()
    }
}

/// Each taker sees ascending numbers, and together they have each once.
fn each_once(takers: &[Vec<usize>], all: std::ops::Range<usize>) {
    assert!(takers.iter().all(|ids| ids.is_sorted()), "{takers:?}");
    let mut ids = takers.concat();
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(all), "{takers:?}");
}

/// The owner pushes and pops while a thief takes half.
#[test]
fn sch_15_push_and_pop_against_a_theft() {
    model(|| {
        let worker = Worker::new();
        worker.push([0]);
        let thief = worker.thief();
        worker.push([1, 2]);
        let mut own: Vec<_> = worker.pop().into_iter().collect();
        let stolen = thief.join().unwrap();
        own.extend(worker.rest());
        each_once(&[own, stolen], 0..3);
    });
}

/// A full ring whose places are used again while a thief is between its reads and its claim.
#[test]
fn sch_15_a_place_is_used_again_during_a_theft() {
    model(|| {
        let worker = Worker::new();
        worker.push(0..SLOTS);
        let thief = worker.thief();
        let mut own: Vec<_> = worker.pop().into_iter().collect();
        own.extend(worker.pop());
        worker.push(SLOTS..SLOTS + 2);
        let stolen = thief.join().unwrap();
        assert!(worker.injector.is_empty(), "there was room");
        own.extend(worker.rest());
        each_once(&[own, stolen], 0..SLOTS + 2);
    });
}

/// A full ring gives its oldest half up while a thief takes from it.
#[test]
fn sch_13_overflow_against_a_theft() {
    model(|| {
        let worker = Worker::new();
        worker.push(0..SLOTS);
        let thief = worker.thief();
        worker.push([SLOTS]);
        let stolen = thief.join().unwrap();
        let given: Vec<_> = std::iter::from_fn(|| worker.injector.pop().map(Item::id)).collect();
        assert!(given.len() <= SLOTS / 2);
        each_once(&[worker.rest(), stolen, given], 0..SLOTS + 1);
    });
}

/// Two thieves and the owner.
#[test]
fn sch_15_two_thieves() {
    model(|| {
        let worker = Worker::new();
        worker.push(0..3);
        let thieves = [worker.thief(), worker.thief()];
        let mut own: Vec<_> = worker.pop().into_iter().collect();
        let [one, other] = thieves.map(|thief| thief.join().unwrap());
        own.extend(worker.rest());
        each_once(&[own, one, other], 0..3);
    });
}

/// The newest-first slot: the owner fills and empties it while a thief takes from it.
#[test]
fn sch_9_the_slot_against_a_theft() {
    model(|| {
        let worker = Worker::new();
        worker.owner.push_newest(Item::new(0), &worker.injector);
        let ring = worker.owner.ring().clone();
        let thief = thread::spawn(move || ring.take_newest().map(Item::id));
        let replaced = worker.owner.push_newest(Item::new(1), &worker.injector);
        let newest = worker.owner.pop_newest().map(Item::id);
        let stolen = thief.join().unwrap();
        let rest = worker.rest();
        assert_eq!(
            replaced,
            stolen != Some(0),
            "who was there went to the ring"
        );
        assert_eq!(rest.is_empty(), stolen == Some(0));
        let mut all: Vec<_> = newest.into_iter().chain(stolen).chain(rest).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1]);
    });
}

/// The ring goes to the next thread of a worker whose thread ended.
#[test]
fn sch_15_an_owner_takes_over() {
    model(|| {
        let ring = Arc::new(Ring::new());
        let injector = Injector::new();
        let before = ring.own().expect("the first");
        let next = ring.clone();
        let next = thread::spawn(move || {
            let owner = loop {
                match next.own() {
                    Some(owner) => break owner,
                    None => thread::yield_now(),
                }
            };
            owner.push(Item::new(1), &Injector::new());
            std::iter::from_fn(|| owner.pop().map(Item::id)).collect::<Vec<_>>()
        });
        before.push(Item::new(0), &injector);
        drop(before);
        assert_eq!(next.join().unwrap(), [0, 1]);
    });
}

/// Two producers and two consumers of the injector; the length is exact at the end.
#[test]
fn sch_13_the_injector_gives_each_once() {
    model(|| {
        let injector = Arc::new(Injector::new());
        let producer = {
            let injector = injector.clone();
            thread::spawn(move || {
                injector.push_batch([0, 1].into_iter().map(Item::new));
            })
        };
        let consumer = {
            let injector = injector.clone();
            thread::spawn(move || {
                let mut rest = Vec::new();
                let first = injector.pop_batch(2, |item| rest.push(item.id()));
                first.map(Item::id).into_iter().chain(rest).collect()
            })
        };
        injector.push(Item::new(2));
        let own: Vec<_> = injector.pop().map(Item::id).into_iter().collect();
        producer.join().unwrap();
        let taken: Vec<usize> = consumer.join().unwrap();
        let rest: Vec<_> = std::iter::from_fn(|| injector.pop().map(Item::id)).collect();
        assert!(injector.is_empty());
        let mut all = [own, taken, rest].concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
    });
}

/// A task in a ring that is promoted has a second entry in the cancel lane. Whoever takes which
/// entry: one poll for the one wake, and the other entry is stale.
#[test]
fn sch_13_a_promoted_task_runs_once() {
    model(|| {
        let word = Arc::new(Word::new(false));
        let worker = Worker::new();
        let urgent = Arc::new(Urgent::new());
        worker.push([0]);
        let promoter = {
            let (word, urgent) = (word.clone(), urgent.clone());
            thread::spawn(move || {
                if word.load().is_notified() {
                    urgent.push_cancel(Item::new(0), 200);
                }
            })
        };
        let thief = {
            let (word, ring) = (word.clone(), worker.owner.ring().clone());
            thread::spawn(move || {
                let own = Arc::new(Ring::new()).own().expect("the first");
                let stolen = own.steal(&ring, &Injector::new(), |_, _| ());
                stolen.first.is_some() && polled(&word)
            })
        };
        let mut polls = 0;
        if urgent.pop_cancel().is_some() {
            polls += usize::from(polled(&word));
        }
        promoter.join().unwrap();
        polls += usize::from(thief.join().unwrap());
        for entry in [urgent.pop_cancel(), worker.owner.pop()] {
            polls += usize::from(entry.is_some() && polled(&word));
        }
        assert_eq!(polls, 1);
        assert_eq!(word.wake(), Wake::Enqueue, "it is idle");
    });
}

/// What a worker does with an entry. True if it polled.
fn polled(word: &Word) -> bool {
    if word.begin_poll(true).is_none() {
        return false;
    }
    assert_eq!(word.end_poll(), AfterPoll::Idle);
    true
}
