//! Well-formed AIR modules from a fuzzer's bytes.
//!
//! Invariants
//! 1. Every module is accepted by the verifier; a refusal is a bug of one of the two.
//! 2. Every function ends: loops count to a constant, calls go to functions generated before.
//! 3. Nothing depends on what the language leaves open: slots are written before they are read, and
//!    the bits of a NaN are never looked at.

mod op;

use asr_codegen::air::*;

use crate::bytes::Bytes;

/// Types of locals.
const TYPES: [Type; 7] = [
    Type::I64,
    Type::I32,
    Type::F64,
    Type::Bool,
    Type::I8,
    Type::I16,
    Type::F32,
];
/// Locals per type, besides parameters and loop counters.
const LOCALS_PER_TYPE: usize = 2;
/// Deepest nesting of branches and loops.
const DEPTH_MAX: usize = 4;
/// Most statements of one function.
const STATEMENTS_MAX: usize = 60;
/// Bytes of the one stack slot of each function.
const SLOT_BYTES: u32 = 64;

/// Parameters of every generated function.
pub const PARAMS: [Type; 3] = [Type::I64, Type::I32, Type::F64];

/// A module with one to three functions `f0`, `f1`, ..., each with parameters [`PARAMS`] and an
/// `i64` or `f64` result; the last one may call the others.
pub fn module(data: &[u8]) -> Module {
    let mut bytes = Bytes::new(data);
    let mut module = Module {
        name: "fuzz".into(),
        unit: 1,
        ..Module::default()
    };
    module.tables.push("core".into());
    module.files.push("fuzz.prox".into());
    module.globals.push(Global {
        name: "g0".into(),
        ty: Type::I64,
        init: 7,
    });
    module.data.push(Data {
        name: "d0".into(),
        bytes: (0..64).collect(),
    });
    let count = 1 + bytes.below(3);
    for n in 0..count {
        let func = function(&mut bytes, n, &module.funcs);
        module.funcs.push(func);
    }
    module
}

fn function(bytes: &mut Bytes<'_>, n: usize, callees: &[Function]) -> Function {
    let ret = bytes.pick(&[Type::I64, Type::F64]);
    let mut locals: Vec<Local> = Vec::new();
    let mut local = |name: String, ty| locals.push(Local { name, ty });
    for (p, ty) in PARAMS.into_iter().enumerate() {
        local(format!("p{p}"), ty);
    }
    for ty in TYPES {
        for k in 0..LOCALS_PER_TYPE {
            local(format!("{ty}_{k}"), ty);
        }
    }
    let func = Function {
        name: format!("f{n}"),
        linkage: Linkage::Export,
        params: PARAMS.len() as u32,
        ret: Some(ret),
        throws: true,
        locals,
        slots: vec![Slot {
            name: "s0".into(),
            size: SLOT_BYTES,
            align: 16,
        }],
        loc: Loc::new(1, 1),
        ..Function::default()
    };
    let mut build = Build {
        bytes,
        callees,
        func,
        insts: Vec::new(),
        line: 1,
        recover: None,
    };
    build.clear_slot();
    // Calls one after the other find the same state.
    let src = Operand::Imm(7);
    build.push(Op::GlobalSet {
        global: GlobalId(0),
        src,
    });
    let statements = build.bytes.below(STATEMENTS_MAX);
    build.statements(statements, 0);
    let value = build.operand(ret);
    build.seal(Term::Return(Some(value)));
    build.func
}

/// A function under construction. Blocks are sealed in order; `insts` is the open one.
struct Build<'b, 'd> {
    bytes: &'b mut Bytes<'d>,
    callees: &'b [Function],
    func: Function,
    insts: Vec<Inst>,
    line: u32,
    /// Recovery block of the enclosing protected statements. Known by its number in advance.
    recover: Option<BlockId>,
}

impl Build<'_, '_> {
    fn statements(&mut self, count: usize, depth: usize) {
        for _ in 0..count {
            if self.bytes.is_empty() {
                return;
            }
            match self.bytes.below(16) {
                0..8 => self.arithmetic(),
                8 => self.memory(),
                9 => self.global(),
                10 => self.call(),
                11 if depth < DEPTH_MAX => self.branch(depth),
                12 if depth < DEPTH_MAX => self.counted_loop(depth),
                13 if depth < DEPTH_MAX => self.switch(depth),
                14 if depth < DEPTH_MAX && self.recover.is_none() => self.protected(depth),
                15 => self.maybe_throw(),
                _ => self.arithmetic(),
            }
        }
    }

    fn push(&mut self, op: Op) {
        self.line += 1;
        let edge = match op.may_fail() {
            true => Edge {
                recover: self.recover.map(|block| (block, None)),
                cleanup: None,
            },
            false => Edge::default(),
        };
        self.insts.push(Inst {
            op,
            edge,
            loc: Loc::new(self.line, 1),
        });
    }

    /// End the open block; it gets the next number.
    fn seal(&mut self, term: Term) {
        let name = format!("b{}", self.func.blocks.len());
        let insts = std::mem::take(&mut self.insts);
        let term_loc = Loc::new(self.line, 1);
        self.func.blocks.push(Block {
            name,
            cold: false,
            insts,
            term,
            term_loc,
        });
    }

    /// Number of the open block.
    fn here(&self) -> BlockId {
        BlockId::new(self.func.blocks.len())
    }

    /// A new local.
    fn fresh(&mut self, ty: Type) -> LocalId {
        let id = LocalId::new(self.func.locals.len());
        self.func.locals.push(Local {
            name: format!("t{}", id.0),
            ty,
        });
        id
    }

    /// A local of this type, not a loop counter.
    fn local(&mut self, ty: Type) -> LocalId {
        let type_index = TYPES
            .iter()
            .position(|t| *t == ty)
            .expect("a generated type");
        let k = self.bytes.below(LOCALS_PER_TYPE);
        LocalId::new(PARAMS.len() + type_index * LOCALS_PER_TYPE + k)
    }

    fn operand(&mut self, ty: Type) -> Operand {
        match self.bytes.below(4) {
            0 => Operand::Imm(ty.immediate(self.bytes.word())),
            1 if PARAMS.contains(&ty) => {
                let p = PARAMS.iter().position(|t| *t == ty).expect("contained");
                Operand::Local(LocalId::new(p))
            }
            _ => Operand::Local(self.local(ty)),
        }
    }

    fn call(&mut self) {
        if self.callees.is_empty() {
            return self.arithmetic();
        }
        let n = self.bytes.below(self.callees.len());
        let args = PARAMS.map(|ty| self.operand(ty)).to_vec();
        let dst = self.callees[n].ret.map(|ty| self.local(ty));
        self.push(Op::Call {
            dst,
            func: FuncId::new(n),
            args,
        });
    }

    fn maybe_throw(&mut self) {
        // if cond { throw word }
        let cond = self.operand(Type::Bool);
        let here = self.here();
        let (then, or) = (BlockId(here.0 + 1), BlockId(here.0 + 2));
        self.seal(Term::Branch { cond, then, or });
        let edge = Edge {
            recover: self.recover.map(|block| (block, None)),
            cleanup: None,
        };
        let value = Operand::Imm(self.bytes.word() >> 16);
        self.seal(Term::Throw { value, edge });
    }

    /// `if cond { ... }`. The target past the body is patched when it is known.
    fn branch(&mut self, depth: usize) {
        let cond = self.operand(Type::Bool);
        let head = self.here();
        self.seal(Term::Branch {
            cond,
            then: BlockId(head.0 + 1),
            or: BlockId(0),
        });
        self.body(depth);
        let after = BlockId(self.here().0 + 1);
        self.seal(Term::Jump(after));
        if let Term::Branch { or, .. } = &mut self.func.blocks[head.index()].term {
            *or = after;
        }
    }

    fn switch(&mut self, depth: usize) {
        let ty = self.bytes.pick(&[Type::I64, Type::I32, Type::I8]);
        let value = self.operand(ty);
        let head = self.here();
        let (cases, default) = (Vec::new(), BlockId(0));
        self.seal(Term::Switch {
            ty,
            value,
            cases,
            default,
        });
        let mut targets = Vec::new();
        for case in 0..1 + self.bytes.below(3) {
            targets.push((case as i64 - 1, self.here()));
            self.body(depth);
            // Falls into the next case, the last one past the switch.
            let next = BlockId(self.here().0 + 1);
            self.seal(Term::Jump(next));
        }
        let after = self.here();
        if let Term::Switch { cases, default, .. } = &mut self.func.blocks[head.index()].term {
            (*cases, *default) = (targets, after);
        }
    }

    /// `for i in 0..n { ... }` with a counter that the body cannot write.
    fn counted_loop(&mut self, depth: usize) {
        let i = self.fresh(Type::I64);
        let more = self.fresh(Type::Bool);
        let trips = self.bytes.pick(&[0, 1, 3, 16, 17, 40]);
        self.push(Op::Copy {
            ty: Type::I64,
            dst: i,
            src: Operand::Imm(0),
        });
        let head = BlockId(self.here().0 + 1);
        self.seal(Term::Jump(head));
        let (a, b) = (Operand::Local(i), Operand::Imm(trips));
        self.push(Op::Compare {
            op: CmpOp::Slt,
            ty: Type::I64,
            dst: more,
            a,
            b,
        });
        self.seal(Term::Branch {
            cond: more.into(),
            then: BlockId(head.0 + 1),
            or: BlockId(0),
        });
        self.body(depth);
        let (a, b) = (Operand::Local(i), Operand::Imm(1));
        self.push(Op::Binary {
            op: BinOp::Add,
            ty: Type::I64,
            dst: i,
            a,
            b,
        });
        self.seal(Term::Jump(head));
        let after = self.here();
        if let Term::Branch { or, .. } = &mut self.func.blocks[head.index()].term {
            *or = after;
        }
    }

    /// A failure in the body goes on after it.
    fn protected(&mut self, depth: usize) {
        // The recovery block stands first, so that its number is known: head, recover, body.
        let head = self.here();
        let recover = BlockId(head.0 + 1);
        self.seal(Term::Jump(BlockId(head.0 + 2)));
        self.arithmetic_total();
        self.seal(Term::Jump(BlockId(0)));
        self.recover = Some(recover);
        // Something here may fail, or nothing would reach the recovery block.
        let addr = self.fresh(Type::Ptr);
        let slot = SlotId(0);
        self.push(Op::SlotAddr { dst: addr, slot });
        self.push(Op::CheckNull { addr: addr.into() });
        self.body(depth);
        self.recover = None;
        let after = BlockId(self.here().0 + 1);
        self.seal(Term::Jump(after));
        self.func.blocks[recover.index()].term = Term::Jump(after);
    }

    /// A mark in a local that tells that a recovery block ran.
    fn arithmetic_total(&mut self) {
        let dst = self.local(Type::I64);
        let (a, b) = (Operand::Local(dst), Operand::Imm(1000));
        self.push(Op::Binary {
            op: BinOp::Add,
            ty: Type::I64,
            dst,
            a,
            b,
        });
    }

    fn body(&mut self, depth: usize) {
        let count = 1 + self.bytes.below(5);
        self.statements(count, depth + 1);
    }
}
