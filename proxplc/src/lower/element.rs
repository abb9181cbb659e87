//! Elements of lists, inline: `l[i]`, `l[i] = v`, `len(l)`.
//!
//! The fast path looks into the list itself; whatever is no list, no natural index below the
//! length, or no double goes to the library, which knows the rest of the rules and the messages.

use asr_codegen::air::{BinOp, BlockId, CmpOp, ConvOp, LocalId, Operand, Type};

use super::func::FuncLower;
use super::{Val, rows, word};
use crate::analysis::infer::Ty;

impl FuncLower<'_, '_> {
    /// `object[index]`
    pub(super) fn element(&mut self, object: Val, index: Val) -> Val {
        let (list, key) = (self.word_of(object), self.word_of(index));
        if !self.worth_inlining() {
            return Val::value(self.call_row(rows::INDEX, &[list, key]));
        }
        let result = self.merge(Ty::Value);
        let (slow, done) = (self.cold_block("index"), self.b.new_block("element"));
        let address = self.item(list, index, slow);
        self.b.load_into(result, address, 0);
        self.b.jump(done);
        self.b.switch_to_block(slow);
        self.b
            .intrinsic_into(Some(result), rows::INDEX, &[list, key]);
        self.b.jump(done);
        self.b.switch_to_block(done);
        Val::value(result)
    }

    /// `object[index] = value`
    pub(super) fn set_element(&mut self, object: Val, index: Val, value: Val) {
        let (list, key, new) = (
            self.word_of(object),
            self.word_of(index),
            self.word_of(value),
        );
        if !self.worth_inlining() {
            self.b
                .intrinsic_into(None, rows::INDEX_SET, &[list, key, new]);
            return;
        }
        let (slow, done) = (self.cold_block("index"), self.b.new_block("stored"));
        let address = self.item(list, index, slow);
        self.b.store(Type::Value, new, address, 0);
        self.b.jump(done);
        self.b.switch_to_block(slow);
        self.b
            .intrinsic_into(None, rows::INDEX_SET, &[list, key, new]);
        self.b.jump(done);
        self.b.switch_to_block(done);
    }

    /// The length of a list; any other value goes to `slow`.
    pub(super) fn list_len(&mut self, list: Operand, slow: BlockId) -> LocalId {
        let address = self.list_address(list, slow);
        self.b.load(Type::I64, address, word::LIST_LEN)
    }

    /// The address of a list; any other value goes to `slow`.
    fn list_address(&mut self, value: Operand, slow: BlockId) -> LocalId {
        let (object, list) = (self.b.new_block("object"), self.b.new_block("list"));
        let bits = self.bits(value);
        let untagged = self
            .b
            .binary(BinOp::Xor, Type::I64, bits, Operand::Imm(word::OBJECT_TAG));
        let is_object = self.b.cmp(
            CmpOp::Ult,
            Type::I64,
            untagged,
            Operand::Imm(word::ADDRESS_END),
        );
        self.b.branch(is_object, object, slow);
        self.b.switch_to_block(object);
        let address = self
            .b
            .convert(ConvOp::Bitcast, Type::I64, Type::Ptr, untagged);
        let kind = self.b.load(Type::I32, address, word::KIND);
        let is_list = self
            .b
            .cmp(CmpOp::Eq, Type::I32, kind, Operand::Imm(word::KIND_LIST));
        self.b.branch(is_list, list, slow);
        self.b.switch_to_block(list);
        address
    }

    /// The address of an item of a list; anything unusual goes to `slow`.
    fn item(&mut self, list: Operand, index: Val, slow: BlockId) -> LocalId {
        let address = self.list_address(list, slow);
        let index = self.position(index, slow);
        let len = self.b.load(Type::I64, address, word::LIST_LEN);
        let inside = self.b.new_block("inside");
        let is_inside = self.b.cmp(CmpOp::Ult, Type::I64, index, len);
        self.b.branch(is_inside, inside, slow);
        self.b.switch_to_block(inside);
        let items = self.b.load(Type::I64, address, word::LIST_ITEMS);
        let offset = self.b.binary(BinOp::Shl, Type::I64, index, Operand::Imm(3));
        let item = self.b.binary(BinOp::Add, Type::I64, items, offset);
        self.b.convert(ConvOp::Bitcast, Type::I64, Type::Ptr, item)
    }

    /// The integer of an index; one that is no whole double goes to `slow`.
    fn position(&mut self, index: Val, slow: BlockId) -> Operand {
        let number = match index.ty {
            Ty::Int => return index.op,
            Ty::Num => index.op,
            _ => {
                let next = self.b.new_block("double");
                let word = self.word_of(index);
                let bits = self.bits(word);
                let end = Operand::Imm(word::DOUBLES_END);
                let double = self.b.cmp(CmpOp::Ult, Type::I64, bits, end);
                self.b.branch(double, next, slow);
                self.b.switch_to_block(next);
                self.b
                    .convert(ConvOp::Bitcast, Type::I64, Type::F64, bits)
                    .into()
            }
        };
        let whole = self
            .b
            .convert(ConvOp::FToSSat, Type::F64, Type::I64, number);
        let back = self.b.convert(ConvOp::SToF, Type::I64, Type::F64, whole);
        let next = self.b.new_block("whole");
        let same = self.b.cmp(CmpOp::FEq, Type::F64, back, number);
        self.b.branch(same, next, slow);
        self.b.switch_to_block(next);
        whole.into()
    }
}
