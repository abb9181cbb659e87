//! The names of the top level: declared before anything else is resolved, because functions may
//! refer to what comes behind them.

use std::collections::{HashMap, HashSet};

use super::hir::{Func, FuncId, MAIN, Program, Var, VarId};
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::syntax::ast::{self, StmtKind};
use crate::syntax::{Span, Symbol};

/// What a name of the top level is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Global {
    /// A variable.
    Var(VarId),
    /// A function declared once and never assigned.
    Func(FuncId),
}

/// The names of the top level.
#[derive(Debug, Default)]
pub(super) struct Globals {
    by_name: HashMap<Symbol, Global>,
    /// Constants, and where they are declared.
    pub(super) constants: HashMap<Symbol, Span>,
}

impl Globals {
    pub(super) fn get(&self, name: Symbol) -> Option<Global> {
        self.by_name.get(&name).copied()
    }

    /// Declare the names of the top level in `program`.
    pub(super) fn declare(
        tree: &ast::Program,
        assigned: &HashSet<Symbol>,
        program: &mut Program,
        diags: &mut Diagnostics,
    ) -> Self {
        let mut globals = Globals::default();
        let mut declared: HashMap<Symbol, (Span, u32)> = HashMap::new();
        for (name, span, constant) in declarations(tree) {
            let entry = declared.entry(name).or_insert((span, 0));
            entry.1 += 1;
            if let Some(first) = globals
                .constants
                .get(&name)
                .copied()
                .or(constant.then_some(entry.0))
            {
                if entry.1 > 1 {
                    let diag =
                        Diagnostic::new(code::ASSIGN_CONST, span, "a constant is declared once");
                    diags.push(diag.related(first, "it is declared here"));
                }
                globals.constants.insert(name, first);
            }
        }
        for stmt in &tree.stmts {
            let (name, span, arity, is_async) = match &stmt.kind {
                StmtKind::Func(f) => {
                    let arity = f.params.len() as u32;
                    (f.name, f.name_span, Some(arity), f.is_async)
                }
                StmtKind::Var(decl) => (Some(decl.name), decl.name_span, None, false),
                _ => continue,
            };
            let Some(name) = name else { continue };
            if globals.by_name.contains_key(&name) {
                continue;
            }
            let times = declared.get(&name).map_or(0, |d| d.1);
            let direct = arity.filter(|_| times == 1 && !assigned.contains(&name));
            let global = if let Some(arity) = direct {
                program.funcs.push(Func {
                    name: Some(name),
                    span,
                    arity,
                    is_async,
                    ..Func::default()
                });
                Global::Func(FuncId(program.funcs.len() as u32 - 1))
            } else {
                program.vars.push(Var {
                    name,
                    span,
                    owner: MAIN,
                    global: false,
                    assigned: times > 1,
                    ready: false,
                    boxed: false,
                    literal: None,
                });
                Global::Var(VarId(program.vars.len() as u32 - 1))
            };
            globals.by_name.insert(name, global);
        }
        globals
    }
}

fn declarations(tree: &ast::Program) -> impl Iterator<Item = (Symbol, Span, bool)> {
    tree.stmts.iter().filter_map(|stmt| match &stmt.kind {
        StmtKind::Func(f) => f.name.map(|name| (name, f.name_span, false)),
        StmtKind::Var(decl) => Some((decl.name, decl.name_span, decl.constant)),
        _ => None,
    })
}
