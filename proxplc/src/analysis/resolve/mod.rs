//! Names to variables, functions and natives.
//!
//! Order of lookup: blocks of the function from the inside, functions of enclosing functions,
//! names of the top level, natives. A top-level variable counts as undefined in the main function
//! before its declaration; in other functions it is checked at run time, unless its declaration
//! runs before any function can.

mod call;
mod capture;
mod concurrency;
mod expr;
mod stmt;

use std::collections::{HashMap, HashSet};

use super::assigned::assigned_names;
use super::globals::{Global, Globals};
use super::hir::{
    Expr, ExprKind, Func, FuncId, MAIN, NativeId, NativeValueId, Program, StrId, Var, VarId,
};
use super::scope::{Binding, Found, Scopes};
use crate::diag::{Diagnostics, code};
use crate::syntax::{Interner, Span, Symbol, ast};

/// Resolve a parsed file. The result is of use only if `diags` stays empty.
pub fn resolve(tree: &ast::Program, names: &mut Interner, diags: &mut Diagnostics) -> Program {
    let assigned = assigned_names(tree);
    let mut program = Program::default();
    program.funcs.push(Func::default());
    let globals = Globals::declare(tree, &assigned, &mut program, diags);
    let mut resolver = Resolver {
        program,
        globals,
        assigned,
        names,
        diags,
        scopes: Scopes::default(),
        strings: HashMap::new(),
        constants: HashSet::new(),
        declared: HashSet::new(),
        called: false,
        loops: 0,
        in_defer: false,
        uses: HashSet::new(),
    };
    resolver.scopes.enter_function(MAIN);
    let body = resolver.stmts(&tree.stmts);
    resolver.scopes.leave_function();
    resolver.settle_captures();
    let mut program = resolver.program;
    let end = tree.stmts.last().map_or(Span::default(), |s| Span {
        start: s.span.end,
        end: s.span.end,
    });
    let main = &mut program.funcs[MAIN.0 as usize];
    (main.body, main.end) = (body, end);
    for var in &mut program.vars {
        if var.assigned || (var.global && !var.ready) {
            var.literal = None;
        }
        var.ready |= !var.global;
    }
    program
}

struct Resolver<'a> {
    program: Program,
    globals: Globals,
    assigned: HashSet<Symbol>,
    names: &'a mut Interner,
    diags: &'a mut Diagnostics,
    scopes: Scopes,
    strings: HashMap<Vec<u8>, StrId>,
    /// Variables declared with `const`.
    constants: HashSet<VarId>,
    /// Top-level variables whose declaration the main function has passed.
    declared: HashSet<VarId>,
    /// The main function has passed a call that may run functions of the program.
    called: bool,
    /// Open loops of the function.
    loops: u32,
    /// Inside a deferred statement.
    in_defer: bool,
    /// Which function refers to which.
    uses: HashSet<(FuncId, FuncId)>,
}

/// What a name stands for at a place.
enum Meaning {
    Var(VarId),
    Func(FuncId),
    Native(NativeId),
    /// A local of an enclosing function.
    Captured(VarId),
    /// Certainly nothing.
    Undefined,
}

impl Resolver<'_> {
    fn meaning(&mut self, name: Symbol) -> Meaning {
        match self.scopes.find(name) {
            Found::Here(Binding::Var(var)) => return Meaning::Var(var),
            Found::Here(Binding::Func(func)) => return Meaning::Func(func),
            Found::Captured(var) => return Meaning::Captured(var),
            Found::Nothing => {}
        }
        let in_main = self.scopes.function() == MAIN;
        match self.globals.get(name) {
            Some(Global::Func(func)) => return Meaning::Func(func),
            Some(Global::Var(var)) if !in_main => {
                self.program.vars[var.0 as usize].global = true;
                return Meaning::Var(var);
            }
            Some(Global::Var(var)) if self.declared.contains(&var) => return Meaning::Var(var),
            _ => {}
        }
        match super::natives::by_name(self.names.text(name)) {
            Some(native) => Meaning::Native(native),
            None => Meaning::Undefined,
        }
    }

    fn new_var(&mut self, name: Symbol, span: Span) -> VarId {
        let owner = self.scopes.function();
        self.program.vars.push(Var {
            name,
            span,
            owner,
            global: false,
            assigned: false,
            ready: true,
            boxed: false,
            literal: None,
        });
        VarId(self.program.vars.len() as u32 - 1)
    }

    fn string(&mut self, bytes: &[u8]) -> StrId {
        if let Some(known) = self.strings.get(bytes) {
            return *known;
        }
        let id = StrId(self.program.strings.len() as u32);
        self.program.strings.push(bytes.to_vec());
        self.strings.insert(bytes.to_vec(), id);
        id
    }

    fn name_string(&mut self, name: Symbol) -> StrId {
        let bytes = self.names.text(name).as_bytes().to_vec();
        self.string(&bytes)
    }

    /// A function with its body; `id` was reserved by the caller.
    fn function(&mut self, id: FuncId, tree: &ast::Function) {
        let loops = std::mem::take(&mut self.loops);
        let in_defer = std::mem::take(&mut self.in_defer);
        self.scopes.enter_function(id);
        let mut params = Vec::new();
        for (name, span) in &tree.params {
            let var = self.new_var(*name, *span);
            self.scopes.bind(*name, Binding::Var(var));
            params.push(var);
        }
        // The body is a scope of its own: a variable in it may shadow a parameter.
        self.scopes.enter_block();
        let body = self.stmts(&tree.body.stmts);
        self.scopes.leave_block();
        self.scopes.leave_function();
        self.loops = loops;
        self.in_defer = in_defer;
        let end = tree.body.span.end;
        let func = &mut self.program.funcs[id.0 as usize];
        func.name = tree.name;
        func.span = tree.name_span;
        func.params = params;
        func.body = body;
        func.end = Span {
            start: end.saturating_sub(1),
            end,
        };
    }

    /// A native as a value: one object for all its uses.
    fn native_value(&mut self, native: NativeId, span: Span) -> ExprKind {
        if super::natives::get(native).op.is_some() {
            return self.not_a_value(native, span);
        }
        let values = &mut self.program.native_values;
        let known = values.iter().position(|known| *known == native);
        let index = known.unwrap_or_else(|| {
            values.push(native);
            values.len() - 1
        });
        ExprKind::Native(NativeValueId(index as u32))
    }

    fn new_func(&mut self, tree: &ast::Function) -> FuncId {
        let arity = tree.params.len() as u32;
        self.program.funcs.push(Func {
            arity,
            is_async: tree.is_async,
            span: tree.name_span,
            ..Func::default()
        });
        FuncId(self.program.funcs.len() as u32 - 1)
    }

    /// A reference to a function as a value.
    fn func_value(&mut self, func: FuncId) -> ExprKind {
        self.program.funcs[func.0 as usize].escapes = true;
        self.uses.insert((self.scopes.function(), func));
        ExprKind::Func(func)
    }

    fn error(&mut self, code: &'static str, span: Span, message: String) -> ExprKind {
        self.diags
            .push(crate::diag::Diagnostic::new(code, span, message));
        ExprKind::Null
    }

    fn constant_assigned(&mut self, var: VarId, span: Span) {
        let declared = self.program.vars[var.0 as usize].span;
        let text = self.names.text(self.program.vars[var.0 as usize].name);
        let message = format!("'{text}' is a constant");
        let diag = crate::diag::Diagnostic::new(code::ASSIGN_CONST, span, message);
        self.diags.push(
            diag.related(declared, "it is declared here")
                .help("declare it with 'let'"),
        );
    }
}

fn expr(kind: ExprKind, span: Span, assigns: bool) -> Expr {
    Expr {
        kind,
        span,
        assigns,
    }
}
