//! Calls, and members of the modules `std` and `asr`.

use super::super::hir::{Expr, ExprKind, NativeId};
use super::super::natives;
use super::{Meaning, Resolver};
use crate::syntax::ast::{self, ExprKind as Tree};
use crate::syntax::feature;
use crate::syntax::{Span, Symbol};

impl Resolver<'_> {
    pub(super) fn call(&mut self, callee: &ast::Expr, trees: &[ast::Expr]) -> (ExprKind, bool) {
        match &callee.kind {
            Tree::Name(name) => match self.meaning(*name) {
                Meaning::Func(func) => {
                    let (args, assigns) = self.exprs(trees);
                    self.called = true;
                    self.uses.insert((self.scopes.function(), func));
                    let callee = &mut self.program.funcs[func.0 as usize];
                    if callee.arity as usize != args.len() {
                        return (ExprKind::WrongArity(func, args), assigns);
                    }
                    callee.calls += 1;
                    let kind = match callee.is_async {
                        true => ExprKind::Start(func, args),
                        false => ExprKind::Call(func, args),
                    };
                    return (kind, assigns);
                }
                Meaning::Native(native) => return self.call_native(native, callee.span, trees),
                _ => {}
            },
            Tree::Member(object, name) => {
                if let Some(full) = self.module_path(object, *name) {
                    return match natives::by_name(&full) {
                        Some(native) if !natives::get(native).constant => {
                            self.call_native(native, callee.span, trees)
                        }
                        _ => (self.refuse(feature::LIBRARY, callee.span), false),
                    };
                }
            }
            _ => {}
        }
        let callee = self.expr(callee);
        let (args, assigns) = self.exprs(trees);
        self.called = true;
        let assigns = assigns || callee.assigns;
        (ExprKind::CallValue(Box::new(callee), args), assigns)
    }

    fn call_native(
        &mut self,
        native: NativeId,
        span: Span,
        trees: &[ast::Expr],
    ) -> (ExprKind, bool) {
        if natives::get(native).waits() {
            return (self.not_awaited(native, span), false);
        }
        let (args, assigns): (Vec<Expr>, bool) = self.exprs(trees);
        self.called |= natives::get(native).calls_back;
        (ExprKind::CallNative(native, args), assigns)
    }

    pub(super) fn member(
        &mut self,
        object: &ast::Expr,
        name: Symbol,
        span: Span,
    ) -> (ExprKind, bool) {
        if let Some(full) = self.module_path(object, name) {
            let kind = match natives::by_name(&full) {
                Some(native) if natives::get(native).constant => {
                    ExprKind::CallNative(native, Vec::new())
                }
                Some(native) => self.native_value(native, span),
                None => self.refuse(feature::LIBRARY, span),
            };
            return (kind, false);
        }
        let object = self.expr(object);
        let assigns = object.assigns;
        (
            ExprKind::Member(Box::new(object), self.name_string(name)),
            assigns,
        )
    }

    /// `std.core` and `typeOf` to `std.core.typeOf`, unless the program has a `std` of its own.
    fn module_path(&mut self, object: &ast::Expr, last: Symbol) -> Option<String> {
        let mut words = vec![last];
        let mut at = object;
        loop {
            match &at.kind {
                Tree::Member(inner, name) => {
                    words.push(*name);
                    at = inner;
                }
                Tree::Name(root) => {
                    let is_module = matches!(self.names.text(*root), "std" | "asr");
                    if !is_module || !matches!(self.meaning(*root), Meaning::Undefined) {
                        return None;
                    }
                    words.push(*root);
                    break;
                }
                _ => return None,
            }
        }
        let words: Vec<&str> = words.iter().rev().map(|w| self.names.text(*w)).collect();
        Some(words.join("."))
    }
}
