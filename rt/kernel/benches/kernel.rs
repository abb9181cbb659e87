//! The kernel's operations one by one: on a driver that is a queue, with a recorder behind the
//! trace gate, and on the driver of one thread.
//!
//! `cargo bench -p asr-kernel --bench kernel`. Instructions and bytes: the examples `costs` and
//! `bytes`.

mod ops;

use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use ops::Place;

fn operations(c: &mut Criterion) {
    for (place, name) in [
        (Place::Queue, "queue"),
        (Place::Traced, "traced"),
        (Place::Local, "local"),
        (Place::Workers(1), "workers_1"),
        (Place::Workers(2), "workers_2"),
    ] {
        let mut group = c.benchmark_group(name);
        for (name, work) in ops::ALL {
            group.bench_function(name, |b| {
                b.iter_custom(|times| {
                    let start = Instant::now();
                    ops::run(place, work, times);
                    start.elapsed()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
