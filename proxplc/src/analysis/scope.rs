//! Scopes: what a name means at a place.

use std::collections::HashMap;

use super::hir::{FuncId, VarId};
use crate::syntax::Symbol;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// A variable.
    Var(VarId),
    /// A function that is never reassigned.
    Func(FuncId),
}

/// What looking a name up gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A binding that can be used here.
    Here(Binding),
    /// A local variable of an enclosing function.
    Captured(VarId),
    /// Nothing but a global or a native can be meant.
    Nothing,
}

/// The open functions and their open blocks, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    functions: Vec<(FuncId, Vec<HashMap<Symbol, Binding>>)>,
}

impl Scopes {
    pub(super) fn enter_function(&mut self, function: FuncId) {
        self.functions.push((function, vec![HashMap::new()]));
    }

    pub(super) fn leave_function(&mut self) {
        self.functions.pop();
    }

    pub(super) fn enter_block(&mut self) {
        if let Some((_, blocks)) = self.functions.last_mut() {
            blocks.push(HashMap::new());
        }
    }

    pub(super) fn leave_block(&mut self) {
        if let Some((_, blocks)) = self.functions.last_mut() {
            blocks.pop();
        }
    }

    /// The innermost function.
    pub(super) fn function(&self) -> FuncId {
        self.functions.last().map_or(super::hir::MAIN, |(f, _)| *f)
    }

    /// Whether names declared here are those of the top level.
    pub(super) fn at_top_level(&self) -> bool {
        matches!(&self.functions[..], [(_, blocks)] if blocks.len() == 1)
    }

    /// Bind a name in the innermost block.
    pub(super) fn bind(&mut self, name: Symbol, binding: Binding) {
        if let Some((_, blocks)) = self.functions.last_mut() {
            blocks.last_mut().and_then(|b| b.insert(name, binding));
        }
    }

    /// What `name` means in the innermost block, below the top level.
    pub(super) fn find(&self, name: Symbol) -> Found {
        for (depth, (_, blocks)) in self.functions.iter().rev().enumerate() {
            for block in blocks.iter().rev() {
                match block.get(&name) {
                    Some(Binding::Var(var)) if depth > 0 => return Found::Captured(*var),
                    Some(binding) => return Found::Here(*binding),
                    None => {}
                }
            }
        }
        Found::Nothing
    }
}
