//! Unwinding: every failure gives up what is held, innermost first (rules ABI-19, ABI-21).
//!
//! A place that may fail without an edge for it, while handles are live or blocks are open, gets a
//! cleanup edge to blocks that are made here. There is one block for each thing held, and states
//! that share what is outermost share its blocks:
//!
//! ```text
//! unwind.3:  intrinsic abort(%p) cleanup unwind.2(%failed.2, %status.2)     the innermost
//!            jump unwind.2
//! unwind.2:  intrinsic mask_leave()
//!            jump unwind.1
//! unwind.1:  raise %failed.1, %status.1
//! ```
//!
//! What goes on is the first failure; a failure of giving up changes nothing. The pass runs before
//! the placement of probes, which take over edges, and again for the probes that found none. It
//! does not judge: the verifier has seen that everything held can be given up.

use std::collections::HashMap;

use super::obligation::{Item, Scope, follow};
use super::strip::fresh;
use crate::Rows;
use crate::air::{
    Block, BlockId, Edge, FuncId, Function, Inst, Loc, Local, LocalId, Module, Op, Operand, Term,
    Type,
};

/// Gives a cleanup edge to each place of a verified module that needs one.
pub fn unwind(module: &Module, rows: &Rows) -> Module {
    let mut out = module.clone();
    for (n, func) in out.funcs.iter_mut().enumerate() {
        unwind_function(module, rows, FuncId::new(n), func);
    }
    out
}

/// The same for one function, whose signature is that in the module.
pub(super) fn unwind_function(module: &Module, rows: &Rows, id: FuncId, func: &mut Function) {
    let scope = Scope {
        module,
        rows,
        id,
        func,
    };
    if func.blocks.is_empty() || !scope.holds() {
        return;
    }
    let mut bare = Vec::new();
    follow(scope, |failing| {
        if !failing.is_caught() {
            bare.push((failing.block, failing.at, failing.held.to_vec()));
        }
    });
    // In the order of the text, so that equal modules give equal blocks.
    bare.sort_by_key(|(block, at, _)| (*block, *at));
    let mut chains = None;
    for (block, at, held) in bare {
        let loc = match func.blocks[block.index()].insts.get(at) {
            Some(inst) => inst.loc,
            None => func.blocks[block.index()].term_loc,
        };
        let chains = chains.get_or_insert_with(|| Chains::new(func, loc));
        let to = chains.give_up(func, rows, &held, loc);
        let cleanup = Some((to, chains.value, chains.status));
        let block = &mut func.blocks[block.index()];
        match block.insts.get_mut(at) {
            Some(inst) => inst.edge.cleanup = cleanup,
            None => {
                if let Term::Throw { edge, .. }
                | Term::Raise { edge, .. }
                | Term::Unreachable { edge } = &mut block.term
                {
                    edge.cleanup = cleanup;
                }
            }
        }
    }
}

/// The cleanup blocks of one function.
struct Chains {
    /// Value and status of the failure, and of a failure of giving up.
    value: LocalId,
    status: LocalId,
    ignored: (LocalId, LocalId),
    /// The block that goes on with the failure.
    raise: BlockId,
    /// The block that gives up one thing and goes on to another block.
    made: HashMap<(BlockId, Key), BlockId>,
    /// Number of the next block.
    next: u64,
}

/// One thing held, wherever it became so.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Block(super::obligation::BlockKind),
    Handle(LocalId),
}

impl Chains {
    fn new(func: &mut Function, loc: Loc) -> Chains {
        let mut local = |name: &str, ty| {
            let taken = func.locals.iter().map(|local| &*local.name);
            let name = fresh(taken, name);
            func.locals.push(Local { name, ty });
            LocalId::new(func.locals.len() - 1)
        };
        // An exception may refer to an object, which lives across what waits here.
        let mut pair = || (local("failed", Type::Value), local("status", Type::I64));
        let (value, status) = pair();
        let ignored = pair();
        // Behind all names of this form, so that a second run takes none again.
        let taken = func.blocks.iter().map(|block| &*block.name);
        let first = fresh(taken, "unwind");
        let mut next = first.trim_start_matches("unwind.").parse().unwrap_or(1);
        let term = Term::Raise {
            value: value.into(),
            status: status.into(),
            edge: Edge::NONE,
        };
        Chains {
            value,
            status,
            ignored,
            raise: push(func, &mut next, Vec::new(), term, loc),
            made: HashMap::new(),
            next,
        }
    }

    /// The block that gives up all of a state.
    fn give_up(&mut self, func: &mut Function, rows: &Rows, held: &[Item], loc: Loc) -> BlockId {
        let mut to = self.raise;
        for item in held {
            let (key, row, args): (_, _, Vec<Operand>) = match *item {
                Item::Block(kind) => (Key::Block(kind), rows.closer(kind.closer()), Vec::new()),
                Item::Handle(local, _) => {
                    let handle = func.locals[local.index()].ty.handle();
                    let row = handle.and_then(|handle| rows.giver(handle));
                    (Key::Handle(local), row, vec![local.into()])
                }
            };
            // The verifier has seen that there is a row.
            let Some(row) = row else { continue };
            if let Some(&block) = self.made.get(&(to, key)) {
                to = block;
                continue;
            }
            let cleanup = Some((to, self.ignored.0, self.ignored.1));
            let edge = Edge {
                recover: None,
                cleanup: cleanup.filter(|_| row.can_fail()),
            };
            let op = Op::Intrinsic {
                dst: None,
                row: row.name.to_owned(),
                args,
            };
            let insts = vec![Inst { op, edge, loc }];
            let block = push(func, &mut self.next, insts, Term::Jump(to), loc);
            self.made.insert((to, key), block);
            to = block;
        }
        to
    }
}

/// Adds a cold block.
fn push(func: &mut Function, next: &mut u64, insts: Vec<Inst>, term: Term, loc: Loc) -> BlockId {
    let name = format!("unwind.{next}");
    *next += 1;
    func.blocks.push(Block {
        name,
        cold: true,
        insts,
        term,
        term_loc: loc,
    });
    BlockId::new(func.blocks.len() - 1)
}
