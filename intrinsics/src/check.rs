//! What must hold over all tables of a program together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use asr_abi::codes::{self, Series};

use crate::row::{RESERVED, Table};

/// What is wrong with a set of tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TableError {
    /// Two rows have one name.
    Twice {
        /// The name.
        row: &'static str,
        /// The tables that have it.
        tables: [&'static str; 2],
    },
    /// A row yields one of the three reserved names (rule ABI-12).
    Reserved {
        /// The row.
        row: &'static str,
    },
    /// A row names a status that VAL-33 does not have, or `OK` or `PENDING`, which are no failures.
    Status {
        /// The row.
        row: &'static str,
        /// What it names.
        status: &'static str,
    },
    /// The runtime does not export the row's symbol.
    NoSymbol {
        /// The symbol.
        symbol: String,
    },
    /// A symbol of this kind belongs to no row.
    NoRow {
        /// The symbol.
        symbol: String,
    },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableError::Twice {
                row,
                tables: [one, two],
            } => {
                write!(
                    f,
                    "row `{row}` stands in tables `{one}` and `{two}`; rename one"
                )
            }
            TableError::Reserved { row } => {
                write!(
                    f,
                    "row `{row}` yields a name reserved by asr_runtime.h; rename it"
                )
            }
            TableError::Status { row, status } => {
                write!(
                    f,
                    "row `{row}` fails with `{status}`, which is no failure of VAL-33"
                )
            }
            TableError::NoSymbol { symbol } => write!(f, "`{symbol}` is not exported"),
            TableError::NoRow { symbol } => write!(f, "`{symbol}` is exported but has no row"),
        }
    }
}

/// Checks the tables of a program against each other and against the exported symbols
/// `asr_i_...`.
///
/// # Errors
/// Everything that is wrong, in the order of the tables.
pub fn check(tables: &[&Table], symbols: &[&str]) -> Result<(), Vec<TableError>> {
    let mut errors = Vec::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let exported: BTreeSet<&str> = symbols.iter().copied().collect();
    for table in tables {
        for row in table.rows {
            if let Some(first) = names.insert(row.name, table.name) {
                errors.push(TableError::Twice {
                    row: row.name,
                    tables: [first, table.name],
                });
            }
            let reserved = |name: String| RESERVED.contains(&name.as_str());
            if reserved(row.c_symbol()) || reserved(row.compiled_symbol()) {
                errors.push(TableError::Reserved { row: row.name });
            }
            for &status in row.fails {
                let known = codes::rows(Series::S)
                    .iter()
                    .find(|code| code.name == status);
                if known.is_none_or(|code| code.number < asr_abi::status::THREW) {
                    errors.push(TableError::Status {
                        row: row.name,
                        status,
                    });
                }
            }
            if !exported.contains(row.compiled_symbol().as_str()) {
                errors.push(TableError::NoSymbol {
                    symbol: row.compiled_symbol(),
                });
            }
        }
    }
    for symbol in symbols {
        let row = symbol.strip_prefix("asr_i_");
        if row.is_some_and(|row| !names.contains_key(row)) {
            errors.push(TableError::NoRow {
                symbol: symbol.to_string(),
            });
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}
