//! `test verify`, and what holds for every file: it parses, or its errors stand where it says; and
//! print(parse(x)) parses to the same module.

use asr_codegen::air::{self, Parsed};
use asr_codegen::pass::{check_borrows, check_edges, check_probes};
use asr_codegen::{ProbeMode, Rows};
use asr_intrinsics::{CORE, SYNC, TASKS, Table};

use super::{Case, ExpectedError};

/// The tables that filetests may import.
pub const TABLES: [&Table; 4] = [&CORE, &TASKS, &SYNC, &super::TABLE];

/// An error that parser or verifier reported: its line, and `CODE: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Line in the file, from 1.
    pub line: usize,
    /// Code and message.
    pub text: String,
}

/// Parse the file; a refusal as reported errors.
///
/// # Errors
/// What the parser refused.
pub fn parsed(case: &Case) -> Result<Parsed, Vec<Reported>> {
    let reported = |error: air::TextError| {
        let text = format!("{}: {}", error.code, error.message);
        Reported {
            line: error.span.line as usize,
            text,
        }
    };
    air::parse(case.text.as_bytes()).map_err(|errors| errors.into_iter().map(reported).collect())
}

/// Printing and parsing again gives the same module, and the same text.
///
/// # Errors
/// The printed text that does not come back.
pub fn round_trip(parsed: &Parsed) -> Result<(), String> {
    let text = air::print(&parsed.module);
    let again = match air::parse(text.as_bytes()) {
        Ok(again) => again.module,
        Err(errors) => {
            return Err(format!(
                "printed text does not parse: {}\n{text}",
                errors[0]
            ));
        }
    };
    match again == parsed.module && air::print(&again) == text {
        true => Ok(()),
        false => Err(format!("print(parse(x)) is another module:\n{text}")),
    }
}

/// What parser and verifier report about the file; nothing when both accept it. With `placed`, its
/// probes and edges are checked too, as after the passes.
pub fn verified(case: &Case, placed: bool) -> Vec<Reported> {
    let parsed = match parsed(case) {
        Ok(parsed) => parsed,
        Err(reported) => return reported,
    };
    let mut errors = air::verify(&parsed.module, &TABLES)
        .err()
        .unwrap_or_default();
    if let Some(rows) = Rows::imported(&parsed.module, &TABLES)
        .ok()
        .filter(|_| placed)
    {
        if errors.is_empty() {
            errors.extend(check_edges(&parsed.module, &rows));
            errors.extend(check_borrows(&parsed.module, &rows));
        }
        errors.extend(check_probes(&parsed.module, &rows, ProbeMode::AsIs));
    }
    let reported = |error: air::VerifyError| Reported {
        line: parsed.spans.of(error.place).line as usize,
        text: format!("{}: {}", error.code, error.message),
    };
    errors.into_iter().map(reported).collect()
}

/// Compare reported errors with the `; error:` lines.
///
/// Every expected error is reported on its line with its text; every line with a report is one
/// where an error is expected.
///
/// # Errors
/// What was not reported, and what was reported elsewhere.
pub fn compare(expected: &[ExpectedError], reported: &[Reported]) -> Result<(), String> {
    let mut wrong = String::new();
    for want in expected {
        let met = |got: &Reported| got.line == want.line && got.text.contains(&want.text);
        if !reported.iter().any(met) {
            wrong.push_str(&format!("line {}: no error `{}`\n", want.line, want.text));
        }
    }
    let unmet = !wrong.is_empty();
    for got in reported {
        if unmet || !expected.iter().any(|want| want.line == got.line) {
            wrong.push_str(&format!("line {}: reported {}\n", got.line, got.text));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
