//! Planted mistakes in tables turn the check red (rules ABI-12, ABI-17).

use asr_intrinsics::{CORE, Row, Table, TableError, check};

fn symbols(tables: &[&Table]) -> Vec<String> {
    tables
        .iter()
        .flat_map(|table| table.rows)
        .map(Row::compiled_symbol)
        .collect()
}

/// The check with every symbol of the core and of a second table exported.
fn with(second: &Table) -> Result<(), Vec<TableError>> {
    let symbols = symbols(&[&CORE, second]);
    check(
        &[&CORE, second],
        &symbols.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

/// A table of one row, a variant of a row of the core.
fn table(change: impl FnOnce(&mut Row)) -> Table {
    let mut row = *CORE.row("anomaly").unwrap();
    row.name = "other";
    change(&mut row);
    Table {
        name: "second",
        rows: vec![row].leak(),
    }
}

#[test]
fn abi_17_a_sound_table_passes() {
    assert_eq!(with(&table(|_| ())), Ok(()));
}

#[test]
fn abi_17_a_name_in_two_tables_is_refused() {
    let errors = with(&table(|row| row.name = "fault")).unwrap_err();
    assert_eq!(
        errors,
        [TableError::Twice {
            row: "fault",
            tables: ["core", "second"]
        }]
    );
}

#[test]
fn abi_12_a_row_that_yields_a_reserved_name_is_refused() {
    for name in ["register_handler", "checkpoint", "report_anomaly"] {
        let errors = with(&table(|row| row.name = name)).unwrap_err();
        assert_eq!(errors, [TableError::Reserved { row: name }]);
    }
}

#[test]
fn abi_17_an_unknown_status_is_refused() {
    for status in ["OK", "PENDING", "OOPS"] {
        let errors = with(&table(|row| row.fails = vec![status].leak())).unwrap_err();
        assert_eq!(
            errors,
            [TableError::Status {
                row: "other",
                status
            }]
        );
    }
}

#[test]
fn abi_17_a_dropped_or_stray_symbol_is_refused() {
    let all = symbols(&[&CORE]);
    let mut names: Vec<_> = all.iter().map(String::as_str).collect();
    let dropped = names.remove(3);
    let errors = check(&[&CORE], &names).unwrap_err();
    assert_eq!(
        errors,
        [TableError::NoSymbol {
            symbol: dropped.into()
        }]
    );
    names.extend([dropped, "asr_i_stray"]);
    let errors = check(&[&CORE], &names).unwrap_err();
    assert_eq!(
        errors,
        [TableError::NoRow {
            symbol: "asr_i_stray".into()
        }]
    );
}
