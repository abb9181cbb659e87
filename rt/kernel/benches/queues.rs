//! The operations of the queues of a worker, without contention, at two lengths where it may
//! matter.
//!
//! `cargo bench -p asr-kernel --bench queues`. Each is a push and a pop of the same task, but for
//! `steal_32`, which is a theft of half of 64 with the pops and pushes that bring them back.

#[path = "../tests/common/mod.rs"]
#[allow(dead_code, reason = "items are moved about, not read")]
mod common;

use std::hint::black_box;
use std::sync::Arc;

use asr_base::{TaskId, Time};
use asr_kernel::sched::Limits;
use asr_kernel::sched::choice::{Choice, Waiting};
use asr_kernel::sched::injector::Injector;
use asr_kernel::sched::ring::{Owner, Ring};
use asr_kernel::sched::urgent::Urgent;
use common::Item;
use criterion::{Criterion, criterion_group, criterion_main};

const LENGTHS: [usize; 2] = [10, 100_000];

fn owner() -> Owner<Item> {
    Arc::new(Ring::new()).own().expect("the first")
}

fn ring(c: &mut Criterion) {
    let (ring, thief, injector) = (owner(), owner(), Injector::new());
    for id in 0..64 {
        ring.push(Item::new(id), &injector);
    }
    c.bench_function("ring", |b| {
        b.iter(|| {
            let item = ring.pop().expect("it waits");
            ring.push(item, &injector);
        });
    });
    c.bench_function("newest", |b| {
        let mut item = ring.pop();
        b.iter(|| {
            ring.push_newest(item.take().expect("one"), &injector);
            item = ring.pop_newest();
        });
        ring.push(item.take().expect("one"), &injector);
    });
    c.bench_function("steal_32", |b| {
        b.iter(|| {
            let stolen = thief.steal(ring.ring(), &injector, |_, _| ());
            ring.push(stolen.first.expect("it waits"), &injector);
            while let Some(item) = thief.pop() {
                ring.push(item, &injector);
            }
        });
    });
}

fn injector(c: &mut Criterion) {
    for length in LENGTHS {
        let injector = Injector::new();
        injector.push_batch((0..length).map(Item::new));
        c.bench_function(&format!("injector/{length}"), |b| {
            b.iter(|| {
                let item = injector.pop().expect("it waits");
                injector.push(item);
            });
        });
    }
}

fn urgent(c: &mut Criterion) {
    for length in LENGTHS {
        let urgent = Urgent::new();
        let due = |n: usize| {
            let task = TaskId::new(n as u32, 1);
            (Time::from_nanos((n * 7919 % 1_000_003) as u64), task)
        };
        for n in 0..length {
            urgent.push_cancel(Item::new(n), 200 + (n % 56) as u8);
            let (at, task) = due(n);
            urgent.push_timed(Item::new(n), at, task);
        }
        let mut n = 0;
        c.bench_function(&format!("cancel/{length}"), |b| {
            b.iter(|| {
                let item = urgent.pop_cancel().expect("it waits");
                n += 1;
                urgent.push_cancel(item, 200 + (n % 56) as u8);
            });
        });
        c.bench_function(&format!("timed/{length}"), |b| {
            b.iter(|| {
                let item = urgent.pop_timed().expect("it waits");
                n += 1;
                let (at, task) = due(n);
                urgent.push_timed(item, at, task);
            });
        });
    }
}

fn choice(c: &mut Criterion) {
    let ready = Waiting {
        ring: 5,
        ..Waiting::default()
    };
    let all = Waiting {
        cancel: true,
        timed: true,
        newest: true,
        ring: 5,
        pinned: 3,
        injector: true,
    };
    for (name, waiting) in [("choice/ready", ready), ("choice/all", all)] {
        let mut choice = Choice::new(Limits::default());
        c.bench_function(name, |b| {
            b.iter(|| {
                let waiting = black_box(&waiting);
                let from = choice.choose(waiting).expect("something waits");
                choice.dispatched(from, waiting);
                from
            });
        });
    }
}

criterion_group!(benches, ring, injector, urgent, choice);
criterion_main!(benches);
