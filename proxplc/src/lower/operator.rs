//! Operators.

use asr_codegen::air::{BinOp, CmpOp, ConvOp, Operand, Type, UnOp};

use super::func::FuncLower;
use super::rows::Failure;
use super::{Val, rows, word};
use crate::analysis::hir::{Expr, ExprKind, Link, VarId};
use crate::analysis::infer::{Ty, is_step};
use crate::syntax::ast::{BinaryOp, UnaryOp};

impl FuncLower<'_, '_> {
    /// `left op right`, where `left` is evaluated.
    pub(super) fn link(&mut self, left: Val, link: &Link) -> Val {
        let left = self.pin(left, link.right.assigns);
        let right = self.expr(&link.right);
        self.set_span(link.span);
        if left.ty == Ty::Int && is_step(&link.right) {
            let op = match link.op {
                BinaryOp::Add => Some(BinOp::Add),
                BinaryOp::Sub => Some(BinOp::Sub),
                _ => None,
            };
            if let Some(op) = op {
                return Val::int(self.b.binary(op, Type::I64, left.op, right.op));
            }
        }
        self.binary(link.op, left, right)
    }

    /// `i = i + step` of a local counter, as the one instruction that the probe pass looks for.
    pub(super) fn count_up(&mut self, var: VarId, value: &Expr) -> Option<Val> {
        let ExprKind::Chain(first, links) = &value.kind else {
            return None;
        };
        let ([link], ExprKind::Var(from)) = (&links[..], &first.kind) else {
            return None;
        };
        let ExprKind::Number(step) = link.right.kind else {
            return None;
        };
        let is_local = self.shared.globals[var.0 as usize].is_none();
        if *from != var
            || !is_local
            || self.shared.types.var(var) != Ty::Int
            || !is_step(&link.right)
        {
            return None;
        }
        let op = match link.op {
            BinaryOp::Add => BinOp::Add,
            BinaryOp::Sub => BinOp::Sub,
            _ => return None,
        };
        let local = self.local(var);
        self.set_span(link.span);
        self.b.binary_into(local, op, local, step as i64);
        Some(Val::int(local))
    }

    /// An operator on two evaluated operands.
    pub(super) fn binary(&mut self, op: BinaryOp, left: Val, right: Val) -> Val {
        use BinaryOp::*;
        let (left, right) = (self.known(left), self.known(right));
        match op {
            Add => self.add(left, right),
            Sub => self.arithmetic(BinOp::FSub, left, right),
            Mul => self.arithmetic(BinOp::FMul, left, right),
            Div | Rem => {
                let (a, b) = (self.number_of(left), self.number_of(right));
                let failure = if op == Div {
                    Failure::DivisionByZero
                } else {
                    Failure::ModuloByZero
                };
                self.refuse_zero(b, failure);
                match op {
                    Div => self.arithmetic(BinOp::FDiv, a, b),
                    _ => self.remainder(a, b),
                }
            }
            Pow => {
                let (a, b) = (self.number_of(left), self.number_of(right));
                let (a, b) = (self.double_of(a), self.double_of(b));
                Val::num(self.call_row(rows::POW_F64, &[a, b]))
            }
            Eq | Ne => Val::bool(self.equality(op, left, right)),
            Lt | Le | Gt | Ge => self.comparison(op, left, right),
            BitAnd => self.bitwise(rows::BIT_AND, left, right),
            BitOr => self.bitwise(rows::BIT_OR, left, right),
            BitXor => self.bitwise(rows::BIT_XOR, left, right),
            Shl => self.bitwise(rows::SHL, left, right),
            Shr => self.bitwise(rows::SHR, left, right),
        }
    }

    /// A number in a typed representation; throws if it is none.
    fn number_of(&mut self, val: Val) -> Val {
        if val.ty.is_number() {
            val
        } else {
            Val::num(self.double_of(val))
        }
    }

    fn arithmetic(&mut self, op: BinOp, left: Val, right: Val) -> Val {
        let (a, b) = (self.double_of(left), self.double_of(right));
        Val::num(self.b.binary(op, Type::F64, a, b))
    }

    fn refuse_zero(&mut self, divisor: Val, failure: Failure) {
        let (op, ty, zero) = match (divisor.ty, divisor.constant()) {
            (Ty::Int, Some(bits)) if bits != 0 => return,
            (Ty::Num, Some(bits)) if f64::from_bits(bits) != 0.0 => return,
            (Ty::Int, _) => (CmpOp::Eq, Type::I64, Operand::Imm(0)),
            _ => (CmpOp::FEq, Type::F64, Operand::Imm(0)),
        };
        let (zero_block, fine) = (self.cold_block("zero"), self.b.new_block("nonzero"));
        let is_zero = self.b.cmp(op, ty, divisor.op, zero);
        self.b.branch(is_zero, zero_block, fine);
        self.b.switch_to_block(zero_block);
        self.fail(failure, [0, 0], b"");
        self.b.switch_to_block(fine);
    }

    /// Throw one of the errors of the language, and end the block.
    pub(super) fn fail(&mut self, failure: Failure, numbers: [u64; 2], name: &[u8]) {
        let [ptr, len] = self.constant_bytes(name);
        let kind = Operand::Imm(failure as u64);
        let args = [
            kind,
            Operand::Imm(numbers[0]),
            Operand::Imm(numbers[1]),
            ptr,
            len,
        ];
        self.b.intrinsic_into(None, rows::FAIL, &args);
        self.b.unreachable();
    }

    fn add(&mut self, left: Val, right: Val) -> Val {
        if left.ty.is_number() && right.ty.is_number() {
            return self.arithmetic(BinOp::FAdd, left, right);
        }
        let (a, b) = (self.word_of(left), self.word_of(right));
        if left.ty == Ty::Str || right.ty == Ty::Str {
            return Val {
                ty: Ty::Str,
                op: self.call_row(rows::ADD, &[a, b]),
            };
        }
        if self.is_singleton(left) || self.is_singleton(right) || !self.worth_inlining() {
            return Val::value(self.call_row(rows::ADD, &[a, b]));
        }
        let result = self.merge(Ty::Value);
        let (slow, done) = (self.cold_block("add"), self.b.new_block("sum"));
        let mut numbers = [Operand::Imm(0); 2];
        for (number, (val, word)) in numbers.iter_mut().zip([(left, a), (right, b)]) {
            if val.ty.is_number() {
                *number = self.double_of(val);
                continue;
            }
            let next = self.b.new_block("double");
            let bits = self.bits(word);
            let double = self
                .b
                .cmp(CmpOp::Ult, Type::I64, bits, Operand::Imm(word::DOUBLES_END));
            self.b.branch(double, next, slow);
            self.b.switch_to_block(next);
            *number = self
                .b
                .convert(ConvOp::Bitcast, Type::I64, Type::F64, bits)
                .into();
        }
        let sum = self
            .b
            .binary(BinOp::FAdd, Type::F64, numbers[0], numbers[1]);
        self.b.convert_into(result, ConvOp::Bitcast, Type::F64, sum);
        self.b.jump(done);
        self.b.switch_to_block(slow);
        self.b.intrinsic_into(Some(result), rows::ADD, &[a, b]);
        self.b.jump(done);
        self.b.switch_to_block(done);
        Val::value(result)
    }

    /// Whether it is certainly null or a truth value.
    fn is_singleton(&self, val: Val) -> bool {
        val.ty == Ty::Bool
            || val
                .constant()
                .is_some_and(|bits| val.ty == Ty::Value && bits >= word::NUMBERS_END)
    }

    fn comparison(&mut self, op: BinaryOp, left: Val, right: Val) -> Val {
        let ints = left.ty == Ty::Int && right.ty == Ty::Int;
        let op = match (op, ints) {
            (BinaryOp::Lt, true) => CmpOp::Slt,
            (BinaryOp::Le, true) => CmpOp::Sle,
            (BinaryOp::Gt, true) => CmpOp::Sgt,
            (_, true) => CmpOp::Sge,
            (BinaryOp::Lt, false) => CmpOp::FLt,
            (BinaryOp::Le, false) => CmpOp::FLe,
            (BinaryOp::Gt, false) => CmpOp::FGt,
            (_, false) => CmpOp::FGe,
        };
        if ints {
            return Val::bool(self.b.cmp(op, Type::I64, left.op, right.op));
        }
        let (a, b) = (self.double_of(left), self.double_of(right));
        Val::bool(self.b.cmp(op, Type::F64, a, b))
    }

    /// `==` or `!=`, as a `bool`.
    pub(super) fn equality(&mut self, op: BinaryOp, left: Val, right: Val) -> Operand {
        let equal = op == BinaryOp::Eq;
        let typed = match (left.ty, right.ty) {
            (Ty::Int, Ty::Int) => Some((CmpOp::Eq, CmpOp::Ne, Type::I64)),
            (Ty::Bool, Ty::Bool) => Some((CmpOp::Eq, CmpOp::Ne, Type::Bool)),
            _ => None,
        };
        if let Some((eq, ne, ty)) = typed {
            return self
                .b
                .cmp(if equal { eq } else { ne }, ty, left.op, right.op)
                .into();
        }
        if left.ty.is_number() && right.ty.is_number() {
            let (a, b) = (self.double_of(left), self.double_of(right));
            let op = if equal { CmpOp::FEq } else { CmpOp::FNe };
            return self.b.cmp(op, Type::F64, a, b).into();
        }
        let (a, b) = (self.word_of(left), self.word_of(right));
        // Null and the truth values are equal to their own word only.
        if self.is_singleton(left) || self.is_singleton(right) {
            let op = if equal { CmpOp::Eq } else { CmpOp::Ne };
            return self.b.cmp(op, Type::Value, a, b).into();
        }
        let same = self.call_row(rows::EQ, &[a, b]);
        if equal {
            same
        } else {
            self.b.unary(UnOp::Not, Type::Bool, same).into()
        }
    }

    fn bitwise(&mut self, row: &str, left: Val, right: Val) -> Val {
        let (a, b) = (self.word_of(left), self.word_of(right));
        let word = self.call_row(row, &[a, b]);
        self.unbox_number(word, Ty::Num)
    }

    pub(super) fn unary(&mut self, op: UnaryOp, operand: &Expr) -> Val {
        if let (UnaryOp::Neg, ExprKind::Number(number)) = (op, &operand.kind) {
            return self.number(-number);
        }
        let span = operand.span;
        let val = self.expr(operand);
        let val = self.known(val);
        self.set_span(span);
        match op {
            UnaryOp::Not => {
                let truth = self.truth(val);
                match truth {
                    Operand::Imm(bits) => Val::bool(Operand::Imm(bits ^ 1)),
                    _ => Val::bool(self.b.unary(UnOp::Not, Type::Bool, truth)),
                }
            }
            UnaryOp::Neg if val.ty.is_number() => {
                let number = self.double_of(val);
                Val::num(self.b.unary(UnOp::FNeg, Type::F64, number))
            }
            UnaryOp::Neg | UnaryOp::BitNot => {
                let word = self.word_of(val);
                let row = if op == UnaryOp::Neg {
                    rows::NEG
                } else {
                    rows::BIT_NOT
                };
                let result = self.call_row(row, &[word]);
                self.unbox_number(result, Ty::Num)
            }
        }
    }
}
