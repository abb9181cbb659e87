//! Second reading: the bodies of the functions.

use std::borrow::Cow;
use std::collections::HashMap;

use super::cursor::{Cursor, Step};
use super::header::{Header, Names, Sigs};
use super::lex::Token;
use super::{ERRORS_MAX, TextError};
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::loc::Loc;
use crate::air::module::*;
use crate::air::span::{FuncSpans, Span};
use crate::air::types::Type;

/// Reads the bodies into the module of `header`.
pub(super) fn read(header: &mut Header<'_>) -> Vec<TextError> {
    let mut errors = Vec::new();
    for (id, cursor, labels) in std::mem::take(&mut header.bodies) {
        let n = id.index();
        let mut body = Body {
            cursor,
            module: &header.module,
            names: &header.names,
            sigs: &mut header.sigs,
            ret: header.module.funcs[n].ret,
            locals: Vec::new(),
            local_ids: HashMap::new(),
            slots: Vec::new(),
            slot_ids: HashMap::new(),
            blocks: Vec::new(),
            labels: HashMap::new(),
            spans: std::mem::take(&mut header.spans.funcs[n]),
        };
        for (block, label) in labels.into_iter().enumerate() {
            body.labels.entry(label).or_insert(BlockId::new(block));
        }
        for param in &header.module.funcs[n].locals {
            body.add_local(Cow::Owned(param.name.clone()), param.ty);
        }
        body.read();
        errors.append(&mut body.cursor.errors);
        let Body {
            locals,
            slots,
            blocks,
            spans,
            ..
        } = body;
        header.spans.funcs[n] = spans;
        let func = &mut header.module.funcs[n];
        (func.locals, func.slots, func.blocks) = (locals, slots, blocks);
        if errors.len() >= ERRORS_MAX {
            break;
        }
    }
    header.module.sigs = std::mem::take(&mut header.sigs.list);
    errors
}

/// The body that is being read.
pub(super) struct Body<'h, 't> {
    pub(super) cursor: Cursor<'t>,
    pub(super) module: &'h Module,
    pub(super) names: &'h Names<'t>,
    pub(super) sigs: &'h mut Sigs,
    pub(super) ret: Option<Type>,
    locals: Vec<Local>,
    local_ids: HashMap<Cow<'t, str>, LocalId>,
    slots: Vec<Slot>,
    slot_ids: HashMap<Cow<'t, str>, SlotId>,
    blocks: Vec<Block>,
    labels: HashMap<Cow<'t, str>, BlockId>,
    spans: FuncSpans,
}

/// A block whose end has not been read.
struct Open {
    name: String,
    cold: bool,
    insts: Vec<Inst>,
    /// Its last line was refused; that line may have been its end.
    spoiled: bool,
}

impl<'t> Body<'_, 't> {
    fn read(&mut self) {
        let mut open: Option<Open> = None;
        while !self.cursor.at('}') && !self.cursor.is_full() {
            let before = self.cursor.span();
            if self.line(&mut open).is_err() {
                self.cursor.skip_line();
                if self.cursor.span() == before && self.cursor.bump() == Token::End {
                    return;
                }
            }
        }
        if let Some(open) = open.filter(|open| !open.spoiled) {
            let _ = self.no_end(&open.name);
        }
    }

    /// Reads a declaration, a label or an instruction.
    fn line(&mut self, open: &mut Option<Open>) -> Step<()> {
        if self.cursor.peek_second() == Token::Punct(':') {
            return self.label(open);
        }
        if self.blocks.is_empty() && open.is_none() {
            if self.cursor.eat_word("local") {
                return self.local_declaration();
            }
            if self.cursor.eat_word("slot") {
                return self.slot_declaration();
            }
        }
        let Some(block) = open else {
            return self
                .cursor
                .expected("a label `name:` before the first instruction of a block");
        };
        let span = self.cursor.span();
        let line = self.instruction();
        if let Some((_, spans)) = self.spans.blocks.last_mut() {
            spans.push(span);
        }
        block.spoiled = line.is_err();
        match line? {
            Line::Inst(inst) => block.insts.push(inst),
            Line::Term(term, term_loc) => {
                let ended = open.take().unwrap_or_else(Open::nameless);
                let Open {
                    name, cold, insts, ..
                } = ended;
                self.blocks.push(Block {
                    name,
                    cold,
                    insts,
                    term,
                    term_loc,
                });
            }
        }
        Ok(())
    }

    fn label(&mut self, open: &mut Option<Open>) -> Step<()> {
        let span = self.cursor.span();
        let unended = open.take().filter(|open| !open.spoiled);
        let unended = unended.map(|open| self.no_end(&open.name));
        let name = self.cursor.name("a label")?.into_owned();
        self.cursor.expect(':')?;
        let cold = self.cursor.eat_word("cold");
        self.spans.blocks.push((span, Vec::new()));
        *open = Some(Open {
            name,
            cold,
            insts: Vec::new(),
            spoiled: false,
        });
        unended.unwrap_or(Ok(()))
    }

    fn no_end(&mut self, name: &str) -> Step<()> {
        let message = format!("block `{name}` does not end with a jump, return or the like");
        self.cursor.fail(code::AIR_SYNTAX, message)
    }

    fn local_declaration(&mut self) -> Step<()> {
        self.spans.locals.push(self.cursor.span());
        let name = self.cursor.symbol('%', "a local")?;
        self.cursor.expect(':')?;
        let ty = self.cursor.ty()?;
        self.add_local(name, ty);
        Ok(())
    }

    fn add_local(&mut self, name: Cow<'t, str>, ty: Type) {
        let id = LocalId::new(self.locals.len());
        self.locals.push(Local {
            name: name.clone().into_owned(),
            ty,
        });
        self.local_ids.entry(name).or_insert(id);
    }

    fn slot_declaration(&mut self) -> Step<()> {
        self.spans.slots.push(self.cursor.span());
        let name = self.cursor.slot_name()?;
        let size = self.cursor.unsigned("the size in bytes", u32::MAX.into())? as u32;
        if !self.cursor.eat_word("align") {
            return self.cursor.expected("`align`");
        }
        let align = self.cursor.unsigned("an alignment", u32::MAX.into())? as u32;
        let id = SlotId::new(self.slots.len());
        self.slots.push(Slot {
            name: name.clone().into_owned(),
            size,
            align,
        });
        self.slot_ids.entry(name).or_insert(id);
        Ok(())
    }

    /// A local with its `%`.
    pub(super) fn local(&mut self) -> Step<LocalId> {
        let span = self.cursor.span();
        let name = self.cursor.symbol('%', "a local")?;
        match self.local_ids.get(&name) {
            Some(&id) => Ok(id),
            None => self.unknown(
                span,
                &format!("no local `%{name}` is declared; add `local`"),
            ),
        }
    }

    /// A slot with its `$`.
    pub(super) fn slot(&mut self) -> Step<SlotId> {
        let span = self.cursor.span();
        let name = self.cursor.slot_name()?;
        match self.slot_ids.get(&name) {
            Some(&id) => Ok(id),
            None => self.unknown(span, &format!("no slot `${name}` is declared; add `slot`")),
        }
    }

    /// The label of a block.
    pub(super) fn block(&mut self) -> Step<BlockId> {
        let span = self.cursor.span();
        let name = self.cursor.name("the label of a block")?;
        match self.labels.get(&name) {
            Some(&id) => Ok(id),
            None => self.unknown(
                span,
                &format!("no block of this function is called `{name}`"),
            ),
        }
    }

    /// Something of the module with its `@`.
    pub(super) fn global_name<T: Copy>(
        &mut self,
        what: &str,
        ids: impl for<'n> FnOnce(&'n Names<'t>) -> &'n HashMap<Cow<'t, str>, T>,
    ) -> Step<T> {
        let span = self.cursor.span();
        let name = self.cursor.symbol('@', what)?;
        match ids(self.names).get(&name) {
            Some(&id) => Ok(id),
            None => self.unknown(span, &format!("the module has no {what} `@{name}`")),
        }
    }

    fn unknown<T>(&mut self, span: Span, message: &str) -> Step<T> {
        self.cursor.fail_at(span, code::AIR_UNKNOWN_NAME, message)
    }
}

impl Open {
    /// Never used: an instruction is read only in an open block.
    fn nameless() -> Self {
        Open {
            name: String::new(),
            cold: false,
            insts: Vec::new(),
            spoiled: false,
        }
    }
}

/// What one line of a block holds.
pub(super) enum Line {
    /// An instruction.
    Inst(Inst),
    /// The end of the block.
    Term(Term, Loc),
}
