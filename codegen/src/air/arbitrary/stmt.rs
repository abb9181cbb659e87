//! Statements and the shape of functions.

use super::expr::Expr;
use super::tasks::{SHARED, Tasks};
use super::{Choices, NAMES, TYPES, loc};
use crate::air::*;

/// Deepest nesting of statements.
const DEPTH_MAX: usize = 4;
/// Most statements of a list.
const STATEMENTS_MAX: usize = 8;
/// Calls of one function.
pub(super) const CALLS_MAX: usize = 3;
/// Bytes of the slot that each function has.
pub(super) const SLOT_BYTES: i32 = 32;

/// Where a statement stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) depth: usize,
    pub(super) loops: usize,
    /// Intents, masks, handles.
    pub(super) open: usize,
}

impl Place {
    /// Whether statements may stand inside a statement here.
    pub(super) fn nests(self) -> bool {
        self.depth < DEPTH_MAX
    }
}

/// A function that others may call.
pub(super) struct Callee {
    pub(super) func: FuncId,
    pub(super) sig: Signature,
    pub(super) is_async: bool,
}

/// The generator of one function.
pub(super) struct Gen<'g, 'm, 'c> {
    pub(super) f: FunctionBuilder<'m>,
    pub(super) choices: &'g mut Choices<'c>,
    /// Functions that it may call.
    pub(super) callees: &'g [Callee],
    pub(super) sig: &'g Signature,
    pub(super) is_async: bool,
    /// Pooled locals by type, in the order of `TYPES`.
    pub(super) pool: Vec<[LocalId; 2]>,
    pub(super) slot: SlotId,
    pub(super) calls: usize,
}

/// Makes a function that calls `callees` and itself.
pub(super) fn function(
    builder: &mut ModuleBuilder,
    choices: &mut Choices<'_>,
    callees: &[Callee],
    is_async: bool,
) -> Callee {
    // The first parameter bounds the recursion.
    let mut params = vec![Type::I8];
    if is_async {
        params.extend(SHARED);
    }
    params.extend((0..choices.below(4)).map(|_| choices.pick(&TYPES)));
    let ret = match is_async && !choices.chance(4) {
        true => Some(Type::I64),
        false => choices.chance(2).then(|| choices.pick(&TYPES)),
    };
    let sig = Signature {
        params,
        ret,
        throws: !choices.chance(4),
    };
    let linkage = choices.pick(&[Linkage::Local, Linkage::Export]);
    let name = match linkage {
        Linkage::Export => format!("exported {}", builder.module().funcs.len()),
        Linkage::Local => format!("{}.", choices.pick(&NAMES)),
    };
    let id = builder.declare(&name, linkage, &sig);
    if is_async {
        builder.set_async(id);
    }
    let at = loc(choices, builder.module());
    let mut f = builder.define(id);
    f.set_decl_loc(at);
    if choices.chance(3) {
        f.set_title(choices.pick(&NAMES));
    }
    for n in 1..sig.params.len() {
        f.name_local(f.param(n), choices.pick(&NAMES));
    }
    let mut pool = |ty| [(); 2].map(|()| f.new_local(ty, choices.pick(&NAMES)));
    let pool = TYPES.map(&mut pool).to_vec();
    let slot = f.new_slot(
        choices.pick(&NAMES),
        SLOT_BYTES as u32,
        choices.pick(&[1, 8, 16]),
    );
    let mut g = Gen {
        f,
        choices,
        callees,
        sig: &sig,
        is_async,
        pool,
        slot,
        calls: 0,
    };
    g.body();
    g.f.finish();
    Callee {
        func: id,
        sig,
        is_async,
    }
}

impl Gen<'_, '_, '_> {
    fn body(&mut self) {
        self.f.emit(Op::CheckStack);
        let addr = self.f.slot_addr(self.slot);
        for offset in (0..SLOT_BYTES).step_by(8) {
            self.f.store(Type::I64, 0, addr, offset);
        }
        let place = Place {
            depth: 0,
            loops: 0,
            open: 0,
        };
        if self.is_async && self.sig.throws {
            self.shared();
        }
        // What is not declared `throws` catches everything but the cancellation.
        match self.sig.throws {
            true => self.statements(place),
            false => self.protected(place, true),
        }
        self.return_();
    }

    pub(super) fn statements(&mut self, place: Place) {
        for _ in 0..1 + self.choices.below(STATEMENTS_MAX) {
            let at = loc(self.choices, self.f.module().module());
            self.f.set_loc(at);
            self.statement(place);
        }
    }

    fn statement(&mut self, place: Place) {
        let inner = Place {
            depth: place.depth + 1,
            ..place
        };
        let nest = place.nests();
        if self.is_async && self.choices.below(5) < 2 {
            return self.concurrent(place);
        }
        match self.choices.below(24) {
            0..12 => self.assign(),
            12 => self.checks(),
            13 | 14 if place.loops < 2 && self.calls < CALLS_MAX => self.call(),
            15 => self.runtime(),
            16 if nest => self.if_else(inner),
            17 if nest => self.switch(inner),
            18 | 19 if nest && place.loops < 2 => self.counted_loop(inner),
            20 | 21 if nest => self.protected(inner, false),
            22 if nest => self.intent(inner),
            23 if self.choices.chance(3) => self.leave(place),
            _ => self.assign(),
        }
    }

    /// Ends the block in some way, and goes on in one that is rarely reached.
    fn leave(&mut self, place: Place) {
        let (out, on) = (self.f.new_block("out"), self.f.new_block("on"));
        let cond = self.operand(Type::Bool);
        self.f.branch(cond, out, on);
        self.f.switch_to_block(out);
        self.f.set_cold(out);
        match self.choices.below(4) {
            0 if place.open == 0 => self.return_(),
            1 => {
                let value = self.operand(Type::Value);
                self.f.throw(value);
            }
            // A function not declared `throws` is inside its recovery here.
            2 => {
                let (value, status) =
                    (self.operand(Type::Value), self.choices.pick(&[2i64, 4, 11]));
                self.f.raise(value, status);
            }
            _ => self.f.unreachable(),
        }
        self.f.switch_to_block(on);
    }

    fn return_(&mut self) {
        let value = self.sig.ret.map(|ty| self.operand(ty));
        self.f.ret(value);
    }

    fn if_else(&mut self, place: Place) {
        let names = [(); 3].map(|()| self.choices.pick(&NAMES));
        let [then, or, join] = names.map(|name| self.f.new_block(name));
        let cond = self.operand(Type::Bool);
        self.f.branch(cond, then, or);
        for block in [then, or] {
            self.f.switch_to_block(block);
            self.statements(place);
            self.f.jump(join);
        }
        self.f.switch_to_block(join);
    }

    fn switch(&mut self, place: Place) {
        let ty = self
            .choices
            .pick(&[Type::I64, Type::I32, Type::I8, Type::I16]);
        let value = self.operand(ty);
        let join = self.f.new_block("join");
        let mut cases = Vec::new();
        for _ in 0..self.choices.below(4) {
            let key = ty.immediate(self.choices.word()) as i64;
            if !cases.iter().any(|&(k, _)| k == key) {
                cases.push((key, self.f.new_block("case")));
            }
        }
        self.f.switch(ty, value, cases.clone(), join);
        for (_, block) in cases {
            self.f.switch_to_block(block);
            self.statements(place);
            self.f.jump(join);
        }
        self.f.switch_to_block(join);
    }

    fn counted_loop(&mut self, place: Place) {
        let (i, more) = (
            self.f.new_local(Type::I32, "i"),
            self.f.new_local(Type::Bool, "more"),
        );
        let [head, body, done] = ["head", "body", "done"].map(|name| self.f.new_block(name));
        let down = self.choices.chance(2);
        let trips = self.choices.below(5) as i64;
        self.f.copy_into(i, if down { trips } else { 0 });
        self.f.jump(head);
        self.f.switch_to_block(head);
        match down {
            true => self.f.cmp_into(more, CmpOp::Sgt, Type::I32, i, 0),
            false => self.f.cmp_into(more, CmpOp::Slt, Type::I32, i, trips),
        }
        self.f.branch(more, body, done);
        self.f.switch_to_block(body);
        if place.open > 0 {
            // The probe pass could not know what a cancellation here has to close.
            self.f.probe();
        }
        self.statements(Place {
            loops: place.loops + 1,
            ..place
        });
        self.f.add_into(i, i, if down { -1 } else { 1 });
        self.f.jump(head);
        self.f.switch_to_block(done);
    }

    /// A body whose failures are caught; `all` if even those must be that `throws` would let out.
    fn protected(&mut self, place: Place, all: bool) {
        let (caught, join) = (self.f.new_block("caught"), self.f.new_block("join"));
        let recovers = all || self.choices.below(4) > 0;
        let bound = [Type::Value, Type::I64].map(|ty| self.local(ty));
        let mut edge = Edge::NONE;
        if recovers {
            let local = self.choices.chance(2).then(|| self.choices.pick(&bound));
            edge.recover = Some((caught, local));
        }
        // With an intent open around it, cancellation must not leave from here.
        let cleans = place.open > 0 || !recovers || self.choices.chance(2);
        let cleanup = cleans.then(|| self.cleanup(&mut edge));
        let outer = self.f.set_edge(edge);
        self.statements(place);
        self.f.jump(join);
        self.f.set_edge(outer);
        if let Some((block, value, status)) = cleanup {
            self.f.switch_to_block(block);
            if !all {
                self.assign();
            }
            self.f.raise(value, status);
        }
        self.f.switch_to_block(caught);
        if place.depth < DEPTH_MAX && self.choices.chance(3) && !all {
            self.statements(Place {
                depth: place.depth + 1,
                ..place
            });
        }
        self.f.jump(join);
        self.f.switch_to_block(join);
    }

    pub(super) fn cleanup(&mut self, edge: &mut Edge) -> (BlockId, LocalId, LocalId) {
        let block = self.f.new_block("cleanup");
        self.f.set_cold(block);
        let ty = self.choices.pick(&[Type::Value, Type::I64]);
        let value = self.f.new_local(ty, "failed");
        let status = self.f.new_local(Type::I64, "status");
        edge.cleanup = Some((block, value, status));
        (block, value, status)
    }

    /// A body inside an intent.
    fn intent(&mut self, place: Place) {
        let id = self.choices.word() as i64;
        self.f.intrinsic("intent_push", &[id.into()]);
        let mut edge = Edge::NONE;
        let (block, value, status) = self.cleanup(&mut edge);
        let outer = self.f.set_edge(edge);
        self.statements(Place {
            open: place.open + 1,
            ..place
        });
        self.f.set_edge(outer);
        self.f.intrinsic("intent_pop", &[]);
        let join = self.f.new_block("join");
        self.f.jump(join);
        self.f.switch_to_block(block);
        self.f.intrinsic("intent_pop", &[]);
        self.f.raise(value, status);
        self.f.switch_to_block(join);
    }

    /// Copies the result of a call into the pool.
    pub(super) fn keep(&mut self, result: Option<LocalId>) {
        if let Some(result) = result {
            let ty = self.f.type_of(result);
            if self.is_async && ty == Type::I64 {
                // The host hears of it.
                self.f.intrinsic("expiry_set", &[result.into()]);
            }
            let dst = self.local(ty);
            self.f.copy_into(dst, result);
        }
    }

    fn runtime(&mut self) {
        match self.choices.below(6) {
            0 => self.f.probe(),
            1 => {
                let labels = self.operand(Type::I32);
                self.f.intrinsic("taint_add", &[labels]);
            }
            2 => {
                let labels = self.operand(Type::I32);
                let sanitizer = self.operand(Type::I64);
                self.f.intrinsic("taint_sanitize", &[sanitizer, labels]);
            }
            3 => {
                let at = self.operand(Type::I64);
                self.f.intrinsic("expiry_set", &[at]);
            }
            4 => {
                let code = self.operand(Type::I32);
                self.f.intrinsic("anomaly", &[code, 0i64.into()]);
            }
            _ => {
                self.f.intrinsic("trace_clear", &[]);
            }
        }
    }
}
