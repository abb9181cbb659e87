//! The reference page of the intrinsics, from the tables.

use std::fmt::Write as _;

use asr_intrinsics::{Effect, Row, Table};

/// The page for these tables, in this order.
pub(crate) fn page(tables: &[&Table]) -> String {
    let mut out = String::from(HEAD);
    for table in tables {
        let _ = write!(out, "\n## Table `{}`\n", table.name);
        for row in table.rows {
            entry(&mut out, row);
        }
    }
    out
}

const HEAD: &str = "\
# Intrinsics

Written by `cargo xtask gen` from the tables; do not edit. One entry per row: what compiled code
calls (`asr_i_<row>`, with the hidden thread argument first, value and status in two registers),
what C calls (`asr_<row>`, which returns the status), the statuses besides `OK`, and the effects.
`proxplc explain <status>` says what a status means.
";

/// One row: sentence, both signatures, statuses, effects.
fn entry(out: &mut String, row: &Row) {
    let _ = writeln!(out, "\n### `{}`\n", row.name);
    for line in row.doc {
        let _ = writeln!(out, "{}", line.trim());
    }
    let params: Vec<_> = row
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name, param.ty.name()))
        .collect();
    let _ = writeln!(
        out,
        "\n    {}({}) -> {}",
        row.compiled_symbol(),
        params.join(", "),
        row.result.name()
    );
    let _ = writeln!(out, "    {}\n", c_declaration(row));
    let statuses = if row.fails.is_empty() {
        "none".to_string()
    } else {
        row.fails.join(", ")
    };
    let effects: Vec<_> = row.does.iter().map(|&effect| effect_name(effect)).collect();
    let effects = if effects.is_empty() {
        "none".to_string()
    } else {
        effects.join(", ")
    };
    let _ = writeln!(out, "- fails with: {statuses}\n- effects: {effects}");
}

/// The C declaration of a row, without the semicolon.
pub(crate) fn c_declaration(row: &Row) -> String {
    let mut params: Vec<_> = row
        .params
        .iter()
        .map(|param| join(param.ty.c_name(), param.name))
        .collect();
    if row.result != asr_intrinsics::Ty::Unit {
        params.push(join(&format!("{} *", row.result.c_name()), "out"));
    }
    if params.is_empty() {
        params.push("void".into());
    }
    format!("uint32_t {}({})", row.c_symbol(), params.join(", "))
}

/// `type name`, without a space after a star.
fn join(ty: &str, name: &str) -> String {
    let ty = ty.replace("* *", "**");
    let gap = if ty.ends_with('*') { "" } else { " " };
    format!("{ty}{gap}{name}")
}

/// What people call an effect.
fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::CancelPoint => "cancel point",
        Effect::Parks => "may park",
        Effect::Allocates => "allocates",
        Effect::UserCode => "runs user code",
        Effect::OpensIntent => "opens an intent",
        Effect::ClosesIntent => "closes an intent",
        Effect::OpensMask => "opens a mask",
        Effect::ClosesMask => "closes a mask",
        Effect::OpensCommit => "opens a commit section",
        Effect::ClosesCommit => "closes a commit section",
        Effect::GivesUp => "gives up its handle on a way out by failure",
        Effect::Borrows => "its address holds until the next probe",
        Effect::Diverges => "never returns normally",
    }
}

#[cfg(test)]
mod tests {
    use asr_intrinsics::{CORE, Row, Table};

    use super::page;

    /// The page of the core with one row changed.
    fn mutant(change: impl Fn(&mut Row)) -> String {
        let mut rows = CORE.rows.to_vec();
        let row = rows
            .iter_mut()
            .find(|row| row.name == "handler_register")
            .unwrap();
        change(row);
        page(&[&Table {
            name: "core",
            rows: rows.leak(),
        }])
    }

    /// ABI-17: reordered parameters and changed statuses show in the derived files, so the
    /// comparison with the checked-in ones fails.
    #[test]
    fn abi_17_mutants_of_a_row_change_the_page() {
        let page = page(&[&CORE]);
        assert_eq!(mutant(|_| ()), page);
        assert_ne!(mutant(|row| row.fails = &["BUSY"]), page);
        let swapped = |row: &mut Row| {
            let mut params = row.params.to_vec();
            params.swap(0, 2);
            row.params = params.leak();
        };
        assert_ne!(mutant(swapped), page);
        assert_ne!(mutant(|row| row.result = asr_intrinsics::Ty::I64), page);
    }
}
