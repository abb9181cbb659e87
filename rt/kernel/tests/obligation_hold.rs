//! Tokens that borrow their holder's context: counted, and never lost.

use asr_base::{Failure, Outcome};
use asr_kernel::obligation::hold::{Ack, Held, SendPermit, SyncPermit};
use asr_kernel::obligation::{AbortCause, Counts, Hold, Kind, LeakResponse};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};

fn local(records: bool) -> Local {
    let mut config = Config::default();
    config.leak_records = records;
    config.leak_response = LeakResponse::Silent;
    Local::new(config)
}

/// What the kernel counted of a kind, when all is over.
fn counted<F, Fut>(local: &Local, kind: Kind, main: F) -> Counts
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let _ = local.run(main);
    local.kernel().marking().of(kind)
}

fn hold<K: Held>(cx: &Cx) -> Hold<'_, K> {
    cx.holder().hold().expect("the task runs")
}

/// More than a count of the task's word has room for, some committed and some aborted, from tasks
/// side by side: with and without records the sums are the same.
#[test]
fn obl_21_part_held_tokens_add_up() {
    fn mixed<K: Held>(cx: &Cx, times: u32) {
        for n in 0..times {
            match n % 5 {
                0 => hold::<K>(cx).abort(AbortCause::Verb),
                1 => drop(hold::<K>(cx)),
                _ => hold::<K>(cx).release(),
            }
        }
    }
    for (records, times) in [(false, 70_000), (true, 1_000)] {
        for kind in [SyncPermit::KIND, SendPermit::KIND, Ack::KIND] {
            let local = local(records);
            let counts = counted(&local, kind, async move |cx| {
                let mut tasks = Vec::new();
                for _ in 0..3 {
                    tasks.push(cx.spawn(async move |cx| {
                        mixed::<SyncPermit>(&cx, times);
                        mixed::<SendPermit>(&cx, times);
                        mixed::<Ack>(&cx, times);
                        Ok(())
                    })?);
                }
                for task in tasks {
                    task.join(&cx).await?.into_result()?;
                }
                Ok(())
            });
            let (all, fifth) = (3 * u64::from(times), 3 * u64::from(times) / 5);
            assert_eq!(counts.reserved, all);
            assert_eq!((counts.committed, counts.aborted), (3 * fifth, 2 * fifth));
            assert_eq!(local.kernel().stats().leaks.get(), 3 * fifth);
        }
    }
}

/// A token that is forgotten is found when its region closes, or its record when its task ends.
#[test]
fn obl_33_part_a_forgotten_hold_is_reported() {
    for records in [false, true] {
        let local = local(records);
        let counts = counted(&local, Kind::SYNC_PERMIT, async |cx| {
            std::mem::forget(hold::<SyncPermit>(&cx));
            hold::<SyncPermit>(&cx).release();
            Ok(())
        });
        assert_eq!(
            (counts.reserved, counts.committed, counts.aborted),
            (2, 1, 1)
        );
        assert_eq!(local.kernel().stats().leaks.get(), 1);
    }
}

/// OBL-9: what a task holds when it is cancelled or panics is aborted, and no leak.
#[test]
fn obl_9_part_held_tokens_are_unwound() {
    for panics in [false, true] {
        let local = local(false);
        let counts = counted(&local, Kind::SYNC_PERMIT, async move |cx| {
            let child = cx.spawn(async move |cx| {
                let _held = hold::<SyncPermit>(&cx);
                cx.yield_now().await?;
                assert!(!panics, "on purpose");
                cx.sleep(std::time::Duration::from_secs(1 << 20)).await?;
                Ok(())
            })?;
            cx.yield_now().await?;
            if !panics {
                child.abort();
            }
            let outcome = child.join(&cx).await?;
            assert!(matches!(
                outcome,
                Outcome::Cancelled(_) | Outcome::Panicked(_)
            ));
            Ok(())
        });
        assert_eq!(
            (counts.reserved, counts.committed, counts.aborted),
            (1, 0, 1)
        );
        assert_eq!(local.kernel().stats().leaks.get(), 0);
    }
}

/// A context that outlived its task makes no tokens.
#[test]
fn cap_9_part_no_token_after_the_end() {
    let local = local(false);
    let outcome = local.run(async |cx| {
        let child = cx.spawn(async |cx| Ok(cx))?;
        let late = child.join(&cx).await?.into_result()?;
        assert!(late.holder().hold::<SyncPermit>().is_err());
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}
