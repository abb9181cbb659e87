//! Functions: declarations and lambdas. Types are read and dropped.

use super::{Parse, Parser};
use crate::diag::{Diagnostic, code};
use crate::syntax::ast::Function;
use crate::syntax::token::Kind;

impl Parser<'_, '_> {
    /// `func name(params) { }` or `async func name(params) { }`, at the first word.
    pub(super) fn function_decl(&mut self) -> Parse<Function> {
        let is_async = self.func_word()?;
        let (name, name_span) = self.name("the function")?;
        let mut function = self.function_rest()?;
        function.name = Some(name);
        function.name_span = name_span;
        function.is_async = is_async;
        Ok(function)
    }

    /// `func` or `async func`: whether it is async.
    pub(super) fn func_word(&mut self) -> Parse<bool> {
        let is_async = self.eat(Kind::Async);
        self.expect(Kind::Func, "to begin the function")?;
        Ok(is_async)
    }

    /// `<T>(params): type { }`, at what follows `func` or the name.
    pub(super) fn function_rest(&mut self) -> Parse<Function> {
        let name_span = self.token.span;
        self.angle_brackets()?;
        self.expect(Kind::LeftParen, "before the parameters")?;
        let mut params = Vec::new();
        while !self.at(Kind::RightParen) {
            let (name, span) = self.name("a parameter")?;
            if let Some((_, first)) = params.iter().find(|(known, _)| *known == name) {
                let text = self.names.text(name);
                let message = format!("the parameter '{text}' occurs twice");
                let diag = Diagnostic::new(code::DUPLICATE_PARAMETER, span, message);
                return self.error(diag.related(*first, "it is first named here"));
            }
            params.push((name, span));
            if params.len() > super::ARGUMENTS_MAX {
                let message = format!("a function has at most {} parameters", super::ARGUMENTS_MAX);
                let diag = Diagnostic::new(code::TOO_LARGE, span, message);
                return self.error(diag.help("take a list"));
            }
            self.type_annotation(Kind::Colon)?;
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.expect(Kind::RightParen, "after the parameters")?;
        self.type_annotation(Kind::Colon)?;
        self.type_annotation(Kind::Arrow)?;
        let body = self.nested(|p| p.block("to begin the function"))?;
        Ok(Function {
            name: None,
            name_span,
            params,
            is_async: false,
            body,
        })
    }

    /// `: T` or `-> T`; it has no effect.
    pub(super) fn type_annotation(&mut self, mark: Kind) -> Parse<()> {
        if !self.eat(mark) {
            return Ok(());
        }
        if !self.token.kind.is_word() {
            return self.fail("expected the name of a type");
        }
        self.bump();
        self.angle_brackets()
    }

    /// Anything between `<` and the first `>`.
    fn angle_brackets(&mut self) -> Parse<()> {
        if !self.eat(Kind::Less) {
            return Ok(());
        }
        while !self.at(Kind::Greater) {
            if matches!(
                self.token.kind,
                Kind::Eof | Kind::LeftBrace | Kind::Semicolon
            ) {
                return self.fail("expected '>' after the types");
            }
            self.bump();
        }
        self.bump();
        Ok(())
    }
}
