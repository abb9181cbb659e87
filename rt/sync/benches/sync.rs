//! Locks, semaphores and channels: one operation, again and again, by one task or by several.
//!
//! `cargo bench -p asr-sync`. Production settings: tokens are counted, nothing is traced. With
//! `ASR_BENCH_WALL` the time is that of the clock: what several workers do at once counts once.

mod clock;
mod runtime;

use std::hint::black_box;
use std::sync::Arc;

use asr_base::Failure;
use asr_kernel::Cx;
use asr_sync::{Mutex, Notify, Semaphore, mpsc, oneshot};
use clock::Start;
use criterion::{Criterion, criterion_group, criterion_main};
use runtime::run;

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
                let start = Start::now();
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
                start.elapsed()
            });
        });
        c.bench_function(&format!("semaphore of 4, {count} tasks"), |b| {
            b.iter_custom(|times| {
                let start = Start::now();
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
                start.elapsed()
            });
        });
    }
    c.bench_function("mutex held over a yield, 8 tasks", |b| {
        b.iter_custom(|times| {
            let start = Start::now();
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
            start.elapsed()
        });
    });
    c.bench_function("notify: store, take", |b| {
        b.iter_custom(|times| {
            let start = Start::now();
            run(async move |cx| {
                let notify = Notify::new();
                for _ in 0..times {
                    notify.notify_one();
                    notify.notified(&cx).await?;
                }
                Ok(())
            });
            start.elapsed()
        });
    });
}

fn channels(c: &mut Criterion) {
    for (senders, capacity) in [(1, 1024), (4, 1024), (4, 1)] {
        c.bench_function(&format!("mpsc of {capacity}, {senders} to 1"), |b| {
            b.iter_custom(|times| {
                let start = Start::now();
                run(async move |cx| {
                    let (sender, mut receiver) = mpsc::channel(&cx, capacity)?;
                    let feeder = cx.spawn(async move |cx| {
                        tasks(cx, senders, times, move |cx, times| {
                            let sender = sender.clone();
                            async move {
                                for n in 0..times {
                                    sender.send(&cx, n).await?;
                                }
                                Ok(())
                            }
                        })
                        .await
                    })?;
                    for _ in 0..times {
                        black_box(receiver.recv(&cx).await?);
                    }
                    feeder.join(&cx).await?.into_result()?;
                    Ok(())
                });
                start.elapsed()
            });
        });
    }
    c.bench_function("ping-pong over two mpsc of 1", |b| {
        b.iter_custom(|times| {
            let start = Start::now();
            run(async move |cx| {
                let (ping, mut pinged) = mpsc::channel(&cx, 1)?;
                let (pong, mut ponged) = mpsc::channel(&cx, 1)?;
                let other = cx.spawn(async move |cx| {
                    for _ in 0..times {
                        let n: u64 = pinged.recv(&cx).await?;
                        pong.send(&cx, n).await?;
                    }
                    Ok(())
                })?;
                for n in 0..times {
                    ping.send(&cx, n).await?;
                    black_box(ponged.recv(&cx).await?);
                }
                other.join(&cx).await?.into_result()?;
                Ok(())
            });
            start.elapsed()
        });
    });
    c.bench_function("reserve, send, try_recv", |b| {
        b.iter_custom(|times| {
            let start = Start::now();
            run(async move |cx| {
                let (sender, mut receiver) = mpsc::channel(&cx, 8)?;
                for n in 0..times {
                    sender.reserve(&cx).await?.send(n)?;
                    black_box(receiver.try_recv().ok());
                }
                Ok(())
            });
            start.elapsed()
        });
    });
    c.bench_function("oneshot: make, send, receive", |b| {
        b.iter_custom(|times| {
            let start = Start::now();
            run(async move |cx| {
                for n in 0..times {
                    let (sender, mut receiver) = oneshot(&cx);
                    sender.send(n)?;
                    black_box(receiver.recv(&cx).await?);
                }
                Ok(())
            });
            start.elapsed()
        });
    });
    c.bench_function("oneshot: request and answer between tasks", |b| {
        b.iter_custom(|times| {
            let start = Start::now();
            run(async move |cx| {
                let (requests, mut requested) = mpsc::channel::<oneshot::Sender<u64>, _>(&cx, 1)?;
                let server = cx.spawn(async move |cx| {
                    while let Ok(answer) = requested.recv(&cx).await {
                        answer.send(7)?;
                    }
                    Ok(())
                })?;
                for _ in 0..times {
                    let (sender, mut receiver) = oneshot(&cx);
                    requests.send(&cx, sender).await?;
                    black_box(receiver.recv(&cx).await?);
                }
                drop(requests);
                server.join(&cx).await?.into_result()?;
                Ok(())
            });
            start.elapsed()
        });
    });
}

criterion_group!(benches, locks, channels);
criterion_main!(benches);
