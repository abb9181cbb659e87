//! Masks.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use asr_base::Status;
use asr_kernel::{Cx, Escalation};
use asr_trace::{Kind, Log, Sub};
use common::{cancelled, cancelled_in, kinds, ok, run, subs, turn};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn can_15_masks_nest_to_their_limit_and_no_deeper() {
    fn nested(cx: &Cx, depth: u32) -> Result<u32, Status> {
        if depth == 0 {
            return Ok(0);
        }
        let inside = cx.mask_sync(|| nested(cx, depth - 1));
        inside.map_err(|error| error.kind())?.map(|depth| depth + 1)
    }
    let (seen, log) = cancelled_in(Escalation::Drop, async |cx| {
        let eight = nested(&cx, 8);
        let nine = nested(&cx, 9);
        // No mask of the nine is left, and none of one that panicked.
        let open = cx.checkpoint().is_err();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            cx.mask_sync(|| cx.mask_sync(|| panic!("inside")))
        }));
        let after = cx.checkpoint().is_err();
        // Futures: the ninth is not polled.
        let mut polled = 0;
        let deep = cx.mask(
            9,
            cx.mask(
                9,
                cx.mask(
                    9,
                    cx.mask(
                        9,
                        cx.mask(
                            9,
                            cx.mask(9, cx.mask(9, cx.mask(9, cx.mask(9, async { polled += 1 })))),
                        ),
                    ),
                ),
            ),
        );
        let refused = deep.await;
        let refused = format!("{refused:?}");
        let again = cx.checkpoint().is_err();
        (
            (eight, nine),
            panicked.is_err(),
            [open, after, again],
            polled,
            refused,
        )
    });
    let (depths, panicked, open, polled, refused) = seen.expect("it ran");
    assert_eq!(depths, (Ok(8), Err(Status::MASK_LIMIT)));
    assert!(panicked);
    assert_eq!((open, polled), ([true; 3], 0));
    assert!(refused.contains("MASK_LIMIT"), "{refused}");
    // A mask that was refused was not begun.
    assert_eq!(kinds(&log, Kind::MaskBegin).len(), 8);
    assert_eq!(kinds(&log, Kind::MaskEnd).len(), 8);
}

#[test]
fn can_15_a_panic_inside_a_masked_future_restores_the_depth() {
    let (open, _) = cancelled_in(Escalation::Drop, async |cx| {
        let caught = {
            let mut masked = Box::pin(cx.mask(9, async {
                turn().await;
                panic!("inside");
            }));
            std::future::poll_fn(move |context| {
                match catch_unwind(AssertUnwindSafe(|| masked.as_mut().poll(context))) {
                    Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
                    Ok(std::task::Poll::Ready(_)) => unreachable!("it panics"),
                    Err(_) => std::task::Poll::Ready(true),
                }
            })
            .await
        };
        (caught, cx.checkpoint().is_err())
    });
    assert_eq!(open, Some((true, true)));
}

#[test]
fn can_16_three_masks_and_a_cancel_in_the_middle() {
    let (seen, log) = ok(run(async |cx| {
        let child = cx.spawn(async |cx| {
            let inside = cx
                .mask(9, async {
                    let one = cx.checkpoint().is_ok();
                    let inner = cx
                        .mask(9, async {
                            let two = cx.checkpoint().is_ok();
                            let inmost = cx
                                .mask(9, async {
                                    while !cx.is_cancel_requested() {
                                        turn().await;
                                    }
                                    cx.checkpoint().is_ok()
                                })
                                .await;
                            [two, inmost.is_ok_and(|ok| ok), cx.checkpoint().is_ok()]
                        })
                        .await;
                    // A wait under a mask is a wait.
                    let slept = cx.sleep(SECOND).await.is_ok();
                    [inner.is_ok_and(|all| all == [true; 3]), one, slept]
                })
                .await;
            // The end of the outermost was no cancel point: we are here. The next checkpoint is.
            let after = cx.checkpoint().is_err();
            assert_eq!((inside.ok(), after), (Some([true; 3]), true));
            Ok(())
        })?;
        turn().await;
        child.abort();
        let outcome = child.join(&cx).await?;
        Ok((outcome, cx.now()))
    }));
    cancelled(seen.0);
    assert_eq!(seen.1, asr_base::Time::ZERO + SECOND);
    assert_eq!(kinds(&log, Kind::CancelObserve).len(), 1);
}

/// Polls inside a mask after its bound, of which there are ten times as many.
fn overrun(mode: Escalation) -> (Vec<bool>, Log) {
    const C: u32 = 4;
    let (seen, log) = cancelled_in(mode, async |cx| {
        let mut seen = Vec::new();
        let inside = cx.mask(C, async {
            for _ in 0..10 * C {
                seen.push(cx.checkpoint().is_ok());
                turn().await;
            }
        });
        inside.await.expect("depth 1");
        seen
    });
    (seen.expect("it ran"), log)
}

#[test]
fn can_17_a_mask_that_outlasts_its_bound_is_reported_and_stops_masking() {
    for (mode, masked) in [
        (Escalation::Drop, 4),
        (Escalation::Panic, 4),
        (Escalation::Soft, 40),
    ] {
        let (seen, log) = overrun(mode);
        let mut expected = vec![true; masked];
        expected.resize(40, false);
        assert_eq!(seen, expected, "{mode:?}");
        let events = subs(&log, Sub::MaskOverrun);
        assert_eq!(events.len(), 1, "{mode:?}");
        assert_eq!((events[0].a, events[0].b), (4, 5));
    }
}

#[test]
fn can_17_a_mask_without_polls_masks_nothing_in_a_bounded_mode() {
    let (seen, log) = cancelled_in(Escalation::Drop, async |cx| {
        cx.mask(0, async { cx.checkpoint().is_err() }).await.ok()
    });
    assert_eq!(seen, Some(Some(true)));
    assert_eq!(subs(&log, Sub::MaskOverrun).len(), 1);
}
