//! Locks, semaphores and channels: one operation, again and again, by one task or by several.
//!
//! `cargo bench -p asr-sync`. Production settings: tokens are counted, nothing is traced.

mod clock;

use std::hint::black_box;
use std::sync::Arc;

use asr_base::Failure;
use asr_kernel::obligation::LeakResponse;
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};
use asr_sync::{Mutex, Notify, Semaphore};
use clock::cpu;
use criterion::{Criterion, criterion_group, criterion_main};

/// Runs a program to its end, on one thread.
fn run<F, Fut>(main: F)
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut config = Config::default();
    config.leak_response = LeakResponse::Recover;
    config.leak_records = false;
    let outcome = Local::new(config).run(main);
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// So many tasks, each of which runs `body` so often.
async fn tasks<F, Fut>(cx: Cx, count: u64, times: u64, body: F) -> Result<(), Failure>
where
    F: Fn(Cx, u64) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut handles = Vec::new();
    for n in 0..count {
        let body = body.clone();
        let share = times / count + u64::from(n < times % count);
        handles.push(cx.spawn(move |cx| body(cx, share))?);
    }
    for handle in handles {
        handle.join(&cx).await?.into_result()?;
    }
    Ok(())
}

fn locks(c: &mut Criterion) {
    for count in [1, 8] {
        c.bench_function(&format!("mutex, {count} tasks"), |b| {
            b.iter_custom(|times| {
                let start = cpu();
                run(async move |cx| {
                    let mutex = Arc::new(Mutex::new(0_u64));
                    tasks(cx, count, times, move |cx, times| {
                        let mutex = mutex.clone();
                        async move {
                            for _ in 0..times {
                                *mutex.lock(&cx).await? += 1;
                            }
                            Ok(())
                        }
                    })
                    .await
                });
                cpu() - start
            });
        });
        c.bench_function(&format!("semaphore of 4, {count} tasks"), |b| {
            b.iter_custom(|times| {
                let start = cpu();
                run(async move |cx| {
                    let semaphore = Arc::new(Semaphore::new(4)?);
                    tasks(cx, count, times, move |cx, times| {
                        let semaphore = semaphore.clone();
                        async move {
                            for _ in 0..times {
                                drop(black_box(semaphore.acquire(&cx).await?));
                            }
                            Ok(())
                        }
                    })
                    .await
                });
                cpu() - start
            });
        });
    }
    c.bench_function("mutex held over a yield, 8 tasks", |b| {
        b.iter_custom(|times| {
            let start = cpu();
            run(async move |cx| {
                let mutex = Arc::new(Mutex::new(0_u64));
                tasks(cx, 8, times, move |cx, times| {
                    let mutex = mutex.clone();
                    async move {
                        for _ in 0..times {
                            let mut guard = mutex.lock(&cx).await?;
                            *guard += 1;
                            cx.yield_now().await?;
                        }
                        Ok(())
                    }
                })
                .await
            });
            cpu() - start
        });
    });
    c.bench_function("notify: store, take", |b| {
        b.iter_custom(|times| {
            let start = cpu();
            run(async move |cx| {
                let notify = Notify::new();
                for _ in 0..times {
                    notify.notify_one();
                    notify.notified(&cx).await?;
                }
                Ok(())
            });
            cpu() - start
        });
    });
}

criterion_group!(benches, locks);
criterion_main!(benches);
