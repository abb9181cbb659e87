//! The text form, from bytes to a module. `print(parse(text)) == text` for canonical text.
//!
//! Invariants
//! 1. No input panics. Time and memory are linear in the length of the text: it is read twice,
//!    first for declarations ([`header`]), then for the bodies ([`body`]), because a body may
//!    name what stands behind it.
//! 2. Nothing recurses: the grammar is flat.
//! 3. At most [`ERRORS_MAX`] errors are reported; after one the reader goes on at the next line.
//!
//! The parser resolves names and reads numbers; whether the module makes sense is the verifier's
//! business. [`Parsed::spans`] lets its errors be shown in the text.

mod body;
mod concurrent;
mod cursor;
mod header;
mod inst;
mod lex;
mod literal;
mod term;

use std::fmt;

use self::header::Header;
use self::lex::Lexer;
use super::code;
use super::module::Module;
use super::span::{Span, Spans};

/// More would scroll the first one, which is the one to read, off the screen.
pub const ERRORS_MAX: usize = 20;

/// Longest text in bytes. Lines, columns and entities then fit 32 bits with room to spare.
const TEXT_MAX: usize = 1 << 30;

/// A parsed module.
#[derive(Clone, PartialEq, Debug)]
pub struct Parsed {
    /// The module.
    pub module: Module,
    /// Where its parts stand in the text.
    pub spans: Spans,
}

/// What is wrong with a text, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextError {
    /// Label of the code, `E08..`.
    pub code: &'static str,
    /// Line and column.
    pub span: Span,
    /// A sentence without full stop.
    pub message: String,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TextError {
            code,
            span,
            message,
        } = self;
        write!(f, "{}:{}: {code}: {message}", span.line, span.col)
    }
}

impl std::error::Error for TextError {}

/// Reads a module.
///
/// # Errors
/// The first [`ERRORS_MAX`] errors, in the order of the text, never none.
pub fn parse(text: &[u8]) -> Result<Parsed, Vec<TextError>> {
    if text.len() > TEXT_MAX {
        let message = format!("the text is longer than {TEXT_MAX} bytes; split the module");
        return Err(vec![TextError {
            code: code::AIR_TOO_LARGE,
            span: Span { line: 1, col: 1 },
            message,
        }]);
    }
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => return Err(vec![not_utf8(text, error.valid_up_to())]),
    };
    let mut header = Header::default();
    let mut errors = header::read(Lexer::new(text), &mut header);
    if errors.len() < ERRORS_MAX {
        errors.extend(body::read(&mut header));
    }
    if errors.is_empty() {
        return Ok(Parsed {
            module: header.module,
            spans: header.spans,
        });
    }
    errors.sort_by_key(|error| error.span);
    errors.truncate(ERRORS_MAX);
    Err(errors)
}

fn not_utf8(text: &[u8], at: usize) -> TextError {
    let before = &text[..at];
    let line_start = before
        .iter()
        .rposition(|&c| c == b'\n')
        .map_or(0, |n| n + 1);
    let line = 1 + before.iter().filter(|&&c| c == b'\n').count();
    TextError {
        code: code::AIR_UTF8,
        span: Span {
            line: line as u32,
            col: (at - line_start + 1) as u32,
        },
        message: format!(
            "byte {:#04x} is not UTF-8; write \\xx in a string",
            text[at]
        ),
    }
}
