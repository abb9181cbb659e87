//! The edges that failures need for what is held: letter h of rule ABI-30, after the passes.
//!
//! It does not trust the unwind pass: what is held is followed anew. What may be cancelled needs a
//! cleanup edge; what may only fail otherwise may also recover.

use super::flow::follow;
use super::held::Item;
use super::scope::Scope;
use crate::Rows;
use crate::air::{FuncId, Module, Place, VerifyError, code};

/// Checks that no failure leaves a function of a verified module with something held; what it
/// finds is in the order of functions.
pub fn check_edges(module: &Module, rows: &Rows) -> Vec<VerifyError> {
    let mut errors = Vec::new();
    for (n, func) in module.funcs.iter().enumerate() {
        let scope = Scope {
            module,
            rows,
            id: FuncId::new(n),
            func,
        };
        if func.blocks.is_empty() || !scope.holds() {
            continue;
        }
        let mut bare = Vec::new();
        let flow = follow(scope, |failing| {
            if let (false, Some(item)) = (failing.is_caught(), failing.held.last()) {
                bare.push(((failing.block, failing.at), *item));
            }
        });
        bare.sort_by_key(|(step, _)| *step);
        for ((block, at), item) in bare {
            let what = match item {
                Item::Block(kind) => format!("{} open", kind.name()),
                Item::Handle(local, _) => format!("`%{}` held", func.locals[local.index()].name),
            };
            let message = format!(
                "a failure here would leave {what}; give it a `cleanup` edge to a block that gives \
                 it up"
            );
            let place = Place::Inst(scope.id, block, at);
            errors.push(VerifyError::new(module, code::NO_CLEANUP, place, message));
        }
        for finding in flow.found {
            let error = VerifyError::new(module, finding.code, finding.place, finding.message);
            errors.push(error.with_notes(module, finding.notes));
        }
    }
    errors
}
