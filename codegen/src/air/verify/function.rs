//! The shape of a function: names, slots, locations, blocks, who is reached.

use std::collections::HashSet;

use super::{Checker, Here};
use crate::air::code;
use crate::air::entity::*;
use crate::air::loc::Loc;
use crate::air::module::Function;
use crate::air::span::Place;

/// Largest stack slot: a function's frame stays within what the stack check reserves.
const SLOT_BYTES_MAX: u32 = 4096;

/// Most bytes of all slots of one function, for the same reason.
const FRAME_BYTES_MAX: u64 = 32 * 1024;

/// Most parameters of a function, for the same reason.
const PARAMS_MAX: u32 = 255;

impl<'m> Checker<'m> {
    pub(super) fn function(&mut self, id: FuncId) {
        let func = &self.module.funcs[id.index()];
        let place = Place::Func(id);
        self.loc(place, func.loc);
        if func.params as usize > func.locals.len() {
            let message = "there are more parameters than locals; the parameters come first";
            return self.error(code::BAD_DECLARATION, place, message);
        }
        if func.params > PARAMS_MAX {
            let message =
                format!("a function has at most {PARAMS_MAX} parameters; pass an address");
            return self.error(code::BAD_DECLARATION, place, message);
        }
        self.names(id, func);
        self.slots(id, func);
        if func.blocks.is_empty() {
            let message = "a function has at least one block; end it with `return`";
            return self.error(code::EMPTY_FUNCTION, place, message);
        }
        let before = self.errors.len();
        for (b, block) in func.blocks.iter().enumerate() {
            let mut here = Here {
                id,
                func,
                block: BlockId::new(b),
                inst: 0,
            };
            for (n, inst) in block.insts.iter().enumerate() {
                if self.is_full() {
                    return;
                }
                here.inst = n;
                self.loc(here.place(), inst.loc);
                self.inst(here, inst);
            }
            here.inst = block.insts.len();
            self.loc(here.place(), block.term_loc);
            self.term(here, &block.term);
            if self.is_full() {
                return;
            }
        }
        self.reached(id, func);
        // The analyses below rely on indices that are in range and rows that exist.
        if self.errors.len() == before {
            self.held(id, func);
            self.uncaught(id, func);
            self.addresses(id, func);
        }
    }

    fn names(&mut self, id: FuncId, func: &Function) {
        let mut names = HashSet::new();
        for (n, local) in func.locals.iter().enumerate() {
            if !names.insert(&local.name) {
                let message = format!("there is another local `%{}`; rename one", local.name);
                let place = Place::Local(id, LocalId::new(n));
                self.error(code::DUPLICATE_NAME, place, message);
            }
        }
        names.clear();
        for (n, slot) in func.slots.iter().enumerate() {
            if !names.insert(&slot.name) {
                let message = format!("there is another slot `${}`; rename one", slot.name);
                self.error(
                    code::DUPLICATE_NAME,
                    Place::Slot(id, SlotId::new(n)),
                    message,
                );
            }
        }
        names.clear();
        for (n, block) in func.blocks.iter().enumerate() {
            if !names.insert(&block.name) {
                let message = format!("there is another block `{}`; rename one", block.name);
                self.error(
                    code::DUPLICATE_NAME,
                    Place::Block(id, BlockId::new(n)),
                    message,
                );
            }
        }
    }

    fn slots(&mut self, id: FuncId, func: &Function) {
        let mut total = 0;
        for (n, slot) in func.slots.iter().enumerate() {
            let place = Place::Slot(id, SlotId::new(n));
            if !(1..=SLOT_BYTES_MAX).contains(&slot.size) {
                let message = format!("a slot has 1 to {SLOT_BYTES_MAX} bytes; allocate instead");
                self.error(code::BAD_DECLARATION, place, message);
            }
            if !slot.align.is_power_of_two() || slot.align > 16 {
                let message = "the alignment of a slot is 1, 2, 4, 8 or 16";
                self.error(code::BAD_DECLARATION, place, message);
            }
            total += u64::from(slot.size);
        }
        if total > FRAME_BYTES_MAX {
            let message = format!("the slots have more than {FRAME_BYTES_MAX} bytes; allocate");
            self.error(code::BAD_DECLARATION, Place::Func(id), message);
        }
    }

    /// Checks a location. The first file need not be declared.
    pub(super) fn loc(&mut self, place: Place, loc: Loc) {
        if loc.is_some() && loc.file as usize >= self.module.files.len().max(1) {
            let message = format!("file {} of the location is not declared", loc.file);
            self.error(code::BAD_REFERENCE, place, message);
        }
    }

    fn reached(&mut self, id: FuncId, func: &Function) {
        let mut reached = vec![false; func.blocks.len()];
        let mut work = vec![BlockId(0)];
        while let Some(block) = work.pop() {
            let Some(seen) = reached.get_mut(block.index()) else {
                continue;
            };
            if !std::mem::replace(seen, true) {
                func.blocks[block.index()].for_each_successor(|to| work.push(to));
            }
        }
        for (n, _) in reached.iter().enumerate().filter(|(_, seen)| !**seen) {
            let message = "nothing reaches this block; remove it, or jump to it";
            self.error(
                code::UNREACHABLE_BLOCK,
                Place::Block(id, BlockId::new(n)),
                message,
            );
        }
    }
}
