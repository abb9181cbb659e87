//! What a builder is given beside values: a governor; and what it makes: a recorder.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use asr_base::{Duration, Status};
use asr_kernel::sched::governor::{Advice, Governor, Snapshot};
use asr_rt::sync::{Mutex, Notify};
use asr_rt::{Builder, Cx};
use asr_trace::{ClockMode, HappensBefore, HybridTime};

/// A file may turn off what the program gives, and cannot turn on what nobody gave.
#[test]
fn sch_38_sch_44_part_a_governor_is_given_and_turned_on() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    struct Counts(Arc<AtomicU64>);
    impl Governor for Counts {
        fn advise(&mut self, snapshot: &Snapshot) -> Advice {
            self.0.fetch_max(snapshot.dispatches, Relaxed);
            Advice::new()
        }
    }
    let given = Builder::new().workers(1).governor_interval(7);
    let given = given.govern_with(move |_| Box::new(Counts(count.clone())));
    let busy = async |cx: Cx| {
        for _ in 0..100 {
            cx.yield_now().await?;
        }
        Ok(())
    };
    let off = given.clone().config_text("asr.toml", "governor = false");
    assert!(off.expect("a key").run(busy).is_ok());
    assert_eq!(asked.load(Relaxed), 0);
    assert!(given.run(busy).is_ok());
    assert!(asked.load(Relaxed) >= 91 && asked.load(Relaxed).is_multiple_of(7));
    let error = Builder::new()
        .governor(true)
        .start()
        .expect_err("of nobody");
    assert_eq!(error.kind(), Status::BAD_ARGUMENT);
    assert!(error.message().starts_with("governor: "), "{error}");
}

/// The recorder of a runtime gives times of the mode that it is built with.
#[test]
fn sch_44_part_trc_6_the_clock_mode_is_that_of_the_recorder() {
    let since_1970 = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after it")
    };
    assert!(
        Builder::new()
            .workers(1)
            .start()
            .expect("threads")
            .recorder()
            .is_none()
    );
    for mode in ClockMode::ALL {
        let builder = Builder::new()
            .workers(2)
            .trace_events(100_000)
            .clock_mode(mode);
        let began = since_1970();
        let tasks = builder.start().expect("threads");
        let recorder = tasks.recorder().expect("it is wanted").clone();
        let outcome = tasks.run(async |cx| {
            let child = cx.spawn(async |cx| {
                cx.yield_now().await?;
                Ok(())
            })?;
            child.join(&cx).await?.into_result()
        });
        assert!(outcome.is_ok(), "{outcome:?}");
        let log = recorder.take();
        assert_eq!(log.clock, mode);
        assert!(log.events.len() > 10 && log.dropped.total() == 0);
        let order = HappensBefore::rebuild(&log.events);
        for (at, a) in log.events.iter().enumerate() {
            let after = (0..order.len()).filter(|&b| order.before(at, b));
            for b in after.map(|b| &log.events[b]) {
                assert!(a.logical < b.logical, "{mode:?}: {a:?} {b:?}");
            }
            if mode == ClockMode::Hybrid {
                let physical = HybridTime::from_bits(a.logical).physical();
                let skew = Duration::from_secs(1);
                assert!(physical + skew >= began && physical <= since_1970() + skew);
            }
        }
    }
}

/// A guard over a wait that nobody ends, with a bound that is a file's; the report ends it.
#[test]
fn obl_19_a_builder_says_when_a_futurelock_is_told_of_and_to_whom() {
    let over = Arc::new(Notify::new());
    let (lock, end) = (Arc::new(Mutex::new(())), over.clone());
    let said = Arc::new(std::sync::Mutex::new(String::new()));
    let tell = said.clone();
    let builder = Builder::new()
        .config_text("asr.toml", "futurelock_idle = '2 ms'")
        .expect("a key")
        .on_futurelock(move |found| {
            *tell.lock().unwrap() = found.to_string();
            end.notify_one();
        });
    let outcome = builder.run(async move |cx| {
        let guard = lock.lock(&cx).await?;
        let theirs = lock.clone();
        let waiter = cx.spawn(async move |cx| {
            drop(theirs.lock(&cx).await?);
            Ok(())
        })?;
        over.notified(&cx).await?;
        drop(guard);
        waiter.join(&cx).await?.into_result()
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    let said = said.lock().unwrap();
    assert!(said.contains(" holds a SyncPermit of lock 1"), "{said}");
}
