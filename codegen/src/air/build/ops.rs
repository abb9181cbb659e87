//! A method per instruction. Each returns the fresh local with its result; `..._into` assigns an
//! existing one and takes the type from it.

use super::function::FunctionBuilder;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::ops::*;
use crate::air::types::{Signature, Type};

/// Something that stands for an operand: a local, or a Rust number.
type In = Operand;

macro_rules! binary_methods {
    ($($(#[doc = $doc:literal])* $name:ident, $into:ident = $op:ident;)*) => {
        impl FunctionBuilder<'_> { $(
            $(#[doc = $doc])*
            pub fn $name(&mut self, ty: Type, a: impl Into<In>, b: impl Into<In>) -> LocalId {
                self.binary(BinOp::$op, ty, a, b)
            }

            #[doc = concat!("Like [`Self::", stringify!($name), "`], into `dst`.")]
            pub fn $into(&mut self, dst: LocalId, a: impl Into<In>, b: impl Into<In>) {
                self.binary_into(dst, BinOp::$op, a, b);
            }
        )* }
    };
}

binary_methods! {
    /// `a + b`, wrapping.
    add, add_into = Add;
    /// `a - b`, wrapping.
    sub, sub_into = Sub;
    /// `a * b`, wrapping.
    mul, mul_into = Mul;
    /// Signed `a / b`.
    sdiv, sdiv_into = SDiv;
    /// Unsigned `a / b`.
    udiv, udiv_into = UDiv;
    /// Signed `a % b`.
    srem, srem_into = SRem;
    /// Unsigned `a % b`.
    urem, urem_into = URem;
    /// `a & b`.
    and, and_into = And;
    /// `a | b`.
    or, or_into = Or;
    /// `a ^ b`.
    xor, xor_into = Xor;
    /// `a << b`.
    shl, shl_into = Shl;
    /// Arithmetic `a >> b`.
    sshr, sshr_into = SShr;
    /// Logical `a >> b`.
    ushr, ushr_into = UShr;
    /// Float sum.
    fadd, fadd_into = FAdd;
    /// Float difference.
    fsub, fsub_into = FSub;
    /// Float product.
    fmul, fmul_into = FMul;
    /// Float quotient.
    fdiv, fdiv_into = FDiv;
}

impl FunctionBuilder<'_> {
    /// A copy of `src` in a fresh local.
    pub fn copy(&mut self, ty: Type, src: impl Into<In>) -> LocalId {
        let dst = self.temp(ty);
        self.copy_into(dst, src);
        dst
    }

    /// `dst = src`
    pub fn copy_into(&mut self, dst: LocalId, src: impl Into<In>) {
        let (ty, src) = (self.type_of(dst), src.into());
        self.emit(Op::Copy { ty, dst, src });
    }

    /// A unary operator.
    pub fn unary(&mut self, op: UnOp, ty: Type, src: impl Into<In>) -> LocalId {
        let dst = self.temp(ty);
        self.unary_into(dst, op, src);
        dst
    }

    /// A unary operator, into `dst`.
    pub fn unary_into(&mut self, dst: LocalId, op: UnOp, src: impl Into<In>) {
        let (ty, src) = (self.type_of(dst), src.into());
        self.emit(Op::Unary { op, ty, dst, src });
    }

    /// A binary operator.
    pub fn binary(&mut self, op: BinOp, ty: Type, a: impl Into<In>, b: impl Into<In>) -> LocalId {
        let dst = self.temp(ty);
        self.binary_into(dst, op, a, b);
        dst
    }

    /// A binary operator, into `dst`.
    pub fn binary_into(&mut self, dst: LocalId, op: BinOp, a: impl Into<In>, b: impl Into<In>) {
        let (ty, a, b) = (self.type_of(dst), a.into(), b.into());
        self.emit(Op::Binary { op, ty, dst, a, b });
    }

    /// Signed arithmetic with a flag: the wrapped result and whether it overflowed.
    pub fn overflow(
        &mut self,
        op: OverflowOp,
        ty: Type,
        a: impl Into<In>,
        b: impl Into<In>,
    ) -> (LocalId, LocalId) {
        let (dst, flag) = (self.temp(ty), self.temp(Type::Bool));
        let (a, b) = (a.into(), b.into());
        self.emit(Op::Overflow {
            op,
            ty,
            dst,
            flag,
            a,
            b,
        });
        (dst, flag)
    }

    /// A comparison of two operands of type `ty`.
    pub fn cmp(&mut self, op: CmpOp, ty: Type, a: impl Into<In>, b: impl Into<In>) -> LocalId {
        let dst = self.temp(Type::Bool);
        self.cmp_into(dst, op, ty, a, b);
        dst
    }

    /// A comparison, into `dst`.
    pub fn cmp_into(
        &mut self,
        dst: LocalId,
        op: CmpOp,
        ty: Type,
        a: impl Into<In>,
        b: impl Into<In>,
    ) {
        let (a, b) = (a.into(), b.into());
        self.emit(Op::Compare { op, ty, dst, a, b });
    }

    /// A conversion.
    pub fn convert(&mut self, op: ConvOp, from: Type, to: Type, src: impl Into<In>) -> LocalId {
        let dst = self.temp(to);
        self.convert_into(dst, op, from, src);
        dst
    }

    /// A conversion, into `dst`.
    pub fn convert_into(&mut self, dst: LocalId, op: ConvOp, from: Type, src: impl Into<In>) {
        let (to, src) = (self.type_of(dst), src.into());
        self.emit(Op::Convert {
            op,
            from,
            to,
            dst,
            src,
        });
    }

    /// `a` if `cond`, else `b`.
    pub fn select(
        &mut self,
        ty: Type,
        cond: impl Into<In>,
        a: impl Into<In>,
        b: impl Into<In>,
    ) -> LocalId {
        let dst = self.temp(ty);
        let (cond, a, b) = (cond.into(), a.into(), b.into());
        self.emit(Op::Select {
            ty,
            dst,
            cond,
            a,
            b,
        });
        dst
    }

    /// Loads from `addr + offset`.
    pub fn load(&mut self, ty: Type, addr: impl Into<In>, offset: i32) -> LocalId {
        let dst = self.temp(ty);
        self.load_into(dst, addr, offset);
        dst
    }

    /// Loads into `dst`.
    pub fn load_into(&mut self, dst: LocalId, addr: impl Into<In>, offset: i32) {
        let (ty, addr) = (self.type_of(dst), addr.into());
        self.emit(Op::Load {
            ty,
            dst,
            addr,
            offset,
        });
    }

    /// Stores `src` at `addr + offset`.
    pub fn store(&mut self, ty: Type, src: impl Into<In>, addr: impl Into<In>, offset: i32) {
        let (src, addr) = (src.into(), addr.into());
        self.emit(Op::Store {
            ty,
            src,
            addr,
            offset,
        });
    }

    /// The value of a global.
    pub fn global_get(&mut self, global: GlobalId) -> LocalId {
        let ty = self.module().module().globals[global.index()].ty;
        let dst = self.temp(ty);
        self.emit(Op::GlobalGet { dst, global });
        dst
    }

    /// Assigns a global.
    pub fn global_set(&mut self, global: GlobalId, src: impl Into<In>) {
        let src = src.into();
        self.emit(Op::GlobalSet { global, src });
    }

    /// The address of constant bytes.
    pub fn data_addr(&mut self, data: DataId) -> LocalId {
        let dst = self.temp(Type::Ptr);
        self.emit(Op::DataAddr { dst, data });
        dst
    }

    /// The address of a function, for indirect calls.
    pub fn func_addr(&mut self, func: FuncId) -> LocalId {
        let dst = self.temp(Type::Ptr);
        self.emit(Op::FuncAddr { dst, func });
        dst
    }

    /// The address of a stack slot of this activation.
    pub fn slot_addr(&mut self, slot: SlotId) -> LocalId {
        let dst = self.temp(Type::Ptr);
        self.emit(Op::SlotAddr { dst, slot });
        dst
    }

    /// Faults unless `index < len`, unsigned.
    pub fn check_bounds(&mut self, ty: Type, index: impl Into<In>, len: impl Into<In>) {
        let (index, len) = (index.into(), len.into());
        self.emit(Op::CheckBounds { ty, index, len });
    }

    /// Faults when `addr` is null.
    pub fn check_null(&mut self, addr: impl Into<In>) {
        let addr = addr.into();
        self.emit(Op::CheckNull { addr });
    }

    /// A probe that the front end asks for.
    pub fn probe(&mut self) {
        self.emit(Op::Probe {
            kind: ProbeKind::Explicit,
        });
    }

    /// Calls a function of the module; the result is in a fresh local, if it has one.
    pub fn call(&mut self, func: FuncId, args: &[Operand]) -> Option<LocalId> {
        let ret = self.module().module().funcs[func.index()].ret;
        let dst = ret.map(|ty| self.temp(ty));
        self.call_into(dst, func, args);
        dst
    }

    /// Calls a function of the module, into `dst`; `None` ignores the result.
    pub fn call_into(&mut self, dst: Option<LocalId>, func: FuncId, args: &[Operand]) {
        self.emit(Op::Call {
            dst,
            func,
            args: args.into(),
        });
    }

    /// Calls an address with a signature.
    pub fn call_indirect(
        &mut self,
        sig: &Signature,
        callee: impl Into<In>,
        args: &[Operand],
    ) -> Option<LocalId> {
        let dst = sig.ret.map(|ty| self.temp(ty));
        let (sig, callee) = (self.module().sig(sig), callee.into());
        self.emit(Op::CallIndirect {
            dst,
            sig,
            callee,
            args: args.into(),
        });
        dst
    }

    /// Calls a foreign C function.
    pub fn call_extern(&mut self, func: ExternId, args: &[Operand]) -> Option<LocalId> {
        let ret = self.module().module().externs[func.index()].sig.ret;
        let dst = ret.map(|ty| self.temp(ty));
        self.emit(Op::CallExtern {
            dst,
            func,
            args: args.into(),
        });
        dst
    }

    /// Calls a row of an imported table. (The verifier reports a row that no table has; here it
    /// gives no result.)
    pub fn intrinsic(&mut self, row: &str, args: &[Operand]) -> Option<LocalId> {
        let ret = self
            .module()
            .row(row)
            .and_then(|row| Type::of_row(row.result));
        let dst = ret.map(|ty| self.temp(ty));
        self.intrinsic_into(dst, row, args);
        dst
    }

    /// Calls a row, into `dst`; `None` ignores the result.
    pub fn intrinsic_into(&mut self, dst: Option<LocalId>, row: &str, args: &[Operand]) {
        self.emit(Op::Intrinsic {
            dst,
            row: row.into(),
            args: args.into(),
        });
    }

    /// Ends with a jump.
    pub fn jump(&mut self, to: BlockId) {
        self.terminate(Term::Jump(to));
    }

    /// Ends with a branch: `then` if `cond`, else `or`.
    pub fn branch(&mut self, cond: impl Into<In>, then: BlockId, or: BlockId) {
        let cond = cond.into();
        self.terminate(Term::Branch { cond, then, or });
    }

    /// Ends with a switch.
    pub fn switch(
        &mut self,
        ty: Type,
        value: impl Into<In>,
        cases: Vec<(i64, BlockId)>,
        default: BlockId,
    ) {
        let value = value.into();
        self.terminate(Term::Switch {
            ty,
            value,
            cases,
            default,
        });
    }

    /// Ends with a return.
    pub fn ret(&mut self, value: Option<Operand>) {
        self.terminate(Term::Return(value));
    }

    /// Ends with a throw, along the current edge.
    pub fn throw(&mut self, value: impl Into<In>) {
        let (value, edge) = (value.into(), self.edge());
        self.terminate(Term::Throw { value, edge });
    }

    /// Goes on with a failure that a cleanup block received, along the current edge.
    pub fn raise(&mut self, value: impl Into<In>, status: impl Into<In>) {
        let (value, status, edge) = (value.into(), status.into(), self.edge());
        self.terminate(Term::Raise {
            value,
            status,
            edge,
        });
    }

    /// Ends with `unreachable`, along the current edge.
    pub fn unreachable(&mut self) {
        let edge = self.edge();
        self.terminate(Term::Unreachable { edge });
    }
}
