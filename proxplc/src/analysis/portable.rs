//! Functions that any isolate may run.
//!
//! The cells of top-level variables belong to the process, what they refer to to the heap of the
//! main isolate. So a function runs elsewhere only if it, and whatever it refers to, uses no
//! top-level variable but those that are never assigned after their declaration, which runs before
//! any function can, and that hold a number, a truth value, or a constant of the program. What it
//! gets at run time, arguments and captured variables, is copied, and looked at then.

use std::collections::HashMap;

use super::hir::{Expr, ExprKind, FuncId, MAIN, Program, StmtKind, VarId};
use super::infer::{Ty, Types};
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::syntax::Interner;

/// For each function the variable that keeps it in the main isolate, if any does.
#[derive(Debug)]
pub struct Portable(Vec<Option<VarId>>);

impl Portable {
    /// Finds them.
    pub fn find(program: &Program, types: &Types) -> Portable {
        let constants = constants(program);
        let mut users: HashMap<FuncId, Vec<FuncId>> = HashMap::new();
        for (user, used) in &program.func_uses {
            users.entry(*used).or_default().push(*user);
        }
        let mut keeps = vec![None; program.funcs.len()];
        let mut open = Vec::new();
        for (user, var) in &program.var_uses {
            let data = program.var(*var);
            let fixed = !data.assigned && data.ready;
            let number = matches!(types.var(*var), Ty::Num | Ty::Int | Ty::Bool);
            match constants.get(var) {
                _ if fixed && number => {}
                Some(Some(func)) if fixed => users.entry(*func).or_default().push(*user),
                Some(None) if fixed => {}
                _ => open.push((*user, *var)),
            }
        }
        while let Some((func, var)) = open.pop() {
            let known: &mut Option<VarId> = &mut keeps[func.0 as usize];
            if known.is_none() {
                *known = Some(var);
                let users = users.get(&func).into_iter().flatten();
                open.extend(users.map(|user| (*user, var)));
            }
        }
        Portable(keeps)
    }

    /// Whether any isolate may run the function.
    pub fn contains(&self, func: FuncId) -> bool {
        self.0[func.0 as usize].is_none()
    }

    /// Reports functions that are spawned by name and may not be.
    pub fn check(&self, program: &Program, names: &Interner, diags: &mut Diagnostics) {
        for (func, span) in &program.spawns {
            let Some(var) = self.0[func.0 as usize] else {
                continue;
            };
            let var = program.var(var);
            let name = names.text(var.name);
            let func = match program.func(*func).name {
                Some(func) => format!("'{}'", names.text(func)),
                None => "this function".to_owned(),
            };
            let message = format!(
                "{func} cannot run in an isolate of its own: it uses '{name}', or calls what does"
            );
            let diag = Diagnostic::new(code::NOT_PORTABLE, *span, message);
            let declared = "this variable is one of the main isolate";
            diags.push(
                diag.related(var.span, declared)
                    .help("pass what it needs as an argument, and return what it found"),
            );
        }
    }
}

/// Top-level variables that are declared with a constant of the program; the function, if it is
/// one.
fn constants(program: &Program) -> HashMap<VarId, Option<FuncId>> {
    let declared = program
        .func(MAIN)
        .body
        .iter()
        .filter_map(|stmt| match &stmt.kind {
            StmtKind::Let(var, Some(init)) => Some((*var, constant(program, init)?)),
            _ => None,
        });
    declared.collect()
}

fn constant(program: &Program, init: &Expr) -> Option<Option<FuncId>> {
    match init.kind {
        ExprKind::Number(_)
        | ExprKind::Str(_)
        | ExprKind::Bool(_)
        | ExprKind::Null
        | ExprKind::Native(_) => Some(None),
        ExprKind::Func(func) if program.func(func).captures.is_empty() => Some(Some(func)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::parser;

    /// Where `spawn` is refused.
    fn refused(text: &str) -> Vec<(&'static str, usize)> {
        let (mut names, mut diags) = (Interner::default(), Diagnostics::default());
        let tree = parser::parse(text.as_bytes(), &mut names, &mut diags);
        let program = super::super::resolve(&tree, &mut names, &mut diags);
        let types = Types::infer(&program);
        Portable::find(&program, &types).check(&program, &names, &mut diags);
        let found = diags.into_sorted().into_iter();
        found.map(|d| (d.code, d.span.start as usize)).collect()
    }

    #[test]
    fn a_spawned_function_uses_no_variable_that_changes() {
        for functions in [
            "let n = 0; func f() { return n; } n = 1;",
            "let n = 0; func f() { n = 1; }",
            "let l = [1]; func f() { return l[0]; }",
            "let s = \"a\" + \"b\"; func f() { return s; }",
            "func f() { return g(); } func g() { return h; } func h() { } h = 1;",
            "let l = [1]; func f() { return func() { return [g]; }; } func g() { push(l, 1); }",
            "let g = func() { return l; }; func f() { return g; } let l = [];",
            // Its declaration may run after a call of the function.
            "func f() { return n; } f(); let n = 1;",
            "func f() { spawn g(); } func g() { return l; } let l = [];",
        ] {
            let text = format!("{functions} spawn f();");
            let found = refused(&text);
            let at = text.len() - "f();".len();
            assert!(found.contains(&("E0114", at)), "{text}: {found:?}");
        }
        assert_eq!(
            refused("let l = [1]; spawn func() { return l; }();").len(),
            1
        );
    }

    #[test]
    fn a_spawned_function_may_use_what_all_isolates_share() {
        for functions in [
            "func f(x) { return g(x) + g(x); } func g(x) { return x * 2; }",
            "let n = 3; let t = true; let m = n + 1; func f(x) { return t ? x + n : m; }",
            "const s = \"text\"; func f(x) { return s + x; }",
            "let up = upper; let g = func(x) { return x; }; func f(x) { return g(up(x)); }",
            "let l = [1]; func f(x) { let l = [x]; return func() { push(l, 2); return l; }; }",
            // What only others use does not matter.
            "let l = [1]; func g() { push(l, 1); } func f(x) { return x; } g();",
        ] {
            let text = format!("{functions} spawn f(1);");
            assert_eq!(refused(&text), [], "{text}");
        }
    }
}
