//! What runs when a block is left: deferred statements, and the close of scopes.
//!
//! Its code stands at every way out of the block: the end, `return`, `break`, `continue`, and the
//! cleanup block where failures go. A failure inside a deferred statement on a way out by failure
//! is dropped, and the first failure goes on: a cancel cannot be lost here. A deferred statement
//! that waits, or that runs because of a failure, is masked: no cancel cuts it short.
//!
//! A scope that is left waits for its tasks; one that fails cancels them before.

use std::rc::Rc;

use asr_codegen::air::{BlockId, Edge, LocalId, Operand, Type};

use super::func::FuncLower;
use super::known::Known;
use super::rows::{self, tasks};
use super::waits;
use crate::analysis::hir::{MAIN, Stmt};

/// What is done on the way out.
#[derive(Clone)]
enum Leave {
    /// Deferred statements, and whether they wait.
    Run(Rc<[Stmt]>, bool),
    /// A scope: its region, and its object.
    Close(LocalId, Operand),
}

/// Something that is open where code is lowered, innermost last.
#[derive(Clone)]
pub(super) struct Exit {
    leave: Leave,
    /// Where failures went before.
    outer: Edge,
    /// Where they go now: the block, and the locals of value and status.
    cleanup: (BlockId, LocalId, LocalId),
    /// What was known where it was opened.
    known: Known,
    /// The scope around it.
    scope: Option<(LocalId, Operand)>,
}

impl FuncLower<'_, '_> {
    /// A way out of the blocks of this function by failure: the block, and what it receives.
    fn cleanup_block(&mut self, name: &str) -> (BlockId, LocalId, LocalId) {
        let value = self.b.new_local(Type::Value, "failure");
        let status = self.b.new_local(Type::I64, "status");
        (self.cold_block(name), value, status)
    }

    fn open(&mut self, leave: Leave) {
        let cleanup = self.cleanup_block("leaving");
        let edge = Edge {
            recover: None,
            cleanup: Some(cleanup),
        };
        let outer = self.b.set_edge(edge);
        self.exits.push(Exit {
            leave,
            outer,
            cleanup,
            known: self.known.clone(),
            scope: self.scope,
        });
    }

    /// `defer body`
    pub(super) fn defer(&mut self, body: &[Stmt]) {
        self.open(Leave::Run(body.into(), waits::stmts(body)));
    }

    /// `scope { body }`
    pub(super) fn scope(&mut self, body: &[Stmt]) {
        let region = self.b.new_local(Type::Region, "region");
        self.b.intrinsic_into(Some(region), tasks::REGION_OPEN, &[]);
        let depth = self.exits.len();
        self.open(Leave::Close(region, Operand::Imm(super::word::NULL)));
        let object = self.call_row(rows::SCOPE, &[]);
        if let Some(exit) = self.exits.last_mut() {
            exit.leave = Leave::Close(region, object);
        }
        let outer = self.scope.replace((region, object));
        self.stmts(body);
        self.scope = outer;
        self.leave_block(depth);
    }

    /// The end of a block at whose beginning `depth` exits were open.
    pub(super) fn leave_block(&mut self, depth: usize) {
        while self.exits.len() > depth {
            let Some(exit) = self.exits.pop() else { return };
            self.b.set_edge(exit.outer);
            self.leave(&exit);
            let left = self.b.new_block("left");
            self.b.jump(left);
            let known = std::mem::replace(&mut self.known, exit.known.clone());
            self.cleanup(&exit);
            self.known = known;
            self.b.switch_to_block(left);
        }
    }

    /// The code of a way out that is no failure.
    fn leave(&mut self, exit: &Exit) {
        let inner = std::mem::replace(&mut self.scope, exit.scope);
        match &exit.leave {
            Leave::Run(body, false) => self.stmts(body),
            Leave::Run(body, true) => self.masked(body),
            Leave::Close(region, object) => {
                self.b.intrinsic_into(None, rows::SCOPE_END, &[*object]);
                self.b.intrinsic(tasks::REGION_CLOSE, &[(*region).into()]);
                self.b.intrinsic_into(None, rows::SCOPE_CHECK, &[*object]);
            }
        }
        self.scope = inner;
    }

    /// Statements in a masked block.
    fn masked(&mut self, body: &[Stmt]) {
        let outer = self.b.edge();
        self.b.intrinsic_into(None, tasks::MASK_ENTER, &[]);
        let failed = self.cleanup_block("masked");
        self.b.set_edge(Edge {
            recover: None,
            cleanup: Some(failed),
        });
        self.stmts(body);
        self.b.set_edge(outer);
        self.b.intrinsic_into(None, tasks::MASK_LEAVE, &[]);
        let done = self.b.new_block("unmasked");
        self.b.jump(done);
        let (block, value, status) = failed;
        self.b.switch_to_block(block);
        self.b.intrinsic_into(None, tasks::MASK_LEAVE, &[]);
        self.b.raise(value, status);
        self.b.switch_to_block(done);
    }

    /// The block where failures go.
    fn cleanup(&mut self, exit: &Exit) {
        let (block, value, status) = exit.cleanup;
        match &exit.leave {
            Leave::Run(..) => {
                let again = self.cleanup_block("failed_again");
                self.b.switch_to_block(block);
                self.b.set_edge(Edge {
                    recover: None,
                    cleanup: Some(again),
                });
                match &exit.leave {
                    // A cancel that is pending would end it at its first probe.
                    Leave::Run(body, _) if self.shared.program.func(MAIN).is_async => {
                        let inner = std::mem::replace(&mut self.scope, exit.scope);
                        self.masked(body);
                        self.scope = inner;
                    }
                    _ => self.leave(exit),
                }
                self.b.jump(again.0);
                self.b.switch_to_block(again.0);
                self.b.set_edge(exit.outer);
            }
            Leave::Close(region, object) => {
                self.b.switch_to_block(block);
                self.b.set_edge(exit.outer);
                self.b.intrinsic_into(None, rows::SCOPE_END, &[*object]);
                let region = [(*region).into()];
                self.b.intrinsic_into(None, tasks::REGION_ABANDON, &region);
            }
        }
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
            self.maybe(|this| this.leave(&open[at]));
            self.exits.truncate(depth);
        }
        self.exits.extend(open);
        self.b.set_edge(edge);
    }
}
