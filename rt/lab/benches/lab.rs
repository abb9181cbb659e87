//! Steps of the kernel and seeds per second.

use std::hint::black_box;

use asr_lab::{Lab, LabConfig, Run};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const TASKS: u64 = 100;

/// A hundred tasks that give way, wait and are joined.
fn scenario(seed: u64, watched: bool) -> Run<()> {
    let mut config = LabConfig::seed(seed);
    config.capture_trace = watched;
    config.oracles = watched;
    let run = Lab::new(config).run(async |cx| {
        let mut handles = Vec::new();
        for n in 0..TASKS {
            handles.push(cx.spawn(async move |cx| {
                cx.yield_now().await?;
                cx.sleep(std::time::Duration::from_micros(n % 7)).await?;
                Ok(())
            })?);
        }
        for handle in handles {
            handle.join(&cx).await?.into_result()?;
        }
        Ok(())
    });
    run.expect("it ends")
}

fn lab(criterion: &mut Criterion) {
    for watched in [true, false] {
        let name = if watched { "watched" } else { "bare" };
        let steps = scenario(0, watched).steps;
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(steps));
        let mut seed = 0;
        group.bench_function("steps", |bencher| {
            bencher.iter(|| {
                seed += 1;
                black_box(scenario(seed, watched))
            });
        });
        group.throughput(Throughput::Elements(1));
        group.bench_function("seeds", |bencher| {
            bencher.iter(|| {
                seed += 1;
                black_box(scenario(seed, watched))
            });
        });
        group.finish();
    }
}

criterion_group!(benches, lab);
criterion_main!(benches);
