//! The resolved program.
//!
//! Invariants
//! 1. Every name is a variable, a function or a native, or certainly undefined
//!    ([`ExprKind::Undefined`]).
//! 2. A variable is used only by the function that owns it, unless it is a global: a function that
//!    uses a local of an enclosing one has a parameter for it ([`Capture`]).
//! 3. A function that is called directly is never reassigned.
//! 4. Only an async function waits; the main function is one if the program uses concurrency.

use std::collections::{BTreeSet, HashMap};

use crate::syntax::ast::{BinaryOp, Logic, UnaryOp};
use crate::syntax::{Span, Symbol};

/// Index into [`Program::vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub u32);

/// Index into [`Program::funcs`]; 0 is the main function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuncId(pub u32);

/// Index into [`super::natives::TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NativeId(pub u32);

/// Index into [`Program::native_values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NativeValueId(pub u32);

/// Index into [`Program::strings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StrId(pub u32);

/// The statements of the file.
pub const MAIN: FuncId = FuncId(0);

/// A resolved program.
#[derive(Debug, Default)]
pub struct Program {
    /// Variables of all functions.
    pub vars: Vec<Var>,
    /// Functions; the first is the main function.
    pub funcs: Vec<Func>,
    /// Constant strings, each once.
    pub strings: Vec<Vec<u8>>,
    /// Natives that are used as values, each once.
    pub native_values: Vec<NativeId>,
    /// With how many arguments isolates are started.
    pub isolates: BTreeSet<u32>,
    /// How functions see variables of enclosing functions.
    pub aliases: HashMap<(FuncId, VarId), VarId>,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Var {
    /// Name.
    pub name: Symbol,
    /// Where it is declared.
    pub span: Span,
    /// The function that declares it.
    pub owner: FuncId,
    /// Declared at the top level and used by a function: lives in a cell of the module.
    pub global: bool,
    /// Assigned anywhere but in its declaration.
    pub assigned: bool,
    /// Of a global: its declaration runs before any function can, so that no use finds it
    /// undefined. Locals are always ready.
    pub ready: bool,
    /// Captured and assigned: it lives in a box that all who use it share.
    pub boxed: bool,
    /// Its number, if it is declared with a literal and never assigned.
    pub literal: Option<f64>,
}

/// A function.
#[derive(Debug, Default)]
pub struct Func {
    /// Its name; `None` for a lambda and for the main function.
    pub name: Option<Symbol>,
    /// Place of its name.
    pub span: Span,
    /// Number of parameters; known before the body is.
    pub arity: u32,
    /// Declared with `async`.
    pub is_async: bool,
    /// Parameters; behind the first `arity` those for what it captures.
    pub params: Vec<VarId>,
    /// What it uses of enclosing functions, in the order of its parameters.
    pub captures: Vec<Capture>,
    /// Body.
    pub body: Vec<Stmt>,
    /// End of the body, where it returns null.
    pub end: Span,
    /// Used otherwise than by a direct call.
    pub escapes: bool,
    /// Direct calls with the right number of arguments.
    pub calls: u32,
}

/// A variable of an enclosing function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The variable.
    pub root: VarId,
    /// The parameter of the function that stands for it.
    pub alias: VarId,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
    /// Whether an assignment to a variable is in it.
    pub assigns: bool,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number.
    Number(f64),
    /// A constant string.
    Str(StrId),
    /// A boolean.
    Bool(bool),
    /// Null.
    Null,
    /// Reading a variable.
    Var(VarId),
    /// A name that is certainly undefined here: evaluates the operand, if any, and throws.
    Undefined(Symbol, Option<Box<Expr>>),
    /// A function as a value.
    Func(FuncId),
    /// A native as a value.
    Native(NativeValueId),
    /// A list.
    List(Vec<Expr>),
    /// A dictionary.
    Dict(Vec<(Expr, Expr)>),
    /// Operators of one precedence, from the left.
    Chain(Box<Expr>, Vec<Link>),
    /// Short-circuit operators.
    Logic(Logic, Vec<Expr>),
    /// `!x`, `-x`, `~x`.
    Unary(UnaryOp, Box<Expr>),
    /// `c ? a : b`.
    Ternary(Box<[Expr; 3]>),
    /// A call of a function that is known here, with the right number of arguments.
    Call(FuncId, Vec<Expr>),
    /// A call of an async function without `await`: starts a task, whose value it is.
    Start(FuncId, Vec<Expr>),
    /// `await f(a)` of an async function that is known here.
    AwaitCall(FuncId, Vec<Expr>),
    /// `await` of a native that waits.
    AwaitNative(NativeId, Vec<Expr>),
    /// `await e`: the result of a task; any other value is itself.
    Await(Box<Expr>),
    /// `spawn f(a)`: starts a task in an isolate of its own.
    Spawn(Box<Expr>, Vec<Expr>),
    /// A call of a native.
    CallNative(NativeId, Vec<Expr>),
    /// A call of a value.
    CallValue(Box<Expr>, Vec<Expr>),
    /// A call of a known function with a wrong number of arguments: evaluates them and throws.
    WrongArity(FuncId, Vec<Expr>),
    /// Reading an element.
    Index(Box<[Expr; 2]>),
    /// Reading a member.
    Member(Box<Expr>, StrId),
    /// Assigning a variable.
    SetVar(VarId, Box<Expr>),
    /// Assigning an element; with an operator the old element is its left operand.
    SetIndex(Box<[Expr; 3]>, Option<BinaryOp>),
    /// Assigning a member.
    SetMember(Box<[Expr; 2]>, StrId, Option<BinaryOp>),
}

/// One link of a chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// The operator.
    pub op: BinaryOp,
    /// Where it stands.
    pub span: Span,
    /// Its right operand.
    pub right: Expr,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it is.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// An expression for its effect.
    Expr(Expr),
    /// `print`
    Print(Expr),
    /// A declaration; null without a value.
    Let(VarId, Option<Expr>),
    /// A sequence.
    Block(Vec<Stmt>),
    /// Arms and `else`.
    If(Vec<(Expr, Vec<Stmt>)>, Option<Vec<Stmt>>),
    /// A loop: condition, body, step. `while` has no step.
    Loop(Option<Expr>, Vec<Stmt>, Option<Expr>),
    /// A switch: subject, cases, default.
    Switch(Expr, Vec<(Expr, Vec<Stmt>)>, Option<Vec<Stmt>>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return`
    Return(Option<Expr>),
    /// `throw`
    Throw(Expr),
    /// A protected block.
    Resilient(Box<Resilient>),
    /// `scope { }`
    Scope(Vec<Stmt>),
    /// `defer`: runs when the block it stands in is left.
    Defer(Vec<Stmt>),
}

/// A protected block.
#[derive(Clone, Debug)]
pub struct Resilient {
    /// How often the body runs again.
    pub retries: Option<Expr>,
    /// The body.
    pub body: Vec<Stmt>,
    /// The variable that the exception is bound to, and the recovery block.
    pub recovery: Option<(Option<VarId>, Vec<Stmt>)>,
}

impl Program {
    /// The variable of this id.
    pub fn var(&self, id: VarId) -> &Var {
        &self.vars[id.0 as usize]
    }

    /// How `func` sees `root`, a variable of its own or of an enclosing function.
    pub fn view(&self, func: FuncId, root: VarId) -> VarId {
        self.aliases.get(&(func, root)).copied().unwrap_or(root)
    }

    /// The function of this id.
    pub fn func(&self, id: FuncId) -> &Func {
        &self.funcs[id.0 as usize]
    }
}
