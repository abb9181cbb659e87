//! Operands, and instructions that compute.

use super::TYPES;
use super::stmt::{Gen, SLOT_BYTES};
use crate::air::*;

/// What computes a value into the pool.
pub(super) trait Expr {
    /// A pooled local of a type.
    fn local(&mut self, ty: Type) -> LocalId;
    /// An operand of a type.
    fn operand(&mut self, ty: Type) -> Operand;
    /// An assignment to a pooled local.
    fn assign(&mut self);
    /// An instruction that may fault.
    fn checks(&mut self);
}

const INTS: [Type; 4] = [Type::I64, Type::I32, Type::I8, Type::I16];
const FLOATS: [Type; 2] = [Type::F64, Type::F32];

impl Expr for Gen<'_, '_, '_> {
    fn local(&mut self, ty: Type) -> LocalId {
        let n = TYPES.iter().position(|&t| t == ty).unwrap_or(0);
        let locals = self.pool[n];
        self.choices.pick(&locals)
    }

    fn operand(&mut self, ty: Type) -> Operand {
        match self.choices.below(3) {
            0 => Operand::Imm(ty.immediate(self.choices.word())),
            _ => self.local(ty).into(),
        }
    }

    fn assign(&mut self) {
        match self.choices.below(12) {
            0..3 => self.binary(),
            3 => self.unary(),
            4 => {
                let ty = self.choices.pick(&INTS);
                let (dst, flag) = (self.local(ty), self.local(Type::Bool));
                let (a, b) = (self.operand(ty), self.operand(ty));
                let op = self.choices.pick(OverflowOp::ALL);
                self.f.emit(Op::Overflow {
                    op,
                    ty,
                    dst,
                    flag,
                    a,
                    b,
                });
            }
            5 => self.compare(),
            6 => self.convert(),
            7 => {
                let ty = self.choices.pick(&TYPES);
                let (dst, cond) = (self.local(ty), self.operand(Type::Bool));
                let (a, b) = (self.operand(ty), self.operand(ty));
                self.f.emit(Op::Select {
                    ty,
                    dst,
                    cond,
                    a,
                    b,
                });
            }
            8 => self.memory(),
            9 => self.global(),
            10 => {
                let ty = self.choices.pick(&INTS);
                let (dst, i, end) = (self.local(ty), self.operand(ty), self.operand(ty));
                let (step, count) = (
                    self.choices.pick(&[1, -1, 3, -7]),
                    self.choices.pick(&[1024, 1, 16]),
                );
                self.f.emit(Op::Chunk {
                    ty,
                    dst,
                    i,
                    end,
                    step,
                    count,
                });
            }
            _ => {
                let ty = self.choices.pick(&TYPES);
                let (dst, src) = (self.local(ty), self.operand(ty));
                self.f.copy_into(dst, src);
            }
        }
    }

    fn checks(&mut self) {
        let ty = self.choices.pick(&INTS);
        match self.choices.below(4) {
            0 => {
                let op = self
                    .choices
                    .pick(&[BinOp::SDiv, BinOp::SRem, BinOp::UDiv, BinOp::URem]);
                let (dst, a, b) = (self.local(ty), self.operand(ty), self.operand(ty));
                self.f.binary_into(dst, op, a, b);
            }
            1 => {
                let (index, len) = (self.operand(ty), self.operand(ty));
                self.f.check_bounds(ty, index, len);
            }
            2 => {
                let (op, from) = (
                    self.choices.pick(&[ConvOp::FToS, ConvOp::FToU]),
                    self.choices.pick(&FLOATS),
                );
                let (dst, src) = (self.local(ty), self.operand(from));
                self.f.convert_into(dst, op, from, src);
            }
            _ => {
                let word = self.operand(Type::I64);
                let addr = self.f.convert(ConvOp::Bitcast, Type::I64, Type::Ptr, word);
                self.f.check_null(addr);
            }
        }
    }
}

impl Gen<'_, '_, '_> {
    fn binary(&mut self) {
        let op = self.choices.pick(BinOp::ALL);
        let logic = matches!(op, BinOp::And | BinOp::Or | BinOp::Xor);
        let ty = match op.is_float() {
            true => self.choices.pick(&FLOATS),
            false if logic && self.choices.chance(4) => Type::Bool,
            false => self.choices.pick(&INTS),
        };
        let (dst, a, b) = (self.local(ty), self.operand(ty), self.operand(ty));
        self.f.binary_into(dst, op, a, b);
    }

    fn unary(&mut self) {
        let op = self.choices.pick(UnOp::ALL);
        let ty = match op.name().starts_with('f') {
            true => self.choices.pick(&FLOATS),
            false if op == UnOp::Not && self.choices.chance(2) => Type::Bool,
            false => self.choices.pick(&INTS),
        };
        let (dst, src) = (self.local(ty), self.operand(ty));
        self.f.unary_into(dst, op, src);
    }

    fn compare(&mut self) {
        let op = self.choices.pick(CmpOp::ALL);
        let ty = match op {
            op if op.is_float() => self.choices.pick(&FLOATS),
            CmpOp::Eq | CmpOp::Ne if self.choices.chance(3) => {
                self.choices.pick(&[Type::Bool, Type::Value])
            }
            _ => self.choices.pick(&INTS),
        };
        let (dst, a, b) = (self.local(Type::Bool), self.operand(ty), self.operand(ty));
        self.f.cmp_into(dst, op, ty, a, b);
    }

    fn convert(&mut self) {
        use ConvOp::*;
        let op = self.choices.pick(&[
            Zext, Sext, Trunc, SToF, UToF, FToSSat, FToUSat, Promote, Demote, Bitcast,
        ]);
        let (from, to) = match op {
            Zext | Sext => {
                let to = self.choices.pick(&INTS[..2]);
                let narrow: &[Type] = match to {
                    Type::I64 => &[Type::I32, Type::I8, Type::I16],
                    _ => &[Type::I8, Type::I16],
                };
                (self.choices.pick(narrow), to)
            }
            Trunc => (Type::I64, self.choices.pick(&INTS[1..])),
            SToF | UToF => (self.choices.pick(&INTS), self.choices.pick(&FLOATS)),
            Promote => (Type::F32, Type::F64),
            Demote => (Type::F64, Type::F32),
            // Never from a float: the bits of a NaN are an engine's own.
            Bitcast => self.choices.pick(&[
                (Type::I64, Type::Value),
                (Type::Value, Type::I64),
                (Type::I64, Type::F64),
                (Type::I32, Type::F32),
            ]),
            _ => (self.choices.pick(&FLOATS), self.choices.pick(&INTS)),
        };
        let (dst, src) = (self.local(to), self.operand(from));
        self.f.convert_into(dst, op, from, src);
    }

    /// Loads and stores of integers; a slot's other bytes keep theirs.
    fn memory(&mut self) {
        let ty = self.choices.pick(&INTS);
        let room = (SLOT_BYTES - ty.size() as i32) as usize;
        match self.choices.below(3) {
            0 => {
                let count = self.f.module().module().data.len();
                let data = DataId::new(self.choices.below(count));
                let addr = self.f.data_addr(data);
                let dst = self.local(ty);
                let offset = self.choices.below(17 - ty.size() as usize) as i32;
                self.f.load_into(dst, addr, offset);
            }
            1 => {
                let addr = self.f.slot_addr(self.slot);
                let (dst, offset) = (self.local(ty), self.choices.below(room + 1) as i32);
                self.f.load_into(dst, addr, offset);
            }
            _ => {
                let addr = self.f.slot_addr(self.slot);
                let (src, offset) = (self.operand(ty), self.choices.below(room + 1) as i32);
                self.f.store(ty, src, addr, offset);
            }
        }
    }

    fn global(&mut self) {
        let count = self.f.module().module().globals.len();
        if count == 0 {
            return self.unary();
        }
        let global = GlobalId::new(self.choices.below(count));
        let ty = self.f.module().module().globals[global.index()].ty;
        match self.choices.chance(2) {
            true => {
                let src = self.operand(ty);
                self.f.global_set(global, src);
            }
            false => {
                let dst = self.local(ty);
                self.f.emit(Op::GlobalGet { dst, global });
            }
        }
    }
}
