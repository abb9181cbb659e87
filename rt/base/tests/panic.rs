//! Panic payloads: what is kept, what is cut, and that dropping never panics.

mod common;

use std::panic::{catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use asr_base::{PanicKind, PanicPayload, RegionId};
use common::task;

#[test]
fn val_10_a_mebibyte_of_text() {
    // Characters of three bytes: 4096 falls into one.
    let text = "€".repeat((1 << 20) / 3 + 1);
    let thrown = catch_unwind(|| panic!("{text}")).expect_err("it panics");
    let region = RegionId::new(2, 5);
    let payload = PanicPayload::capture(
        Some(task(3)),
        Some(region),
        Some("halfway"),
        Some(("main.prox", 12)),
        thrown,
    );
    assert_eq!(payload.message(), "€".repeat(4095 / 3));
    assert!(payload.truncated());
    assert_eq!(payload.kind(), PanicKind::Panic);
    assert_eq!(
        (payload.task(), payload.region()),
        (Some(task(3)), Some(region))
    );
    assert_eq!(payload.checkpoint(), Some("halfway"));
    assert_eq!(payload.location(), Some(("main.prox", 12)));
    let text = payload.to_string();
    assert!(
        text.starts_with("panic in T3.1 of R2.5 at main.prox:12: €€"),
        "{text}"
    );
    assert!(
        text.ends_with("€ [truncated] (last checkpoint: halfway)"),
        "{text}"
    );
    drop(payload);
}

#[test]
fn val_10_text_that_fits_is_kept_whole() {
    for length in [0, 1, 4095, 4096] {
        let text = "x".repeat(length);
        let payload = PanicPayload::new(PanicKind::Anomaly, &text);
        assert_eq!(payload.message(), text);
        assert!(!payload.truncated(), "{length}");
    }
    assert!(PanicPayload::new(PanicKind::Anomaly, &"x".repeat(4097)).truncated());
    let thrown = catch_unwind(|| panic!("a literal")).expect_err("it panics");
    let payload = PanicPayload::capture(None, None, None, None, thrown);
    assert_eq!(payload.to_string(), "panic: a literal");
    let thrown = catch_unwind(|| panic_any(7)).expect_err("it panics");
    let payload = PanicPayload::capture(None, None, None, None, thrown);
    assert_eq!(payload.message(), "a value that is not text");
}

/// Its destructor panics with a value of the same type, `left` times.
struct Bomb {
    left: u32,
    dropped: Arc<AtomicU32>,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if self.left > 0 {
            panic_any(Bomb {
                left: self.left - 1,
                dropped: Arc::clone(&self.dropped),
            });
        }
    }
}

#[test]
fn val_10_a_value_whose_drop_panics_is_contained() {
    let capture = |left| {
        let dropped = Arc::new(AtomicU32::new(0));
        let bomb = Box::new(Bomb {
            left,
            dropped: Arc::clone(&dropped),
        });
        let payload = PanicPayload::capture(Some(task(1)), None, None, None, bomb);
        assert_eq!(payload.message(), "a value that is not text");
        drop(payload);
        dropped.load(Ordering::Relaxed)
    };
    assert_eq!(capture(0), 1);
    assert_eq!(capture(1), 2);
    assert_eq!(capture(5), 6);
    // One that never ends is left alone after some rounds.
    assert_eq!(capture(u32::MAX), 8);
}
