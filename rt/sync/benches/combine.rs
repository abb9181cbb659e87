//! Combinators whose branches are ready, and one whose loser waits: what the machinery costs. A
//! region with the same fibers, spawned and joined by hand, stands beside them.
//!
//! `cargo bench -p asr-sync --bench combine`.

mod clock;
mod runtime;

use std::hint::black_box;
use std::time::Duration;

use asr_kernel::{Cx, Policy, RegionConfig};
use asr_sync::combine::{join, race, timeout};
use clock::Start;
use criterion::{Criterion, criterion_group, criterion_main};
use runtime::run;

/// Measures an expression of a context, one after the other.
macro_rules! calls {
    ($criterion:ident, $name:literal, |$cx:ident| $call:expr) => {
        $criterion.bench_function($name, |b| {
            b.iter_custom(|times| {
                let start = Start::now();
                run(async move |$cx| {
                    for _ in 0..times {
                        let value: u64 = $call.await.into_result()?;
                        black_box(value);
                    }
                    Ok(())
                });
                start.elapsed()
            });
        });
    };
}

fn combinators(c: &mut Criterion) {
    let ready = async |_: Cx| Ok(black_box(1));
    let waits = async |cx: Cx| {
        cx.sleep(Duration::from_secs(3600)).await?;
        Ok(black_box(2))
    };
    calls!(c, "region with two fibers, joined", |cx| cx.region(
        RegionConfig::new(),
        async move |scope, cx| {
            let (first, second) = (scope.fiber(ready)?, scope.fiber(ready)?);
            let first = first.join(&cx).await?.into_result()?;
            Ok(first + second.join(&cx).await?.into_result()?)
        }
    ));
    calls!(c, "join of two that are ready", |cx| async {
        let both = join(&cx, Policy::FailFast, ready, ready).await;
        both.map(|(first, second)| first + second)
    });
    calls!(c, "race of two that are ready", |cx| race(
        &cx, ready, ready
    ));
    calls!(c, "race against one that waits", |cx| race(
        &cx, ready, waits
    ));
    calls!(c, "timeout of one that is ready", |cx| timeout(
        &cx,
        Duration::from_secs(3600),
        ready
    ));
}

criterion_group!(benches, combinators);
criterion_main!(benches);
