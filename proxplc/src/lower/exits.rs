//! What runs when a block is left: deferred statements.
//!
//! Code of a deferred statement stands at every way out of its block: the end, `return`, `break`,
//! `continue`, and the cleanup block where failures go. A failure inside it on a way out by failure
//! is dropped, and the first failure goes on: a cancel cannot be lost here.

use std::rc::Rc;

use asr_codegen::air::{BlockId, Edge, LocalId, Type};

use super::func::FuncLower;
use super::known::Known;
use crate::analysis::hir::Stmt;

/// Something that is open where code is lowered, innermost last.
#[derive(Clone)]
pub(super) struct Exit {
    body: Rc<[Stmt]>,
    /// Where failures went before.
    outer: Edge,
    /// Where they go now: the block, and the locals of value and status.
    cleanup: (BlockId, LocalId, LocalId),
    /// What was known at the `defer`.
    known: Known,
}

impl FuncLower<'_, '_> {
    /// `defer body`
    pub(super) fn defer(&mut self, body: &[Stmt]) {
        let value = self.b.new_local(Type::Value, "failure");
        let status = self.b.new_local(Type::I64, "status");
        let cleanup = (self.cold_block("deferred"), value, status);
        let edge = Edge {
            recover: None,
            cleanup: Some(cleanup),
        };
        let outer = self.b.set_edge(edge);
        self.exits.push(Exit {
            body: body.into(),
            outer,
            cleanup,
            known: self.known.clone(),
        });
    }

    /// The end of a block at whose beginning `depth` exits were open.
    pub(super) fn leave_block(&mut self, depth: usize) {
        while self.exits.len() > depth {
            let Some(exit) = self.exits.pop() else { return };
            self.b.set_edge(exit.outer);
            self.stmts(&exit.body);
            let left = self.b.new_block("left");
            self.b.jump(left);
            let known = std::mem::replace(&mut self.known, exit.known.clone());
            self.cleanup(&exit);
            self.known = known;
            self.b.switch_to_block(left);
        }
    }

    /// The block where failures go.
    fn cleanup(&mut self, exit: &Exit) {
        let (block, value, status) = exit.cleanup;
        let again = self.cold_block("failed_again");
        let dropped = self.b.new_local(Type::Value, "dropped");
        let dropped_status = self.b.new_local(Type::I64, "dropped_status");
        self.b.switch_to_block(block);
        self.b.set_edge(Edge {
            recover: None,
            cleanup: Some((again, dropped, dropped_status)),
        });
        self.stmts(&exit.body);
        self.b.jump(again);
        self.b.switch_to_block(again);
        self.b.set_edge(exit.outer);
        self.b.raise(value, status);
    }

    /// Run what is open above `depth`, on a way out that is no failure; it stays open for the code
    /// behind.
    pub(super) fn run_exits(&mut self, depth: usize) {
        let edge = self.b.edge();
        let open = self.exits.split_off(depth.min(self.exits.len()));
        for at in (0..open.len()).rev() {
            self.exits.extend_from_slice(&open[..at]);
            self.b.set_edge(open[at].outer);
            self.maybe(|this| this.stmts(&open[at].body));
            self.exits.truncate(depth);
        }
        self.exits.extend(open);
        self.b.set_edge(edge);
    }
}
