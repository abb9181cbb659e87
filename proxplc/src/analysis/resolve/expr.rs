//! Expressions.

use super::super::hir::{Expr, ExprKind, Link, VarId};
use super::{Meaning, Resolver, expr};
use crate::diag::code;
use crate::syntax::ast::{self, BinaryOp, ExprKind as Tree};
use crate::syntax::feature::{self, Feature};
use crate::syntax::parser::not_yet;
use crate::syntax::{Span, Symbol};

impl Resolver<'_> {
    pub(super) fn exprs(&mut self, trees: &[ast::Expr]) -> (Vec<Expr>, bool) {
        let list: Vec<Expr> = trees.iter().map(|e| self.expr(e)).collect();
        let assigns = list.iter().any(|e| e.assigns);
        (list, assigns)
    }

    fn boxed<const N: usize>(&mut self, trees: &[ast::Expr; N]) -> (Box<[Expr; N]>, bool) {
        let list = trees.each_ref().map(|e| self.expr(e));
        let assigns = list.iter().any(|e| e.assigns);
        (Box::new(list), assigns)
    }

    pub(super) fn expr(&mut self, tree: &ast::Expr) -> Expr {
        let span = tree.span;
        let (kind, assigns) = match &tree.kind {
            Tree::Number(number) => (ExprKind::Number(*number), false),
            Tree::Str(bytes) => (ExprKind::Str(self.string(bytes)), false),
            Tree::Bool(truth) => (ExprKind::Bool(*truth), false),
            Tree::Null => (ExprKind::Null, false),
            Tree::Name(name) => (self.name(*name, span), false),
            Tree::Template(parts) => return self.template(parts, span),
            Tree::List(items) => {
                let (items, assigns) = self.exprs(items);
                (ExprKind::List(items), assigns)
            }
            Tree::Dict(entries) => {
                let entries: Vec<(Expr, Expr)> = entries
                    .iter()
                    .map(|(k, v)| (self.expr(k), self.expr(v)))
                    .collect();
                let assigns = entries.iter().any(|(k, v)| k.assigns || v.assigns);
                (ExprKind::Dict(entries), assigns)
            }
            Tree::Chain(first, links) => {
                let first = self.expr(first);
                let mut assigns = first.assigns;
                let links = links
                    .iter()
                    .map(|link| {
                        let right = self.expr(&link.right);
                        assigns |= right.assigns;
                        Link {
                            op: link.op,
                            span: link.span,
                            right,
                        }
                    })
                    .collect();
                (ExprKind::Chain(Box::new(first), links), assigns)
            }
            Tree::Logic(op, terms) => {
                let (terms, assigns) = self.exprs(terms);
                (ExprKind::Logic(*op, terms), assigns)
            }
            Tree::Unary(op, operand) => {
                let operand = self.expr(operand);
                let assigns = operand.assigns;
                (ExprKind::Unary(*op, Box::new(operand)), assigns)
            }
            Tree::Ternary(parts) => {
                let (parts, assigns) = self.boxed(parts);
                (ExprKind::Ternary(parts), assigns)
            }
            Tree::Call(callee, args) => self.call(callee, args),
            Tree::Index(parts) => {
                let (parts, assigns) = self.boxed(parts);
                (ExprKind::Index(parts), assigns)
            }
            Tree::Member(object, name) => self.member(object, *name, span),
            Tree::Assign(assign) => self.assign(assign, span),
            Tree::Lambda(function) => {
                self.concurrent(function.is_async);
                let func = self.new_func(function);
                self.function(func, function);
                (self.func_value(func), false)
            }
            Tree::Await(operand) => self.await_expr(operand, span),
            Tree::Spawn(call) => self.spawn(call),
        };
        expr(kind, span, assigns)
    }

    fn name(&mut self, name: Symbol, span: Span) -> ExprKind {
        match self.meaning(name) {
            Meaning::Var(var) => ExprKind::Var(var),
            Meaning::Func(func) => self.func_value(func),
            Meaning::Native(native) => self.native_value(native, span),
            Meaning::Captured(var) => ExprKind::Var(self.captured(var)),
            Meaning::Undefined if matches!(self.names.text(name), "std" | "asr") => {
                self.refuse(feature::LIBRARY, span)
            }
            Meaning::Undefined => ExprKind::Undefined(name, None),
        }
    }

    /// A template is the sum of its parts. One part alone is returned as it is.
    fn template(&mut self, parts: &[ast::Expr], span: Span) -> Expr {
        let (mut parts, assigns) = self.exprs(parts);
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else {
            return expr(ExprKind::Str(self.string(b"")), span, false);
        };
        let links = parts
            .map(|right| Link {
                op: BinaryOp::Add,
                span: right.span,
                right,
            })
            .collect();
        expr(ExprKind::Chain(Box::new(first), links), span, assigns)
    }

    fn assign(&mut self, tree: &ast::Assign, span: Span) -> (ExprKind, bool) {
        match &tree.target.kind {
            Tree::Name(name) => (self.assign_name(*name, tree, span), true),
            Tree::Index(parts) => {
                let [object, index] = parts.each_ref().map(|e| self.expr(e));
                let value = self.expr(&tree.value);
                let assigns = object.assigns || index.assigns || value.assigns;
                (
                    ExprKind::SetIndex(Box::new([object, index, value]), tree.op),
                    assigns,
                )
            }
            Tree::Member(object, name) => {
                let object = self.expr(object);
                let value = self.expr(&tree.value);
                let assigns = object.assigns || value.assigns;
                let name = self.name_string(*name);
                (
                    ExprKind::SetMember(Box::new([object, value]), name, tree.op),
                    assigns,
                )
            }
            _ => (
                self.error(code::ASSIGN_TARGET, span, "this cannot be assigned".into()),
                false,
            ),
        }
    }

    fn assign_name(&mut self, name: Symbol, tree: &ast::Assign, span: Span) -> ExprKind {
        let target = tree.target.span;
        let meaning = match self.meaning(name) {
            Meaning::Captured(root) => {
                self.program.vars[root.0 as usize].assigned = true;
                if self.constants.contains(&root) {
                    self.constant_assigned(root, target);
                }
                Meaning::Var(self.captured(root))
            }
            meaning => meaning,
        };
        match meaning {
            Meaning::Var(var) => {
                if self.constants.contains(&var) || self.is_global_constant(var) {
                    self.constant_assigned(var, target);
                }
                self.program.vars[var.0 as usize].assigned = true;
                let mut value = self.expr(&tree.value);
                if let Some(op) = tree.op {
                    let old = Box::new(expr(ExprKind::Var(var), target, false));
                    let assigns = value.assigns;
                    let link = Link {
                        op,
                        span,
                        right: value,
                    };
                    value = expr(ExprKind::Chain(old, vec![link]), span, assigns);
                }
                ExprKind::SetVar(var, Box::new(value))
            }
            Meaning::Captured(_) | Meaning::Native(_) | Meaning::Func(_) => {
                let text = self.names.text(name);
                let message = format!("the native function '{text}' cannot be assigned");
                self.error(code::ASSIGN_TARGET, target, message)
            }
            Meaning::Undefined => {
                let value = self.expr(&tree.value);
                ExprKind::Undefined(name, Some(Box::new(value)))
            }
        }
    }

    fn is_global_constant(&self, var: VarId) -> bool {
        let data = &self.program.vars[var.0 as usize];
        self.globals.constants.get(&data.name) == Some(&data.span)
    }

    pub(super) fn refuse(&mut self, feature: Feature, span: Span) -> ExprKind {
        self.diags.push(not_yet(feature, span));
        ExprKind::Null
    }
}
