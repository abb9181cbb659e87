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
use super::proven::{Proven, proves};
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
    results: Vec<Ty>,
    changed: bool,
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
        for func in &program.funcs {
            if func.escapes || func.calls == 0 {
                func.params
                    .iter()
                    .for_each(|p| types.vars[p.0 as usize] = Ty::Value);
            }
        }
        for (index, var) in program.vars.iter().enumerate() {
            if var.global && !var.ready {
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

    fn raise(&mut self, var: VarId, ty: Ty) {
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

/// One function: raises types along its assignments, calls and returns.
struct Walk<'a> {
    types: &'a mut Types,
    program: &'a Program,
    func: FuncId,
    proven: Proven,
}

impl Walk<'_> {
    fn result(&mut self, ty: Ty) {
        let old = &mut self.types.results[self.func.0 as usize];
        let new = old.join(ty);
        self.types.changed |= new != std::mem::replace(old, new);
    }

    /// The type of what a function returns.
    fn returned(&self, value: &Expr) -> Ty {
        match (&value.kind, self.types.expr(value)) {
            (ExprKind::Var(var), Ty::Value) if self.proven.contains(*var) => Ty::Num,
            (_, ty) => ty,
        }
    }

    /// An operator that throws unless its operands are numbers has had this operand.
    fn prove(&mut self, operand: &Expr) {
        if let ExprKind::Var(var) = operand.kind {
            self.proven.add(self.program, var);
        }
    }

    /// Walk what may be skipped.
    fn maybe(&mut self, walk: impl FnOnce(&mut Self)) {
        let before = self.proven.len();
        walk(self);
        self.proven.forget(before);
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Expr(e) | StmtKind::Print(e) | StmtKind::Throw(e) => self.expr(e),
            StmtKind::Let(var, init) => {
                let ty = match init {
                    Some(init) => {
                        self.expr(init);
                        self.types.expr(init)
                    }
                    None => Ty::Value,
                };
                self.types.raise(*var, ty);
            }
            StmtKind::Block(body) => self.stmts(body),
            StmtKind::If(arms, other) => {
                // The first condition is always evaluated, all else may be skipped.
                self.exprs(arms.first().map(|(cond, _)| cond));
                self.maybe(|this| {
                    for (at, (cond, body)) in arms.iter().enumerate() {
                        this.exprs((at > 0).then_some(cond));
                        this.maybe(|this| this.stmts(body));
                    }
                    this.stmts(other.as_deref().unwrap_or_default());
                });
            }
            StmtKind::Loop(cond, body, step) => {
                cond.iter().for_each(|e| self.expr(e));
                self.maybe(|this| this.stmts(body));
                self.maybe(|this| step.iter().for_each(|e| this.expr(e)));
            }
            StmtKind::Switch(subject, cases, default) => {
                self.expr(subject);
                self.maybe(|this| {
                    for (value, body) in cases {
                        this.expr(value);
                        this.maybe(|this| this.stmts(body));
                    }
                    this.stmts(default.as_deref().unwrap_or_default());
                });
            }
            StmtKind::Return(value) => {
                value.iter().for_each(|e| self.expr(e));
                let ty = value.as_ref().map_or(Ty::Value, |e| self.returned(e));
                self.result(ty);
            }
            StmtKind::Resilient(parts) => {
                parts.retries.iter().for_each(|e| self.expr(e));
                self.maybe(|this| this.stmts(&parts.body));
                if let Some((bound, body)) = &parts.recovery {
                    bound
                        .iter()
                        .for_each(|var| self.types.raise(*var, Ty::Value));
                    self.maybe(|this| this.stmts(body));
                }
            }
            StmtKind::Break | StmtKind::Continue => {}
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|e| self.expr(e));
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Null
            | ExprKind::Var(_)
            | ExprKind::Func(_)
            | ExprKind::Native(_) => {}
            ExprKind::Undefined(_, value) => value.iter().for_each(|e| self.expr(e)),
            ExprKind::List(items) => self.exprs(items),
            ExprKind::Logic(_, terms) => self.maybe(|this| this.exprs(terms)),
            ExprKind::Dict(entries) => self.exprs(entries.iter().flat_map(|(k, v)| [k, v])),
            ExprKind::Chain(first, links) => {
                self.expr(first);
                let mut left = Some(&**first);
                for link in links {
                    self.expr(&link.right);
                    if proves(link.op) {
                        let operands = left.into_iter().chain([&link.right]);
                        operands.for_each(|operand| self.prove(operand));
                    }
                    left = None;
                }
            }
            ExprKind::Unary(_, operand) | ExprKind::Member(operand, _) => self.expr(operand),
            ExprKind::Ternary(parts) => {
                self.expr(&parts[0]);
                parts[1..]
                    .iter()
                    .for_each(|e| self.maybe(|this| this.expr(e)));
            }
            ExprKind::Call(func, args) => {
                self.exprs(args);
                let program = self.program;
                let callee = program.func(*func);
                for (param, arg) in callee.params.iter().zip(args) {
                    let ty = self.types.expr(arg);
                    self.types.raise(*param, ty);
                }
            }
            ExprKind::CallNative(_, args) | ExprKind::WrongArity(_, args) => self.exprs(args),
            ExprKind::CallValue(callee, args) => {
                self.expr(callee);
                self.exprs(args);
            }
            ExprKind::Index(parts) => self.exprs(parts.iter()),
            ExprKind::SetVar(var, value) => {
                self.expr(value);
                let ty = self.types.expr(value);
                self.types.raise(*var, ty);
            }
            ExprKind::SetIndex(parts, _) => self.exprs(parts.iter()),
            ExprKind::SetMember(parts, ..) => self.exprs(parts.iter()),
        }
    }
}

/// Whether the end of the statements can be reached, so that the function returns null there.
pub fn falls_through(stmts: &[Stmt]) -> bool {
    stmts.iter().all(|stmt| match &stmt.kind {
        StmtKind::Return(_) | StmtKind::Throw(_) => false,
        StmtKind::Block(body) => falls_through(body),
        StmtKind::If(arms, Some(other)) => {
            arms.iter().any(|(_, body)| falls_through(body)) || falls_through(other)
        }
        StmtKind::Switch(_, cases, Some(default)) => {
            cases.iter().any(|(_, body)| falls_through(body)) || falls_through(default)
        }
        // A body that fails goes on in the recovery, or behind the block.
        StmtKind::Resilient(parts) => {
            falls_through(&parts.body)
                || parts
                    .recovery
                    .as_ref()
                    .is_none_or(|(_, body)| falls_through(body))
        }
        StmtKind::Break | StmtKind::Continue => true,
        _ => true,
    })
}
