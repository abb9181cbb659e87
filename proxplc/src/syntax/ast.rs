//! The tree of a program.
//!
//! Chains of operators of one precedence are one node with a list, `else if` is a list of arms:
//! the depth of the tree is bounded by the nesting that the parser allows.

use super::{Span, Symbol};

/// An expression and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The whole of it.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number.
    Number(f64),
    /// The raw bytes between the quotes.
    Str(Vec<u8>),
    /// `true`, `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A template; each part is an expression, joined with `+` from the left.
    Template(Vec<Expr>),
    /// A name.
    Name(Symbol),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `{k: v}`.
    Dict(Vec<(Expr, Expr)>),
    /// Operators of one precedence, from the left: `((first op a) op b)`. `**` groups to the right
    /// and so has at most one link.
    Chain(Box<Expr>, Vec<Link>),
    /// `a && b && c` or `a || b || c`: the value of the operand that decides.
    Logic(Logic, Vec<Expr>),
    /// `!x`, `-x`, `~x`.
    Unary(UnaryOp, Box<Expr>),
    /// `c ? a : b`.
    Ternary(Box<[Expr; 3]>),
    /// `f(a, b)`.
    Call(Box<Expr>, Vec<Expr>),
    /// `l[i]`.
    Index(Box<[Expr; 2]>),
    /// `o.name`.
    Member(Box<Expr>, Symbol),
    /// `target = value`, `target op= value`. The target is a name, an index or a member.
    Assign(Box<Assign>),
    /// `func(a) { }`.
    Lambda(Box<Function>),
    /// `await e`.
    Await(Box<Expr>),
    /// `spawn f(a)`: the operand is the call.
    Spawn(Box<Expr>),
}

/// One link of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The operator.
    pub op: BinaryOp,
    /// Where the operator stands.
    pub span: Span,
    /// Its right operand.
    pub right: Expr,
}

/// Operators on two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operator of its name")]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    Shr,
}

/// Operators on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!x`
    Not,
    /// `-x`
    Neg,
    /// `~x`
    BitNot,
}

/// Short-circuit operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// `&&`, `and`
    And,
    /// `||`, `or`
    Or,
}

/// An assignment.
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    /// What is assigned: a name, an index or a member.
    pub target: Expr,
    /// `Some` for `+=` and its like.
    pub op: Option<BinaryOp>,
    /// The value.
    pub value: Expr,
}

/// A function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name; `None` for a lambda.
    pub name: Option<Symbol>,
    /// Place of the name, or of `func`.
    pub name_span: Span,
    /// Parameters.
    pub params: Vec<(Symbol, Span)>,
    /// Declared with `async`.
    pub is_async: bool,
    /// Body.
    pub body: Block,
}

/// Statements between braces.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Block {
    /// The statements.
    pub stmts: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// A statement and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// The whole of it.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// An expression for its effect.
    Expr(Expr),
    /// `print e;`
    Print(Expr),
    /// `let`, `var`, `const`.
    Var(Box<VarDecl>),
    /// `func f() { }`.
    Func(Box<Function>),
    /// `{ }`
    Block(Block),
    /// `if`, with one arm per `else if`.
    If(Vec<(Expr, Stmt)>, Option<Box<Stmt>>),
    /// `while (c) body`
    While(Expr, Box<Stmt>),
    /// `for (init; cond; step) body`
    For(Box<For>),
    /// `switch`
    Switch(Box<Switch>),
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `return e;`
    Return(Option<Expr>),
    /// `throw e;`
    Throw(Expr),
    /// `resilient { } recovery (e) { }`
    Resilient(Box<Resilient>),
    /// `scope { }`
    Scope(Block),
    /// `defer s`
    Defer(Box<Stmt>),
    /// `use std.core;` and its like: no effect.
    Use,
    /// What a syntax error left; never lowered, because an error was reported.
    Error,
}

/// A declaration of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct VarDecl {
    /// Name.
    pub name: Symbol,
    /// Place of the name.
    pub name_span: Span,
    /// Declared with `const`.
    pub constant: bool,
    /// Its first value; null without.
    pub init: Option<Expr>,
}

/// A `for` loop.
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    /// Once, in the scope of the loop.
    pub init: Option<Stmt>,
    /// Before each round; forever without.
    pub cond: Option<Expr>,
    /// After each round, and after `continue`.
    pub step: Option<Expr>,
    /// The body.
    pub body: Stmt,
}

/// A `switch`. No case falls through.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch {
    /// What is compared.
    pub subject: Expr,
    /// Cases in the order of their tests.
    pub cases: Vec<(Expr, Vec<Stmt>)>,
    /// Runs if no case matched, wherever it stands.
    pub default: Option<Vec<Stmt>>,
}

/// A protected block.
#[derive(Clone, Debug, PartialEq)]
pub struct Resilient {
    /// How often the body is run again before recovery; `None`: strategy recover.
    pub retries: Option<Expr>,
    /// The protected body.
    pub body: Block,
    /// The name that the exception is bound to, and the recovery block.
    pub recovery: Option<(Option<(Symbol, Span)>, Block)>,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Program {
    /// Its statements.
    pub stmts: Vec<Stmt>,
}
