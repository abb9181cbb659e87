//! Variables of enclosing functions.
//!
//! A function that uses one has a parameter more for it, and so has every function on the way. One
//! that is never assigned but where it is declared is handed on as its value; any other lives in a
//! box that is handed on. Which of the two is known when everything has been resolved.

use std::collections::HashMap;

use super::super::hir::{Capture, FuncId, Var, VarId};
use super::Resolver;

impl Resolver<'_> {
    /// How the current function sees `root`, a local of an enclosing function.
    pub(super) fn captured(&mut self, root: VarId) -> VarId {
        let func = self.scopes.function();
        self.alias(func, root)
    }

    fn alias(&mut self, func: FuncId, root: VarId) -> VarId {
        if let Some(known) = self.program.aliases.get(&(func, root)) {
            return *known;
        }
        let alias = VarId(self.program.vars.len() as u32);
        let var = Var {
            owner: func,
            assigned: false,
            literal: None,
            ..self.program.var(root).clone()
        };
        self.program.vars.push(var);
        let capture = Capture { root, alias };
        self.program.funcs[func.0 as usize].captures.push(capture);
        self.program.aliases.insert((func, root), alias);
        alias
    }

    /// Whoever refers to a function hands on what that function captures: until nothing is new.
    pub(super) fn settle_captures(&mut self) {
        let mut users: HashMap<FuncId, Vec<FuncId>> = HashMap::new();
        for (user, used) in self.uses.drain() {
            users.entry(used).or_default().push(user);
        }
        users.values_mut().for_each(|list| list.sort_unstable());
        let count = self.program.funcs.len() as u32;
        let mut open: Vec<FuncId> = (0..count).rev().map(FuncId).collect();
        while let Some(used) = open.pop() {
            for user in users.get(&used).into_iter().flatten() {
                let before = self.program.func(*user).captures.len();
                for at in 0..self.program.func(used).captures.len() {
                    let root = self.program.func(used).captures[at].root;
                    if self.program.var(root).owner != *user {
                        self.alias(*user, root);
                    }
                }
                if self.program.func(*user).captures.len() > before {
                    open.push(*user);
                }
            }
        }
        for at in 0..self.program.funcs.len() {
            let captures = self.program.funcs[at].captures.clone();
            for Capture { root, alias } in captures {
                let [root, alias] = [root.0 as usize, alias.0 as usize];
                if self.program.vars[root].assigned {
                    self.program.vars[root].boxed = true;
                    self.program.vars[alias].boxed = true;
                    self.program.vars[alias].assigned = true;
                }
                self.program.vars[alias].literal = self.program.vars[root].literal;
                self.program.funcs[at].params.push(VarId(alias as u32));
            }
        }
    }
}
