//! The operations on values that the kernel does per spawn, per cancel and per outcome.

use std::hint::black_box;

use asr_base::{
    Attribution, Budget, CancelKind, CancelReason, Duration, Error, Fold, GenSlab, Origin, Outcome,
    RegionId, Status, TaskId, Time,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn budgets(c: &mut Criterion) {
    let outer = Budget::request(Time::ZERO).with_cost(1000);
    let inner = Budget::cleanup(Time::ZERO + Duration::from_secs(1));
    c.bench_function("meet", |b| {
        b.iter(|| black_box(outer).meet(black_box(inner)))
    });
}

fn reasons(c: &mut Criterion) {
    let reason = |kind, origin, at| {
        let new = CancelReason::new(kind, Origin::Node(origin), Time::from_nanos(at));
        new.with_message("a message of the usual length")
    };
    let a = reason(CancelKind::Timeout, 9, 5);
    let b = reason(CancelKind::Timeout, 4, 5);
    c.bench_function("strengthen", |bench| {
        bench.iter(|| black_box(&a).strengthen(black_box(&b)))
    });
    let limits = Attribution::default();
    let region = Origin::Region(RegionId::new(7, 1));
    let derive = |cause: &CancelReason| {
        let new = CancelReason::new(CancelKind::ParentCancelled, region, Time::ZERO);
        new.caused_by(cause, limits)
    };
    c.bench_function("derive", |bench| bench.iter(|| derive(black_box(&a))));
    let full = (0..1000).fold(a.clone(), |cause, _| derive(&cause));
    c.bench_function("derive, chain at its limit", |b| {
        b.iter(|| derive(black_box(&full)))
    });
}

fn folds(c: &mut Criterion) {
    let outcome = |at: u64| match at % 10 {
        0 => Outcome::Err(Error::new(Status::IO, "an error")),
        1 => {
            let origin = Origin::Task(TaskId::new(at as u32, 1));
            let reason = CancelReason::new(CancelKind::FailFast, origin, Time::from_nanos(at));
            Outcome::Cancelled(reason)
        }
        _ => Outcome::Ok(()),
    };
    let outcomes: Vec<Outcome<()>> = (0..1000).map(outcome).collect();
    c.bench_function("fold of 1000 outcomes", |b| {
        b.iter_batched(
            || outcomes.clone(),
            |outcomes| {
                let mut fold = Fold::new();
                for (at, outcome) in (0..).zip(outcomes) {
                    fold.add(at, None, outcome);
                }
                fold.finish()
            },
            BatchSize::SmallInput,
        );
    });
}

fn slabs(c: &mut Criterion) {
    let mut slab = GenSlab::new();
    let keys: Vec<_> = (0..1000).map(|at| slab.insert(at)).collect();
    c.bench_function("slab get", |b| {
        let mut at = 0;
        b.iter(|| {
            at = (at + 1) % keys.len();
            let (index, generation) = keys[at];
            slab.get(index, generation).copied()
        });
    });
    let mut key = keys[500];
    c.bench_function("slab remove and insert", |b| {
        b.iter(|| {
            let value = slab.remove(key.0, key.1).expect("it is there");
            key = slab.insert(value);
        });
    });
}

criterion_group!(benches, budgets, reasons, folds, slabs);
criterion_main!(benches);
