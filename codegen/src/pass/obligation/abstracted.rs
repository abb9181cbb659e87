//! A module as a program of abstract operations: what OBL-24 says of AIR.
//!
//! Each handle local is a kind of its own, so that no bound is above one where the flow of
//! `OBL-34` accepts, and `many` costs no precision. A callee enters by its signature: it takes the
//! handles that are passed and makes the one that it returns. A failure without an edge leaves
//! with nothing held, since the unwind pass gives everything up.

use super::bounds::{Act, Block, Program, Routine};
use super::effect::{Use, is_handle, uses};
use super::scope::Scope;
use crate::Rows;
use crate::air::{FuncId, LocalId, Module, Operand, Term};

/// The handle locals of one function of a verified module as kinds, its blocks as routine.
///
/// Lines are numbers of instructions in the order of the text, from 1.
pub fn abstracted(module: &Module, rows: &Rows, id: FuncId) -> Program {
    let func = &module.funcs[id.index()];
    let scope = Scope {
        module,
        rows,
        id,
        func,
    };
    let kinds = func.locals.iter().map(|local| local.name.clone()).collect();
    let mut blocks = vec![Block::default(); func.blocks.len()];
    let mut line = 0;
    for (b, body) in func.blocks.iter().enumerate() {
        // What follows a place with an edge is a block of its own.
        let mut at = b;
        if b == 0 {
            let params = (0..func.params as usize).map(LocalId::new);
            let params = params.filter(|&local| is_handle(func, local));
            blocks[at]
                .acts
                .extend(params.map(|local| (Act::Reserve(local.index()), 0)));
        }
        for inst in &body.insts {
            line += 1;
            let acts = &mut blocks[at].acts;
            uses(func, &inst.op, rows, |local, how| {
                if how == Use::Takes {
                    acts.push((Act::Commit(local.index()), line));
                }
            });
            if !inst.edge.is_none() {
                let rest = blocks.len();
                blocks[at].next = inst.edge.targets().map(|to| to.index()).collect();
                blocks[at].next.push(rest);
                blocks.push(Block::default());
                at = rest;
            }
            if let Some((_, Some(dst))) = scope.gives(&inst.op) {
                blocks[at].acts.push((Act::Reserve(dst.index()), line));
            }
        }
        line += 1;
        let block = &mut blocks[at];
        match &body.term {
            Term::Return(value) => {
                if let Some(Operand::Local(local)) = value
                    && is_handle(func, *local)
                {
                    block.acts.push((Act::Commit(local.index()), line));
                }
                block.acts.push((Act::Exit, line));
            }
            Term::Raise { edge, .. } if edge.cleanup.is_none() => {
                block.acts.push((Act::Exit, line));
            }
            _ => {}
        }
        let next = &mut block.next;
        body.term.for_each_target(|to| next.push(to.index()));
    }
    Program {
        kinds,
        unknown: Vec::new(),
        routines: vec![Routine {
            file: func.name.clone(),
            blocks,
        }],
    }
}
