//! Checks over all intrinsic tables together; each table alone is checked where it is written.

use std::collections::BTreeMap;

use asr_abi::codes::{self, Series};
use asr_intrinsics::{RESERVED, Table};

/// What is wrong with the tables of one program (rules ABI-12, ABI-17).
///
/// `symbols` are the names that the runtime and the libraries export to compiled code.
pub fn check(tables: &[&Table], symbols: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for table in tables {
        for row in table.rows {
            if let Some(other) = owners.insert(row.name, table.name) {
                findings.push(format!(
                    "`{}` is a row of {other} and of {}",
                    row.name, table.name
                ));
            }
            if RESERVED.contains(&row.c_symbol().as_str()) {
                findings.push(format!("`{}` yields a reserved name", row.name));
            }
            for status in row.fails {
                if !codes::rows(Series::S)
                    .iter()
                    .any(|code| code.name == *status)
                {
                    findings.push(format!("`{}` fails with the unknown {status}", row.name));
                }
            }
            if !symbols.contains(&row.compiled_symbol().as_str()) {
                findings.push(format!("`{}` has no symbol for compiled code", row.name));
            }
        }
    }
    for symbol in symbols
        .iter()
        .filter_map(|symbol| symbol.strip_prefix("asr_i_"))
    {
        if !owners.contains_key(symbol) {
            findings.push(format!("symbol asr_i_{symbol} belongs to no row"));
        }
    }
    findings
}
