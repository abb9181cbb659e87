//! Who is admitted, and when (REG-3, REG-4).

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use asr_base::{Failure, Outcome, Status};
use asr_kernel::region::State;
use asr_kernel::{Cx, OpenRegion, RegionConfig, RegionHandle};
use asr_trace::{Draft, Kind, Sink};

use crate::local;

/// Counts the runs and drops of a closure.
#[derive(Clone, Default)]
struct Probe {
    ran: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
}

struct Capture(Arc<AtomicU32>);

impl Drop for Capture {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Probe {
    /// Everything a handle can be asked for, each refused with `status`: nothing is run, and what
    /// was captured is dropped by the caller only.
    fn refused(&self, handle: &RegionHandle, status: Status) {
        let before = self.dropped.load(Relaxed);
        let (ran, capture) = (self.ran.clone(), Capture(self.dropped.clone()));
        let run = async move |_: Cx| {
            let _capture = capture;
            ran.fetch_add(1, Relaxed);
            Ok(())
        };
        let refused = handle.spawn(run).expect_err("not open");
        assert_eq!(refused.status(), status);
        assert_eq!(self.dropped.load(Relaxed), before, "it came back");
        drop(refused.closure);
        assert_eq!(self.dropped.load(Relaxed), before + 1);
        let (ran, capture) = (self.ran.clone(), Capture(self.dropped.clone()));
        let finalizer = move || {
            let _capture = capture;
            ran.fetch_add(1, Relaxed);
            Ok(())
        };
        let refused = handle.defer_sync(finalizer).expect_err("not open");
        assert_eq!(refused.status(), status);
        assert_eq!(self.dropped.load(Relaxed), before + 1, "it came back");
        drop(refused.closure);
        assert_eq!(self.dropped.load(Relaxed), before + 2);
        let refused = handle.defer_async(async |_| Ok(())).expect_err("not open");
        assert_eq!(refused.status(), status);
        let refused = handle.open(&RegionConfig::new()).expect_err("not open");
        assert_eq!(refused.kind(), status);
    }
}

/// Asks a region at its own events, which are written in the middle of the steps of its close.
#[derive(Default)]
struct AtEvents {
    target: Mutex<Option<RegionHandle>>,
    probe: Probe,
    seen: Mutex<Vec<(Kind, State)>>,
}

impl Sink for AtEvents {
    fn emit(&self, draft: Draft) -> u64 {
        let target = self.target.lock().expect("no panic under it").clone();
        let Some(handle) = target.filter(|handle| draft.region == Some(handle.id())) else {
            return 0;
        };
        let asked = [
            Kind::RegionClosing,
            Kind::RegionDraining,
            Kind::RegionFinalizing,
            Kind::RegionClosed,
        ];
        if asked.contains(&draft.kind) {
            let at = (draft.kind, handle.state());
            self.seen.lock().expect("no panic under it").push(at);
            self.probe.refused(&handle, Status::REGION_CLOSING);
        }
        0
    }
}

/// Obligations with it: their tests are those of obligations.
#[test]
fn reg_3_only_an_open_region_admits() {
    let runtime = local();
    let sink = Arc::new(AtEvents::default());
    runtime.kernel().trace().set(sink.clone());
    let asked = sink.clone();
    let outcome = runtime.run(async move |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let handle = owned.clone();
        *asked.target.lock().expect("no panic under it") = Some(handle.clone());
        let probe = asked.probe.clone();
        let (drains, probe_1) = (handle.clone(), probe.clone());
        let _ = owned.spawn(async move |cx| {
            while drains.state() == State::Open {
                cx.yield_now().await?;
            }
            assert_eq!(drains.state(), State::Draining);
            probe_1.refused(&drains, Status::REGION_CLOSING);
            Ok(())
        })?;
        let (finalizes, probe_2) = (handle.clone(), probe.clone());
        owned.defer_sync(move || {
            assert_eq!(finalizes.state(), State::Finalizing);
            probe_2.refused(&finalizes, Status::REGION_CLOSING);
            Ok(())
        })?;
        owned.close(&cx).await.into_result()?;
        assert_eq!(handle.state(), State::Closed);
        probe.refused(&handle, Status::REGION_CLOSED);
        // Nothing that was refused ran; all of it was dropped.
        Ok((probe.ran.load(Relaxed), probe.dropped.load(Relaxed)))
    });
    let seen = sink.seen.lock().expect("no panic under it").clone();
    assert_eq!(
        seen,
        [
            (Kind::RegionClosing, State::Closing),
            (Kind::RegionDraining, State::Closing),
            (Kind::RegionFinalizing, State::Finalizing),
            (Kind::RegionClosed, State::Finalizing),
        ]
    );
    let asked = seen.len() as u32 + 3;
    assert!(
        matches!(outcome, Outcome::Ok((0, dropped)) if dropped == 2 * asked),
        "{outcome:?}"
    );
    *sink.target.lock().expect("no panic under it") = None;
}

#[derive(Default)]
struct Tally {
    run: AtomicU32,
    refused: AtomicU32,
    dropped: Arc<AtomicU32>,
}

/// Spawners on threads of their own against a closer, many rounds: each closure is run by a task
/// that ended before the close, or comes back; all are dropped.
#[test]
fn reg_4_threads_spawn_against_a_close() {
    const THREADS: u32 = 3;
    const SPAWNS: u32 = 40;
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let mut both = [0, 0];
        for round in 0..150 {
            let (run, refused) = one_round(&cx, round, THREADS, SPAWNS).await?;
            assert_eq!(run + refused, THREADS * SPAWNS);
            both[0] += run;
            both[1] += refused;
        }
        Ok(both)
    });
    let Outcome::Ok([run, refused]) = outcome else {
        panic!("{outcome:?}")
    };
    // How many of each is the machine's affair; the models under loom have both.
    assert_eq!(run + refused, 150 * THREADS * SPAWNS);
    assert_eq!(runtime.kernel().owned_records(), (0, 0));
}

async fn one_round(cx: &Cx, round: u32, threads: u32, spawns: u32) -> Result<(u32, u32), Failure> {
    let tally = Arc::new(Tally::default());
    let owned: OpenRegion = cx.open_region(&RegionConfig::new())?;
    let spawners: Vec<_> = (0..threads)
        .map(|_| {
            let (tally, handle) = (tally.clone(), owned.clone());
            thread::spawn(move || {
                for _ in 0..spawns {
                    let (count, capture) = (tally.clone(), Capture(tally.dropped.clone()));
                    let run = async move |cx: Cx| {
                        let _capture = capture;
                        cx.yield_now().await?;
                        count.run.fetch_add(1, Relaxed);
                        Ok(())
                    };
                    if handle.spawn(run).is_err() {
                        tally.refused.fetch_add(1, Relaxed);
                    }
                }
            })
        })
        .collect();
    for _ in 0..round % 7 {
        cx.yield_now().await?;
    }
    owned.close(cx).await.into_result()?;
    let at_close = tally.run.load(Relaxed);
    for spawner in spawners {
        spawner.join().expect("a spawner does not panic");
    }
    assert_eq!(
        tally.run.load(Relaxed),
        at_close,
        "somebody ran after the close"
    );
    assert_eq!(tally.dropped.load(Relaxed), threads * spawns);
    Ok((at_close, tally.refused.load(Relaxed)))
}

/// Threads that cancel a region while others open regions below it: nobody is missed, or the round
/// would never end.
#[test]
fn can_5_part_a_cancel_misses_no_region_that_opens() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        for round in 0..150_u32 {
            let owned = cx.open_region(&RegionConfig::new())?;
            let opener = owned.clone();
            let opens = thread::spawn(move || {
                let mut opened = Vec::new();
                for _ in 0..20 {
                    let Ok(below) = opener.open(&RegionConfig::new()) else {
                        break;
                    };
                    let _ = below.spawn(async |cx| {
                        cx.sleep(std::time::Duration::from_secs(3600)).await?;
                        Ok(())
                    });
                    opened.push(below);
                }
                opened
            });
            for _ in 0..round % 5 {
                cx.yield_now().await?;
            }
            owned.cancel("while they open");
            let opened = opens.join().expect("the opener does not panic");
            opened.iter().for_each(|below| below.begin_close());
            let outcome = owned.close(&cx).await;
            drop(opened);
            assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(runtime.kernel().owned_records(), (0, 0));
}

/// Closers on threads: each waits with a waker of its own, and each is woken.
#[test]
fn reg_9_closers_on_threads_are_all_woken() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        for _ in 0..150 {
            let owned = cx.open_region(&RegionConfig::new())?;
            let _ = owned.spawn(async |cx| Ok(cx.yield_now().await?))?;
            let handle = owned.clone();
            let waits = cx.share::<asr_kernel::cx::caps::Task>();
            let waiter = thread::spawn(move || block_on(handle.close(&waits)));
            owned.close(&cx).await.into_result()?;
            let outcome = waiter.join().expect("the closer does not panic");
            assert_eq!(outcome, Outcome::Ok(()));
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// Polls a future on this thread until it is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}
