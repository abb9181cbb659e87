//! Between representations: words, doubles, integers, truth values.

use asr_codegen::air::{BinOp, BlockId, CmpOp, ConvOp, Operand, Type};

use super::func::FuncLower;
use super::{Val, rows, word};
use crate::analysis::infer::Ty;

impl FuncLower<'_, '_> {
    /// The bits of a word as an integer.
    pub(super) fn bits(&mut self, op: Operand) -> Operand {
        match op {
            Operand::Imm(_) => op,
            _ => self
                .b
                .convert(ConvOp::Bitcast, Type::Value, Type::I64, op)
                .into(),
        }
    }

    /// In the representation of `ty`, which holds the type of `val`.
    pub(super) fn coerce(&mut self, val: Val, ty: Ty) -> Operand {
        match (val.ty, ty) {
            (from, to) if from == to => val.op,
            (_, Ty::Value | Ty::Never | Ty::Str) => self.word_of(val),
            (Ty::Int, Ty::Num) => self.double_of(val),
            // Only where nothing is reached: the types say that this cannot be.
            (_, Ty::Num) => self.double_of(val),
            (_, Ty::Int) => {
                let number = self.double_of(val);
                self.b
                    .convert(ConvOp::FToSSat, Type::F64, Type::I64, number)
                    .into()
            }
            (_, Ty::Bool) => self.truth(val),
        }
    }

    /// As a word.
    pub(super) fn word_of(&mut self, val: Val) -> Operand {
        match val.ty {
            Ty::Value | Ty::Never | Ty::Str => val.op,
            Ty::Bool => match val.constant() {
                Some(0) => Operand::Imm(word::FALSE),
                Some(_) => Operand::Imm(word::TRUE),
                None => {
                    let (yes, no) = (Operand::Imm(word::TRUE), Operand::Imm(word::FALSE));
                    self.b.select(Type::Value, val.op, yes, no).into()
                }
            },
            Ty::Int | Ty::Num => {
                let number = self.double_of(val);
                match number {
                    Operand::Imm(_) => number,
                    _ => self
                        .b
                        .convert(ConvOp::Bitcast, Type::F64, Type::Value, number)
                        .into(),
                }
            }
        }
    }

    /// As a double; throws "Operands must be numbers." if it is no number.
    pub(super) fn double_of(&mut self, val: Val) -> Operand {
        let val = self.known(val);
        match (val.ty, val.constant()) {
            (Ty::Num, _) => val.op,
            (Ty::Int, Some(bits)) => Operand::Imm((bits as i64 as f64).to_bits()),
            (Ty::Int, None) => self
                .b
                .convert(ConvOp::SToF, Type::I64, Type::F64, val.op)
                .into(),
            (Ty::Value, Some(bits)) if bits < word::DOUBLES_END => val.op,
            (Ty::Value, None) if self.worth_inlining() => self.unbox(val.op),
            (Ty::Bool | Ty::Never | Ty::Str | Ty::Value, _) => {
                let word = self.word_of(val);
                self.call_row(rows::TO_F64, &[word])
            }
        }
    }

    /// The double in a word; anything else is looked at by the library.
    fn unbox(&mut self, value: Operand) -> Operand {
        let result = self.merge(Ty::Num);
        let (double, other, done) = (
            self.b.new_block("double"),
            self.cold_block("other"),
            self.b.new_block("number"),
        );
        let bits = self.bits(value);
        let is_double = self
            .b
            .cmp(CmpOp::Ult, Type::I64, bits, Operand::Imm(word::DOUBLES_END));
        self.b.branch(is_double, double, other);
        self.b.switch_to_block(double);
        self.b
            .convert_into(result, ConvOp::Bitcast, Type::I64, bits);
        self.b.jump(done);
        self.b.switch_to_block(other);
        self.b.intrinsic_into(Some(result), rows::TO_F64, &[value]);
        self.b.jump(done);
        self.b.switch_to_block(done);
        self.known.is_number(value, result);
        result.into()
    }

    /// The number in a word that is certainly a number, an integer word as likely as a double.
    pub(super) fn unbox_number(&mut self, value: Operand, ty: Ty) -> Val {
        let result = self.merge(ty);
        let (double, int, done) = (
            self.b.new_block("double"),
            self.b.new_block("int"),
            self.b.new_block("number"),
        );
        let bits = self.bits(value);
        let is_double = self
            .b
            .cmp(CmpOp::Ult, Type::I64, bits, Operand::Imm(word::DOUBLES_END));
        self.b.branch(is_double, double, int);
        self.b.switch_to_block(double);
        if ty == Ty::Int {
            let number = self.b.convert(ConvOp::Bitcast, Type::I64, Type::F64, bits);
            self.b
                .convert_into(result, ConvOp::FToSSat, Type::F64, number);
        } else {
            self.b
                .convert_into(result, ConvOp::Bitcast, Type::I64, bits);
        }
        self.b.jump(done);
        self.b.switch_to_block(int);
        let low = self.b.convert(ConvOp::Trunc, Type::I64, Type::I32, bits);
        match ty {
            Ty::Int => self.b.convert_into(result, ConvOp::Sext, Type::I32, low),
            _ => self.b.convert_into(result, ConvOp::SToF, Type::I32, low),
        }
        self.b.jump(done);
        self.b.switch_to_block(done);
        Val {
            ty,
            op: result.into(),
        }
    }

    /// `fmod(a, b)` where `b` is not zero. Natural numbers are divided as integers.
    pub(super) fn remainder(&mut self, a: Val, b: Val) -> Val {
        let (x, y) = (self.double_of(a), self.double_of(b));
        if (b.ty == Ty::Num && b.constant().is_some()) || !self.worth_inlining() {
            return Val::num(self.call_row(rows::REM_F64, &[x, y]));
        }
        let result = self.merge(Ty::Num);
        let (slow, done) = (self.cold_block("fmod"), self.b.new_block("rem"));
        let mut ints = [Operand::Imm(0); 2];
        for (int, (val, number)) in ints.iter_mut().zip([(a, x), (b, y)]) {
            *int = self.natural(val, number, slow);
        }
        // The divisor is a natural number and not zero, so this cannot fault; the check that the
        // code generator adds for a divisor that is no constant is never taken.
        let rest = self.b.binary(BinOp::URem, Type::I64, ints[0], ints[1]);
        self.b.convert_into(result, ConvOp::SToF, Type::I64, rest);
        self.b.jump(done);
        self.b.switch_to_block(slow);
        self.b.intrinsic_into(Some(result), rows::REM_F64, &[x, y]);
        self.b.jump(done);
        self.b.switch_to_block(done);
        Val::num(result)
    }

    /// The integer of a number that is natural and exact; any other goes to `slow`.
    fn natural(&mut self, val: Val, number: Operand, slow: BlockId) -> Operand {
        /// Bit pattern of 2^53: positive doubles are ordered like their bits.
        const EXACT_END: u64 = 0x4340_0000_0000_0000;
        let next = self.b.new_block("natural");
        let whole = match (val.ty, val.constant()) {
            (Ty::Int, Some(bits)) if bits as i64 >= 0 => {
                self.b.jump(next);
                val.op
            }
            (Ty::Int, _) => {
                let natural = self.b.cmp(CmpOp::Sge, Type::I64, val.op, Operand::Imm(0));
                self.b.branch(natural, next, slow);
                val.op
            }
            _ => {
                let exact = self.b.new_block("exact");
                let bits = self
                    .b
                    .convert(ConvOp::Bitcast, Type::F64, Type::I64, number);
                let small = self
                    .b
                    .cmp(CmpOp::Ult, Type::I64, bits, Operand::Imm(EXACT_END));
                self.b.branch(small, exact, slow);
                self.b.switch_to_block(exact);
                let whole = self
                    .b
                    .convert(ConvOp::FToSSat, Type::F64, Type::I64, number);
                let back = self.b.convert(ConvOp::SToF, Type::I64, Type::F64, whole);
                let same = self.b.cmp(CmpOp::FEq, Type::F64, back, number);
                self.b.branch(same, next, slow);
                whole.into()
            }
        };
        self.b.switch_to_block(next);
        whole
    }
}
