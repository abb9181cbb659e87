//! What an emit site costs: with the gate closed, and open to a recorder.
//!
//! `cargo bench -p asr-trace --bench emit`. The closed site is measured against a loop without
//! one: the difference is a load and a branch (TRC-5).

use std::hint::black_box;
use std::sync::Arc;

use asr_base::{RegionId, TaskId, Time};
use asr_trace::{Draft, Gate, Kind, Object, Recorder, Resource};
use criterion::{Criterion, criterion_group, criterion_main};

fn site(gate: &Gate, n: u64) -> u64 {
    gate.emit(|| {
        Draft::new(Kind::TaskPoll, Time::from_nanos(n))
            .task(TaskId::new(n as u32 % 64, 1))
            .region(RegionId::new(0, 1))
            .object(Object::write(Resource::Task(TaskId::new(1, 1))))
            .cause(n)
            .words(n, 0, 0)
    })
}

fn emit(c: &mut Criterion) {
    let mut group = c.benchmark_group("emit");
    let gate = Gate::new();
    let mut n = 0u64;
    group.bench_function("none", |b| {
        b.iter(|| {
            n = n.wrapping_add(1);
            black_box(n)
        });
    });
    group.bench_function("off", |b| {
        b.iter(|| {
            n = n.wrapping_add(1);
            black_box(site(black_box(&gate), n))
        });
    });
    gate.set(Arc::new(Recorder::new(1 << 12)));
    group.bench_function("on", |b| {
        b.iter(|| {
            n = n.wrapping_add(1);
            black_box(site(black_box(&gate), n))
        });
    });
    group.finish();
}

criterion_group!(benches, emit);
criterion_main!(benches);
