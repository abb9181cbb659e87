//! Handles and blocks on every path: the findings of their flow (rules ABI-19, OBL-34; letters f,
//! m), and that what a failure leaves can be given up (h).
//!
//! A failure without a cleanup edge needs none here: the unwind pass makes one. It must have the
//! rows for that, so the imported tables must hold what gives up each thing that is held.

use super::{Checker, VerifyError};
use crate::air::code;
use crate::air::entity::*;
use crate::air::module::Function;
use crate::air::span::Place;
use crate::pass::obligation::{self, Scope};

impl Checker<'_> {
    pub(super) fn held(&mut self, id: FuncId, func: &Function) {
        let module = self.module;
        let scope = Scope {
            module,
            rows: &self.rows,
            id,
            func,
        };
        if !scope.holds() {
            return;
        }
        let mut stuck = Vec::new();
        let flow = obligation::follow(scope, |failing| {
            if failing.is_caught() {
                return;
            }
            let missing = failing.held.iter().find_map(|item| scope.no_closer(*item));
            if let Some(what) = missing {
                stuck.push((Place::Inst(id, failing.block, failing.at), what));
            }
        });
        for finding in flow.found {
            if !self.is_full() {
                let error = VerifyError::new(module, finding.code, finding.place, finding.message);
                self.errors.push(error.with_notes(module, finding.notes));
            }
        }
        for (place, what) in stuck {
            let message = format!(
                "a failure here would leave {what}, which nothing can give up; add `use` for the \
                 table that can, or a `cleanup` edge that does"
            );
            self.error(code::NO_CLEANUP, place, message);
        }
    }
}
