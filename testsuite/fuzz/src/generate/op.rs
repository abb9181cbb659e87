//! Single instructions of a generated function: arithmetic, memory, globals.

use asr_codegen::air::*;

use super::{Build, SLOT_BYTES, TYPES};

impl Build<'_, '_> {
    pub(super) fn arithmetic(&mut self) {
        let op = match self.bytes.below(8) {
            0..3 => self.binary(),
            3 => self.unary(),
            4 => self.compare(),
            5 => self.convert(),
            6 => {
                let ty = self
                    .bytes
                    .pick(&[Type::I64, Type::I32, Type::I8, Type::I16]);
                let op = self.bytes.pick(OverflowOp::ALL);
                let (dst, flag) = (self.local(ty), self.local(Type::Bool));
                Op::Overflow {
                    op,
                    ty,
                    dst,
                    flag,
                    a: self.operand(ty),
                    b: self.operand(ty),
                }
            }
            _ => {
                let ty = self.bytes.pick(&TYPES);
                let (dst, cond) = (self.local(ty), self.operand(Type::Bool));
                Op::Select {
                    ty,
                    dst,
                    cond,
                    a: self.operand(ty),
                    b: self.operand(ty),
                }
            }
        };
        self.push(op);
    }

    pub(super) fn binary(&mut self) -> Op {
        let op = self.bytes.pick(BinOp::ALL);
        let logic = matches!(op, BinOp::And | BinOp::Or | BinOp::Xor);
        let ty = match self.bytes.below(5) {
            n if op.is_float() => [Type::F64, Type::F32][n % 2],
            4 if logic => Type::Bool,
            n => [Type::I64, Type::I32, Type::I8, Type::I16][n % 4],
        };
        Op::Binary {
            op,
            ty,
            dst: self.local(ty),
            a: self.operand(ty),
            b: self.operand(ty),
        }
    }

    pub(super) fn unary(&mut self) -> Op {
        let op = self.bytes.pick(UnOp::ALL);
        let float = op.name().starts_with('f');
        let ty = match self.bytes.below(5) {
            n if float => [Type::F64, Type::F32][n % 2],
            4 if op == UnOp::Not => Type::Bool,
            n => [Type::I64, Type::I32, Type::I8, Type::I16][n % 4],
        };
        Op::Unary {
            op,
            ty,
            dst: self.local(ty),
            src: self.operand(ty),
        }
    }

    pub(super) fn compare(&mut self) -> Op {
        let op = self.bytes.pick(CmpOp::ALL);
        let ty = match self.bytes.below(4) {
            n if op.is_float() => [Type::F64, Type::F32][n % 2],
            n => [Type::I64, Type::I32, Type::I8, Type::I16][n % 4],
        };
        let (a, b) = (self.operand(ty), self.operand(ty));
        Op::Compare {
            op,
            ty,
            dst: self.local(Type::Bool),
            a,
            b,
        }
    }

    pub(super) fn convert(&mut self) -> Op {
        use ConvOp::*;
        use Type::*;
        let (op, from, to) = self.bytes.pick(&[
            (Sext, I8, I64),
            (Sext, I32, I64),
            (Sext, I16, I32),
            (Zext, I32, I64),
            (Zext, Bool, I64),
            (Zext, I8, I16),
            (Trunc, I64, I32),
            (Trunc, I64, I8),
            (Trunc, I32, I16),
            (SToF, I64, F64),
            (SToF, I32, F32),
            (UToF, I64, F64),
            (UToF, I32, F64),
            (FToS, F64, I64),
            (FToS, F64, I32),
            (FToU, F64, I64),
            (FToS, F32, I32),
            (FToSSat, F64, I64),
            (FToSSat, F64, I32),
            (FToUSat, F64, I64),
            (FToUSat, F32, I32),
            (Promote, F32, F64),
            (Demote, F64, F32),
            (Bitcast, I64, F64),
            (Bitcast, I32, F32),
        ]);
        Op::Convert {
            op,
            from,
            to,
            dst: self.local(to),
            src: self.operand(from),
        }
    }

    /// Zero the slot, so that no load sees what the stack held before.
    pub(super) fn clear_slot(&mut self) {
        let addr = self.fresh(Type::Ptr);
        self.push(Op::SlotAddr {
            dst: addr,
            slot: SlotId(0),
        });
        for offset in (0..SLOT_BYTES as i32).step_by(8) {
            let (src, addr) = (Operand::Imm(0), Operand::Local(addr));
            self.push(Op::Store {
                ty: Type::I64,
                src,
                addr,
                offset,
            });
        }
    }

    pub(super) fn memory(&mut self) {
        let addr = self.fresh(Type::Ptr);
        // Floats are stored and loaded as such: a NaN keeps its bits to itself.
        let (ty, offset) = (self.bytes.pick(&TYPES[..2]), self.bytes.below(8) as i32 * 8);
        match self.bytes.below(3) {
            0 => {
                self.push(Op::DataAddr {
                    dst: addr,
                    data: DataId(0),
                });
                let dst = self.local(ty);
                self.push(Op::Load {
                    ty,
                    dst,
                    addr: addr.into(),
                    offset,
                });
            }
            1 => {
                self.push(Op::SlotAddr {
                    dst: addr,
                    slot: SlotId(0),
                });
                let dst = self.local(ty);
                self.push(Op::Load {
                    ty,
                    dst,
                    addr: addr.into(),
                    offset,
                });
            }
            _ => {
                self.push(Op::SlotAddr {
                    dst: addr,
                    slot: SlotId(0),
                });
                let src = self.operand(ty);
                self.push(Op::Store {
                    ty,
                    src,
                    addr: addr.into(),
                    offset,
                });
            }
        }
    }

    pub(super) fn global(&mut self) {
        let global = GlobalId(0);
        let op = match self.bytes.below(2) {
            0 => Op::GlobalGet {
                dst: self.local(Type::I64),
                global,
            },
            _ => Op::GlobalSet {
                global,
                src: self.operand(Type::I64),
            },
        };
        self.push(op);
    }
}
