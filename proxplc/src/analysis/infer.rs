//! Types of variables, parameters and results, over the whole program and without regard to the
//! order of execution.
//!
//! A variable that only ever holds numbers is kept as an unboxed double, a boolean one as a truth
//! value. The parameters of a function that is only called directly take the types of the
//! arguments of its calls.
//!
//! Counters: a variable is an integer if everything assigned to it is an integer constant below
//! 2^31, a length, another counter, or a counter plus or minus a constant of at most
//! [`STEP_MAX`]. Its size then grows by at most that step per operation executed, so it stays below
//! 2^53, where integers and doubles agree, for 2^45 operations: about ten hours of nothing but
//! counting. Arithmetic of counters gives doubles in all other cases.
//!
//! The result of a function that returns a variable where it is proven to be a number
//! ([`super::proven`]) is a number, whatever the parameter may be.
//!
//! The analysis is a fixpoint from below: types only rise, in at most [`PASSES_MAX`] passes;
//! then every type that is not settled becomes `Value`, which is always right.

use super::hir::*;
use super::natives;
use super::proven::Proven;
use super::walk::{Walk, falls_through};
use crate::syntax::ast::{BinaryOp, UnaryOp};

/// Largest step of a counter; see above.
const STEP_MAX: f64 = 256.0;
/// Passes before the analysis gives up. A pass moves a type through all direct uses; chains of
/// calls that need more are not worth the time.
const PASSES_MAX: u32 = 24;

/// The type of a variable or an expression: how it is represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Ty {
    /// Nothing reaches here (yet).
    #[default]
    Never,
    /// A counter, as a 64-bit integer.
    Int,
    /// A number, as a double.
    Num,
    /// A truth value.
    Bool,
    /// A string, as a dynamic word.
    Str,
    /// Anything, as a dynamic word.
    Value,
}

impl Ty {
    /// The least type that holds both.
    #[must_use]
    pub fn join(self, other: Ty) -> Ty {
        match (self, other) {
            (a, b) if a == b => a,
            (Ty::Never, other) | (other, Ty::Never) => other,
            (Ty::Int, Ty::Num) | (Ty::Num, Ty::Int) => Ty::Num,
            _ => Ty::Value,
        }
    }

    /// Whether it is a number in any representation but a dynamic word.
    pub fn is_number(self) -> bool {
        matches!(self, Ty::Int | Ty::Num)
    }
}

/// The types of a program.
#[derive(Debug)]
pub struct Types {
    vars: Vec<Ty>,
    pub(super) results: Vec<Ty>,
    pub(super) changed: bool,
}

impl Types {
    /// The type of a variable.
    pub fn var(&self, id: VarId) -> Ty {
        self.vars[id.0 as usize]
    }

    /// The type of a function's result.
    pub fn result(&self, id: FuncId) -> Ty {
        self.results[id.0 as usize]
    }

    /// Find the types of `program`.
    pub fn infer(program: &Program) -> Self {
        let mut types = Types {
            vars: vec![Ty::Never; program.vars.len()],
            results: vec![Ty::Never; program.funcs.len()],
            changed: false,
        };
        for (index, func) in program.funcs.iter().enumerate() {
            if func.is_async {
                types.results[index] = Ty::Value;
            }
            if func.escapes || func.calls == 0 {
                func.params
                    .iter()
                    .for_each(|p| types.vars[p.0 as usize] = Ty::Value);
            }
        }
        for (index, var) in program.vars.iter().enumerate() {
            // The cells of isolates hold values.
            let shared = var.global && !program.isolates.is_empty();
            if var.boxed || shared || (var.global && !var.ready) {
                types.vars[index] = Ty::Value;
            }
        }
        types.settle(program);
        // What nothing reaches is never run; it still has to have a representation.
        if types
            .vars
            .iter()
            .chain(&types.results)
            .any(|t| *t == Ty::Never)
        {
            for ty in types.vars.iter_mut().chain(&mut types.results) {
                *ty = if *ty == Ty::Never { Ty::Value } else { *ty };
            }
            types.settle(program);
        }
        types
    }

    fn settle(&mut self, program: &Program) {
        for _ in 0..PASSES_MAX {
            self.changed = false;
            for (index, func) in program.funcs.iter().enumerate() {
                let mut walk = Walk {
                    types: self,
                    program,
                    func: FuncId(index as u32),
                    proven: Proven::default(),
                };
                walk.stmts(&func.body);
                if falls_through(&func.body) {
                    walk.result(Ty::Value);
                }
            }
            if !self.changed {
                return;
            }
        }
        self.vars.fill(Ty::Value);
        self.results.fill(Ty::Value);
    }

    pub(super) fn raise(&mut self, var: VarId, ty: Ty) {
        let old = &mut self.vars[var.0 as usize];
        let new = old.join(ty);
        self.changed |= new != std::mem::replace(old, new);
    }

    /// The type of an expression.
    pub fn expr(&self, expr: &Expr) -> Ty {
        match &expr.kind {
            ExprKind::Number(number) if is_small_int(*number) => Ty::Int,
            ExprKind::Number(_) => Ty::Num,
            ExprKind::Bool(_) => Ty::Bool,
            ExprKind::Str(_) => Ty::Str,
            ExprKind::Var(var) => self.var(*var),
            ExprKind::Chain(first, links) => links
                .iter()
                .fold(self.expr(first), |left, link| self.binary(link, left)),
            ExprKind::Logic(_, terms) => terms
                .iter()
                .fold(Ty::Never, |ty, term| ty.join(self.expr(term))),
            ExprKind::Unary(UnaryOp::Not, _) => Ty::Bool,
            ExprKind::Unary(UnaryOp::Neg, operand) => match operand.kind {
                ExprKind::Number(number) if is_small_int(-number) => Ty::Int,
                _ => Ty::Num,
            },
            ExprKind::Unary(UnaryOp::BitNot, _) => Ty::Num,
            ExprKind::Ternary(parts) => self.expr(&parts[1]).join(self.expr(&parts[2])),
            ExprKind::Call(func, _) => self.result(*func),
            ExprKind::CallNative(native, _) => natives::get(*native).ret,
            ExprKind::SetVar(_, value) => self.expr(value),
            ExprKind::SetIndex(parts, None) => self.expr(&parts[2]),
            ExprKind::SetMember(parts, _, None) => self.expr(&parts[1]),
            _ => Ty::Value,
        }
    }

    /// The type of `left op right`.
    pub fn binary(&self, link: &Link, left: Ty) -> Ty {
        use BinaryOp::*;
        match link.op {
            Eq | Ne | Lt | Le | Gt | Ge => Ty::Bool,
            Add | Sub if left == Ty::Int && is_step(&link.right) => Ty::Int,
            Add => match (left, self.expr(&link.right)) {
                (Ty::Str, _) | (_, Ty::Str) => Ty::Str,
                (left, right) if left.is_number() && right.is_number() => Ty::Num,
                (Ty::Never, other) | (other, Ty::Never) if other.is_number() => Ty::Never,
                (Ty::Never, Ty::Never) => Ty::Never,
                _ => Ty::Value,
            },
            // These throw unless both operands are numbers.
            _ => Ty::Num,
        }
    }
}

/// An integer below 2^31 in size, and not the negative zero.
pub fn is_small_int(number: f64) -> bool {
    number.fract() == 0.0
        && number.abs() < f64::from(1_u32 << 31)
        && !(number == 0.0 && number.is_sign_negative())
}

/// A constant that a counter may be changed by.
pub fn is_step(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Number(step) if is_small_int(step) && step.abs() <= STEP_MAX)
}
