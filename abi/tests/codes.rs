//! VAL-33 and VAL-34: the table of codes.

use std::collections::HashSet;

use asr_abi::codes::{self, Series};

/// The table of VAL-33: numbers are positions.
const VAL_33: &str = "OK PENDING THREW CANCELLED CLOSED REGION_CLOSING REGION_CLOSED STALE_HANDLE \
    ALREADY_RESOLVED NOT_HOLDER QUOTA_EXCEEDED FULL EMPTY LAGGED TIMED_OUT WRONG_TYPE CAP_DENIED \
    NO_HANDLER DUPLICATE UNKNOWN_COMPUTATION IDEMPOTENCY_CONFLICT VERSION_UNSUPPORTED BAD_FRAME \
    LEASE_EXPIRED CYCLE POISONED REJECTED UNSUPPORTED BAD_ARGUMENT DIVERGED CORRUPT SHUTDOWN \
    QUARANTINED CONFLICT STEP_LIMIT MASK_LIMIT IO BUSY";

#[test]
fn val_33_statuses_are_the_table() {
    let names: Vec<_> = VAL_33.split_whitespace().collect();
    assert_eq!(names.len(), 38);
    let rows = codes::rows(Series::S);
    assert_eq!(rows.len(), names.len());
    for (number, (row, name)) in rows.iter().zip(names).enumerate() {
        assert_eq!((row.number, row.name), (number as u32, name));
    }
    assert_eq!(asr_abi::status::CANCELLED, 3);
    assert_eq!(asr_abi::status::BUSY, 37);
}

#[test]
fn val_34_numbers_and_names_are_unique() {
    let (mut labels, mut names) = (HashSet::new(), HashSet::new());
    for code in codes::all() {
        assert!(labels.insert(code.label()), "{} twice", code.label());
        assert!(names.insert(code.name), "{} twice", code.name);
        assert!(
            !code.meaning.is_empty() && !code.remedy.is_empty(),
            "{}",
            code.name
        );
        assert_eq!(codes::lookup(&code.label()), Some(code));
        assert_eq!(codes::lookup(code.name), Some(code));
    }
}

#[test]
fn lookup_is_forgiving_and_total() {
    assert_eq!(codes::lookup(" s28 ").unwrap().name, "BAD_ARGUMENT");
    assert_eq!(codes::lookup("a01000001").unwrap().name, "DIVISION_BY_ZERO");
    for wrong in ["", "E", "S", "S99999999999999", "X1", "é", "A", "V-1"] {
        assert_eq!(codes::lookup(wrong), None, "{wrong}");
    }
}

/// The rows of earlier releases.
const RELEASED: &str = include_str!("../released.txt");

/// What is wrong with the table, given the rows of earlier releases.
fn broken_promises(released: &str) -> Vec<String> {
    let rows: HashSet<String> = codes::all()
        .map(|code| format!("{} {}: {}", code.label(), code.name, code.meaning))
        .collect();
    released
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| !rows.contains(*line))
        .map(str::to_string)
        .collect()
}

#[test]
fn val_34_no_released_row_is_missing_or_changed() {
    let broken = broken_promises(RELEASED);
    assert!(broken.is_empty(), "changed or missing: {broken:#?}");
    assert!(RELEASED.lines().count() > 38 + codes::rows(Series::A).len());
}

#[test]
fn val_34_a_changed_or_missing_row_is_found() {
    let renumbered = RELEASED.replace("S37 BUSY", "S38 BUSY");
    let renamed = RELEASED.replace("S12 EMPTY", "S12 NOTHING");
    let reworded = RELEASED.replace("S0 OK: done", "S0 OK: well done");
    for mutant in [renumbered, renamed, reworded] {
        assert_eq!(broken_promises(&mutant).len(), 1);
    }
}
