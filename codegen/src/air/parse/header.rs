//! First reading: everything but the bodies.

use std::borrow::Cow;
use std::collections::HashMap;

use super::TextError;
use super::cursor::{Cursor, Step};
use super::lex::{Lexer, Token};
use crate::air::code;
use crate::air::entity::*;
use crate::air::module::*;
use crate::air::span::{FuncSpans, Span, Spans};
use crate::air::types::Signature;

/// What the first reading gives.
#[derive(Debug, Default)]
pub(super) struct Header<'t> {
    pub(super) module: Module,
    pub(super) spans: Spans,
    pub(super) names: Names<'t>,
    pub(super) sigs: Sigs,
    /// Of each function where its body begins, and its labels in order.
    pub(super) bodies: Vec<(FuncId, Cursor<'t>, Labels<'t>)>,
}

/// The labels of a function, in order.
pub(super) type Labels<'t> = Vec<Cow<'t, str>>;

/// What names stand for. Of two things with one name the first counts.
#[derive(Debug, Default)]
pub(super) struct Names<'t> {
    pub(super) data: HashMap<Cow<'t, str>, DataId>,
    pub(super) globals: HashMap<Cow<'t, str>, GlobalId>,
    pub(super) externs: HashMap<Cow<'t, str>, ExternId>,
    pub(super) funcs: HashMap<Cow<'t, str>, FuncId>,
}

/// Signatures of indirect calls: declared ones, then those of the calls in order of first use.
#[derive(Debug, Default)]
pub(super) struct Sigs {
    pub(super) list: Vec<Signature>,
    ids: HashMap<Signature, SigId>,
}

impl Sigs {
    fn declare(&mut self, sig: Signature) {
        let id = SigId::new(self.list.len());
        self.ids.entry(sig.clone()).or_insert(id);
        self.list.push(sig);
    }

    /// The number of a signature.
    pub(super) fn id(&mut self, sig: Signature) -> SigId {
        if !self.ids.contains_key(&sig) {
            self.declare(sig.clone());
        }
        self.ids.get(&sig).copied().unwrap_or(SigId(0))
    }
}

/// Reads all declarations into `header`.
pub(super) fn read<'t>(lexer: Lexer<'t>, header: &mut Header<'t>) -> Vec<TextError> {
    let mut handlers = Vec::new();
    let mut reader = Reader {
        cursor: Cursor::new(lexer),
        header,
        handlers: &mut handlers,
    };
    reader.module();
    let mut errors = reader.cursor.errors;
    for (name, span, handler) in handlers {
        match header.names.funcs.get(&name) {
            Some(&func) => {
                header.module.handlers.push(Handler { func, ..handler });
                header.spans.handlers.push(span);
            }
            None => errors.push(TextError {
                code: code::AIR_UNKNOWN_NAME,
                span,
                message: format!("no function `@{name}` is defined here"),
            }),
        }
    }
    errors
}

struct Reader<'h, 't> {
    cursor: Cursor<'t>,
    header: &'h mut Header<'t>,
    handlers: &'h mut Vec<(Cow<'t, str>, Span, Handler)>,
}

impl<'t> Reader<'_, 't> {
    fn module(&mut self) {
        self.header.spans.module = self.cursor.span();
        if self.first_line().is_err() {
            self.recover();
        }
        while self.cursor.peek() != Token::End && !self.cursor.is_full() {
            if self.item().is_err() {
                self.recover();
            }
        }
    }

    /// Skips to the next line that begins an item.
    fn recover(&mut self) {
        loop {
            self.cursor.skip_line();
            match self.cursor.peek() {
                Token::End => return,
                Token::Ident(
                    "use" | "file" | "sig" | "data" | "global" | "extern" | "handler" | "export"
                    | "async" | "fn",
                ) if self.cursor.peek_second() != Token::Punct(':') => return,
                _ => self.cursor.bump(),
            };
        }
    }

    fn first_line(&mut self) -> Step<()> {
        if !self.cursor.eat_word("module") {
            return self.cursor.expected("`module \"name\" unit n`");
        }
        self.header.module.name = self
            .cursor
            .text("the module's name in quotes")?
            .into_owned();
        if !self.cursor.eat_word("unit") {
            return self.cursor.expected("`unit`");
        }
        self.header.module.unit = self.cursor.unsigned("a unit", u16::MAX.into())? as u16;
        Ok(())
    }

    fn item(&mut self) -> Step<()> {
        let span = self.cursor.span();
        let Token::Ident(word) = self.cursor.peek() else {
            return self.cursor.expected("a declaration");
        };
        match word {
            "use" | "file" | "sig" | "data" | "global" | "extern" | "handler" => {
                self.cursor.bump();
                self.declaration(word, span)
            }
            "export" | "async" | "fn" => self.function(span),
            _ => self.cursor.expected(
                "a declaration (use file sig data global extern handler export async fn)",
            ),
        }
    }

    fn declaration(&mut self, word: &str, span: Span) -> Step<()> {
        let Reader {
            cursor,
            header,
            handlers,
        } = self;
        let Header {
            module,
            spans,
            names,
            sigs,
            ..
        } = &mut **header;
        match word {
            "use" => {
                module.tables.push(cursor.name("a table")?.into_owned());
                spans.tables.push(span);
            }
            "file" => module
                .files
                .push(cursor.text("a path in quotes")?.into_owned()),
            "sig" => {
                sigs.declare(cursor.signature()?);
                spans.sigs.push(span);
            }
            "data" => {
                let name = cursor.symbol('@', "a name")?;
                cursor.expect('=')?;
                let bytes = cursor.bytes("bytes in quotes")?;
                let id = DataId::new(module.data.len());
                module.data.push(Data {
                    name: name.clone().into_owned(),
                    bytes,
                });
                names.data.entry(name).or_insert(id);
                spans.data.push(span);
            }
            "global" => {
                let name = cursor.symbol('@', "a name")?;
                cursor.expect(':')?;
                let ty = cursor.ty()?;
                cursor.expect('=')?;
                let init = cursor.immediate(Some(ty))?;
                let id = GlobalId::new(module.globals.len());
                module.globals.push(Global {
                    name: name.clone().into_owned(),
                    ty,
                    init,
                });
                names.globals.entry(name).or_insert(id);
                spans.globals.push(span);
            }
            "extern" => {
                if !cursor.eat_word("fn") {
                    return cursor.expected("`fn`");
                }
                let name = cursor.symbol('@', "a name")?;
                let sig = cursor.signature()?;
                let loc = cursor.loc()?;
                let id = ExternId::new(module.externs.len());
                module.externs.push(Extern {
                    name: name.clone().into_owned(),
                    sig,
                    loc,
                });
                names.externs.entry(name).or_insert(id);
                spans.externs.push(span);
            }
            _ => {
                let type_id = cursor.unsigned("a type id", u64::MAX)?;
                let name = cursor.symbol('@', "a function")?;
                let bound_ns = match cursor.eat_word("slow") {
                    true => 0,
                    false if cursor.eat_word("fast") => {
                        cursor.unsigned("a bound in ns", u64::MAX)?
                    }
                    false => return cursor.expected("`fast` with a bound in ns, or `slow`"),
                };
                let loc = cursor.loc()?;
                handlers.push((
                    name,
                    span,
                    Handler {
                        type_id,
                        func: FuncId(0),
                        bound_ns,
                        loc,
                    },
                ));
            }
        }
        Ok(())
    }

    fn function(&mut self, span: Span) -> Step<()> {
        let cursor = &mut self.cursor;
        let mut func = Function::default();
        let mut spans = FuncSpans {
            head: span,
            ..FuncSpans::default()
        };
        if cursor.eat_word("export") {
            func.linkage = Linkage::Export;
        }
        func.is_async = cursor.eat_word("async");
        if !cursor.eat_word("fn") {
            return cursor.expected("`fn`");
        }
        let name = cursor.symbol('@', "a name")?;
        func.name = name.clone().into_owned();
        cursor.expect('(')?;
        while !cursor.eat(')') {
            if func.params > 0 {
                cursor.expect(',')?;
            }
            spans.locals.push(cursor.span());
            let name = cursor.symbol('%', "a parameter")?.into_owned();
            cursor.expect(':')?;
            func.locals.push(Local {
                name,
                ty: cursor.ty()?,
            });
            func.params += 1;
        }
        if cursor.peek() == Token::Arrow {
            cursor.bump();
            func.ret = Some(cursor.ty()?);
        }
        func.throws = cursor.eat_word("throws");
        if cursor.eat_word("title") {
            func.title = Some(cursor.text("a title in quotes")?.into_owned());
        }
        func.loc = cursor.loc()?;
        cursor.expect('{')?;
        let body = cursor.fork();
        let id = FuncId::new(self.header.module.funcs.len());
        self.header.names.funcs.entry(name).or_insert(id);
        self.header.module.funcs.push(func);
        self.header.spans.funcs.push(spans);
        let labels = self.skip_body(span)?;
        self.header.bodies.push((id, body, labels));
        Ok(())
    }

    /// Skips a body and collects its labels: names before `:` that are no local's (`%x: i64`).
    fn skip_body(&mut self, head: Span) -> Step<Labels<'t>> {
        let mut labels = Labels::new();
        loop {
            let after_sigil = self.cursor.at('%') || self.cursor.at('@');
            match (self.cursor.peek(), self.cursor.peek_second()) {
                (Token::Ident(name), Token::Punct(':')) => labels.push(Cow::Borrowed(name)),
                (Token::Str(_), Token::Punct(':')) => {
                    // A bad escape is reported by the second reading.
                    let errors = self.cursor.errors.len();
                    match self.cursor.text("a label") {
                        Ok(name) => labels.push(name),
                        Err(_) => self.cursor.errors.truncate(errors),
                    }
                    self.cursor.eat(':');
                    continue;
                }
                (Token::Ident("fn"), Token::Punct('@')) | (Token::End, _) => {
                    let message = "this function does not end with `}`";
                    return self.cursor.fail_at(head, code::AIR_SYNTAX, message);
                }
                _ => {}
            }
            if self.cursor.bump() == Token::Punct('}') {
                return Ok(labels);
            }
            if after_sigil {
                self.cursor.bump();
            }
        }
    }
}
