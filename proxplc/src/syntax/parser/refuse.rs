//! Refusing what is not there yet, by name.

use super::{Parse, Parser};
use crate::diag::{Diagnostic, code};
use crate::syntax::Span;
use crate::syntax::feature::Feature;
use crate::syntax::token::Kind;

/// The refusal of `feature` at `span`.
pub(crate) fn not_yet(feature: Feature, span: Span) -> Diagnostic {
    let message = format!(
        "not yet: {} cannot be compiled by this version",
        feature.name
    );
    Diagnostic::new(feature.code, span, message).help(format!(
        "'proxplc explain {}' says what to use instead",
        feature.code
    ))
}

impl Parser<'_, '_> {
    /// Refuse the feature of a reserved word or operator that stands where it cannot be parsed.
    pub(super) fn refuse_if_reserved(&mut self) -> Parse<()> {
        use crate::syntax::feature;
        let span = self.token.span;
        match self.token.kind {
            Kind::Reserved(feature) => self.not_yet(feature, span),
            Kind::At => self.not_yet(feature::TENSORS, span),
            Kind::PlusPlus
            | Kind::MinusMinus
            | Kind::DotDot
            | Kind::QuestionDot
            | Kind::QuestionQuestion
            | Kind::FatArrow => {
                let diag = not_yet(feature::OPERATORS, span);
                let help = match self.token.kind {
                    Kind::PlusPlus => "write 'x += 1'",
                    Kind::MinusMinus => "write 'x -= 1'",
                    _ => return self.error(diag),
                };
                self.error(diag.help(help))
            }
            _ => Ok(()),
        }
    }

    /// A word that is reserved stands where a name is needed.
    pub(super) fn refuse_word_as_name(&mut self, what: &str) -> Parse<()> {
        if self.token.kind == Kind::Ident || !self.token.kind.is_word() {
            return Ok(());
        }
        let span = self.bump().span;
        let word = self.text(span);
        let diag = Diagnostic::new(
            code::RESERVED_WORD,
            span,
            format!("'{word}' is a reserved word and cannot name {what}"),
        );
        self.error(diag.help(format!("for example '{word}_'")))
    }
}
