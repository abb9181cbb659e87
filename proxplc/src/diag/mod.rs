//! What the compiler has to say: one error per finding, with a code, a place and a remedy.

pub mod code;
mod render;

pub use render::{SourceFile, render};

use crate::syntax::Span;

/// No compilation reports more errors than this; scanning and parsing stop there. More would scroll
/// the first, which is the one to read, off the screen; and garbage of any size ends quickly.
pub const ERRORS_MAX: usize = 20;

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Its code, which `proxplc explain` describes.
    pub code: &'static str,
    /// Where.
    pub span: Span,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Other places that explain the first, in the order of control.
    pub related: Vec<(Span, String)>,
    /// Whether the program is compiled all the same.
    pub is_warning: bool,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A finding.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            related: Vec::new(),
            is_warning: false,
            help: None,
        }
    }

    /// Add what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Add another place.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push((span, message.into()));
        self
    }
}

/// The findings of one compilation, at most [`ERRORS_MAX`].
#[derive(Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Add one, unless there are too many, one stands at the same place already, or it is behind
    /// the beginning of something that never ends.
    pub fn push(&mut self, diag: Diagnostic) {
        let known = self.list.iter().any(|d| {
            d.span.start == diag.span.start
                || (d.code == code::UNTERMINATED && d.span.start < diag.span.start)
        });
        if !self.full() && !known {
            self.list.push(diag);
        }
    }

    /// Whether no more is taken, so that it is pointless to go on.
    pub fn full(&self) -> bool {
        self.list.len() >= ERRORS_MAX
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The findings in the order in which they were made.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// The findings in the order of the source.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| d.span.start);
        self.list
    }
}
