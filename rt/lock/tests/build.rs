//! What is in which build: the check in debug builds and with the lab, metrics with their feature,
//! and nothing of either in a lock that has neither.

use std::collections::BTreeSet;
use std::mem::size_of;

use asr_lock::rank::Region;
use asr_lock::{CHECKED, Mutex, MutexGuard, TABLE};

/// All tests of the workspace are debug builds, so each of them runs under the check.
#[test]
fn sch_35_debug_builds_and_builds_with_the_lab_check() {
    let checks = cfg!(debug_assertions) || cfg!(feature = "lock-order");
    assert_eq!(CHECKED, checks && !cfg!(loom));
}

/// A rank is a type: a lock has no room for it in any build.
#[test]
fn sch_35_a_rank_takes_no_room() {
    type Plain<T> = parking_lot::Mutex<T>;
    assert_eq!(size_of::<Mutex<(), Region>>(), size_of::<Plain<()>>());
    assert_eq!(size_of::<Mutex<u64, Region>>(), size_of::<Plain<u64>>());
    let guard = size_of::<MutexGuard<'_, u64, Region>>();
    let plain = size_of::<parking_lot::MutexGuard<'_, u64>>();
    let bare = !CHECKED && !cfg!(feature = "lock-metrics");
    assert_eq!(guard == plain, bare, "{guard} and {plain} bytes");
}

#[test]
fn sch_35_each_rank_has_its_place_name_and_reason() {
    let names: BTreeSet<&str> = TABLE.iter().map(|info| info.name).collect();
    assert_eq!(names.len(), TABLE.len(), "two ranks with one name");
    for (place, info) in TABLE.iter().enumerate() {
        assert_eq!(info.place, place, "{info:?}");
        assert!(info.why.len() > 20 && info.why.ends_with('.'), "{info:?}");
    }
}

/// Found in this program if the needle is a part of a symbol. It is written in capitals, so that
/// it does not find itself.
fn has_symbol(capitals: &str) -> bool {
    let needle = capitals.to_lowercase().into_bytes();
    let own = std::env::current_exe().expect("the program knows its path");
    let program = std::fs::read(own).expect("a program can be read");
    let mut parts = program.windows(needle.len());
    parts.any(|part| part == needle)
}

/// Without the feature the program has no symbol of the module that counts; with it, it has.
#[test]
fn sch_37_metrics_are_absent_when_they_are_off() {
    let mutex = Mutex::<u32, Region>::new(1);
    *mutex.lock() += 1;
    assert!(mutex.try_lock().is_some_and(|value| *value == 2));
    assert!(has_symbol("5BUILD10HAS_SYMBOL"), "symbols cannot be seen");
    let on = cfg!(feature = "lock-metrics");
    assert_eq!(has_symbol("8ASR_LOCK7METRICS"), on);
    assert_eq!(has_symbol("8ASR_LOCK5ORDER"), CHECKED);
}
