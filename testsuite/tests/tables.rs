//! The intrinsic tables of a whole program: the core's and the value library's.

use asr_intrinsics::{CORE, Row, Table};
use asr_testsuite::tables::check;

/// The symbols that a list of rows must have.
fn symbols_of(rows: &[Row]) -> Vec<String> {
    rows.iter().map(Row::compiled_symbol).collect()
}

fn checked(tables: &[&Table], symbols: &[String]) -> Vec<String> {
    check(
        tables,
        &symbols.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

/// `check` finds one thing in a table of these rows, with these symbols.
fn red(rows: &'static [Row], symbols: &[String], expected: &str) {
    let table = Table {
        name: "planted",
        rows,
    };
    let findings = checked(&[&table], symbols);
    assert!(
        findings.len() == 1 && findings[0].contains(expected),
        "{expected}: {findings:?}"
    );
}

#[test]
fn abi_17_every_row_has_one_name_and_one_symbol() {
    let mut symbols: Vec<String> = Vec::new();
    symbols.extend(
        asr_rt::symbols()
            .into_iter()
            .map(|(name, _)| name.to_owned()),
    );
    let findings = checked(&[&CORE], &symbols);
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn abi_12_17_mutants_of_a_table_are_found() {
    const GOOD: Row = CORE.rows[0];
    const RESERVED: &[Row] = &[Row {
        name: "checkpoint",
        ..GOOD
    }];
    const STATUS: &[Row] = &[Row {
        fails: &["NO_SUCH_STATUS"],
        ..GOOD
    }];
    const TWICE: &[Row] = &[GOOD, GOOD];
    const ONCE: &[Row] = &[GOOD];
    red(RESERVED, &symbols_of(RESERVED), "reserved");
    red(STATUS, &symbols_of(STATUS), "NO_SUCH_STATUS");
    red(TWICE, &symbols_of(ONCE), "is a row of");
    red(ONCE, &[], "no symbol");
    red(
        ONCE,
        &[symbols_of(ONCE), vec!["asr_i_stray".into()]].concat(),
        "belongs to no row",
    );
    // A row name in two tables.
    let (one, two) = (
        Table {
            name: "one",
            rows: ONCE,
        },
        Table {
            name: "two",
            rows: ONCE,
        },
    );
    let findings = checked(&[&one, &two], &symbols_of(ONCE));
    assert!(
        findings.len() == 1 && findings[0].contains("of one and of two"),
        "{findings:?}"
    );
}
