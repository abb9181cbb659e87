//! Operands, results and calls of instructions.

use super::{Checker, Here, operators};
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::types::{Signature, Type};

impl Checker<'_> {
    pub(super) fn inst(&mut self, here: Here<'_>, inst: &Inst) {
        self.op(here, &inst.op);
        if !inst.edge.is_none() {
            self.edge(here, &inst.edge);
            let fails = match &inst.op {
                Op::Intrinsic { row, .. } => self.rows.get(row).is_none_or(|r| r.can_fail()),
                op => op.may_fail(),
            };
            if !fails {
                let message = "this instruction cannot fail; remove its edge";
                self.error(code::USELESS_EDGE, here.place(), message);
            }
        }
    }

    fn op(&mut self, here: Here<'_>, op: &Op) {
        use Type::{Bool, Ptr};
        match op {
            Op::Copy { ty, dst, src } => {
                self.dst(here, *dst, *ty);
                self.operand(here, *src, *ty);
            }
            Op::Unary { op, ty, dst, src } => {
                self.takes(here, op.name(), operators::unary(*op, *ty), *ty);
                self.dst(here, *dst, *ty);
                self.operand(here, *src, *ty);
            }
            Op::Binary { op, ty, dst, a, b } => {
                self.takes(here, op.name(), operators::binary(*op, *ty), *ty);
                self.dst(here, *dst, *ty);
                self.operands(here, &[*a, *b], *ty);
            }
            Op::Overflow {
                op,
                ty,
                dst,
                flag,
                a,
                b,
            } => {
                self.takes(here, op.name(), ty.is_int(), *ty);
                self.dst(here, *dst, *ty);
                self.dst(here, *flag, Bool);
                self.operands(here, &[*a, *b], *ty);
            }
            Op::Compare { op, ty, dst, a, b } => {
                self.takes(here, op.name(), operators::compare(*op, *ty), *ty);
                self.dst(here, *dst, Bool);
                self.operands(here, &[*a, *b], *ty);
            }
            Op::Convert {
                op,
                from,
                to,
                dst,
                src,
            } => {
                self.no_handle(here, *from, "is converted");
                self.no_handle(here, *to, "is made of other bits");
                if !operators::convert(*op, *from, *to) {
                    let message = format!("`{}` does not convert {from} to {to}", op.name());
                    self.error(code::TYPE_MISMATCH, here.place(), message);
                }
                self.dst(here, *dst, *to);
                self.operand(here, *src, *from);
            }
            Op::Select {
                ty,
                dst,
                cond,
                a,
                b,
            } => {
                self.no_handle(here, *ty, "is selected");
                self.dst(here, *dst, *ty);
                self.operand(here, *cond, Bool);
                self.operands(here, &[*a, *b], *ty);
            }
            Op::Load { ty, dst, addr, .. } => {
                self.no_handle(here, *ty, "is in memory");
                self.dst(here, *dst, *ty);
                self.operand(here, *addr, Ptr);
            }
            Op::Store { ty, src, addr, .. } => {
                self.no_handle(here, *ty, "is in memory");
                self.operand(here, *src, *ty);
                self.operand(here, *addr, Ptr);
            }
            Op::GlobalGet { dst, global } => {
                if let Some(ty) = self.global(here, *global) {
                    self.dst(here, *dst, ty);
                }
            }
            Op::GlobalSet { global, src } => {
                if let Some(ty) = self.global(here, *global) {
                    self.operand(here, *src, ty);
                }
            }
            Op::DataAddr { dst, data } => {
                self.dst(here, *dst, Ptr);
                self.in_range(here, data.index(), self.module.data.len(), "data");
            }
            Op::FuncAddr { dst, func } => {
                self.dst(here, *dst, Ptr);
                self.in_range(here, func.index(), self.module.funcs.len(), "function");
            }
            Op::SlotAddr { dst, slot } => {
                self.dst(here, *dst, Ptr);
                self.in_range(here, slot.index(), here.func.slots.len(), "slot");
            }
            Op::CheckBounds { ty, index, len } => {
                self.takes(here, "check.bounds", ty.is_int(), *ty);
                self.operands(here, &[*index, *len], *ty);
            }
            Op::CheckNull { addr } => self.operand(here, *addr, Ptr),
            Op::Call { dst, func, args } => {
                if self.in_range(here, func.index(), self.module.funcs.len(), "function") {
                    self.colour(here, *func, false);
                    let sig = self.module.funcs[func.index()].signature();
                    self.call(here, &sig, *dst, args);
                }
            }
            Op::Await { .. }
            | Op::AwaitIndirect { .. }
            | Op::Spawn { .. }
            | Op::SpawnIndirect { .. } => self.concurrent(here, op),
            Op::CallIndirect {
                dst,
                sig,
                callee,
                args,
            } => {
                self.operand(here, *callee, Ptr);
                if self.in_range(here, sig.index(), self.module.sigs.len(), "signature") {
                    let module = self.module;
                    self.call(here, &module.sigs[sig.index()], *dst, args);
                }
            }
            Op::CallExtern { dst, func, args } => {
                if self.in_range(here, func.index(), self.module.externs.len(), "extern") {
                    let module = self.module;
                    self.call(here, &module.externs[func.index()].sig, *dst, args);
                }
            }
            Op::Intrinsic { dst, row, args } => self.intrinsic(here, row, *dst, args),
            Op::Probe { .. } | Op::CheckStack => {}
            Op::Chunk {
                ty,
                dst,
                i,
                end,
                step,
                count,
            } => {
                self.takes(here, "chunk", ty.is_int(), *ty);
                self.dst(here, *dst, *ty);
                self.operands(here, &[*i, *end], *ty);
                if *step == 0 || *count == 0 || ty.immediate(*step as u64) != *step as u64 {
                    let message = format!("the step is an {ty} and not 0, the count is not 0");
                    self.error(code::BAD_IMMEDIATE, here.place(), message);
                }
            }
        }
    }

    pub(super) fn call(
        &mut self,
        here: Here<'_>,
        sig: &Signature,
        dst: Option<LocalId>,
        args: &[Operand],
    ) {
        if args.len() != sig.params.len() {
            let message = format!("{} arguments are given to {}", args.len(), sig.params.len());
            self.error(
                code::BAD_CALL,
                here.place(),
                message + " parameters; pass one for each",
            );
        }
        for (&arg, &ty) in args.iter().zip(&sig.params) {
            self.operand(here, arg, ty);
        }
        match (dst, sig.ret) {
            (None, _) => {}
            (Some(dst), Some(ty)) => self.dst(here, dst, ty),
            (Some(_), None) => {
                let message = "the callee returns nothing; remove `%x = `";
                self.error(code::BAD_CALL, here.place(), message);
            }
        }
    }

    fn intrinsic(&mut self, here: Here<'_>, name: &str, dst: Option<LocalId>, args: &[Operand]) {
        let Some(row) = self.rows.get(name) else {
            let message = match self.module.tables.is_empty() {
                true => format!("the module imports no table; add `use` for the one of `{name}`"),
                false => format!(
                    "no imported table ({}) has `{name}`; import its table with `use`",
                    self.module.tables.join(", ")
                ),
            };
            return self.error(code::UNKNOWN_INTRINSIC, here.place(), message);
        };
        if row.waits() {
            self.waits(here, name);
        }
        if args.len() != row.params.len() {
            let message = format!("`{name}` takes {}, not {}", row.params.len(), args.len());
            self.error(
                code::BAD_INTRINSIC_CALL,
                here.place(),
                message + " arguments",
            );
        }
        for (&arg, param) in args.iter().zip(row.params) {
            let Some(ty) = Type::of_row(param.ty) else {
                continue;
            };
            let fits = match arg {
                Operand::Local(local) => self.type_of(here, local) == Some(ty),
                // The text form does not know the type, so it may give the unsigned bits.
                Operand::Imm(bits) => ty.immediate(bits) == bits || ty.canonical(bits) == bits,
            };
            if matches!(arg, Operand::Imm(_)) {
                self.no_handle(here, ty, "is a number");
            }
            if !fits {
                let (param, row_ty) = (param.name, param.ty.name());
                let message = format!("`{param}` of `{name}` is {row_ty}: pass an {ty}");
                self.error(code::BAD_INTRINSIC_CALL, here.place(), message);
            }
        }
        let Some(dst) = dst else { return };
        let ret = Type::of_row(row.result);
        if ret.is_none() || self.type_of(here, dst) != ret {
            let result = row.result.name();
            let message = format!("`{name}` returns {result}, which this local cannot hold");
            self.error(code::BAD_INTRINSIC_CALL, here.place(), message);
        }
    }

    fn global(&mut self, here: Here<'_>, global: GlobalId) -> Option<Type> {
        self.in_range(here, global.index(), self.module.globals.len(), "global");
        self.module
            .globals
            .get(global.index())
            .map(|global| global.ty)
    }

    /// Checks an index, and says whether it is good.
    pub(super) fn in_range(&mut self, here: Here<'_>, n: usize, len: usize, what: &str) -> bool {
        if n >= len {
            let message = format!("there is no {what} number {n}; there are {len}");
            self.error(code::BAD_REFERENCE, here.place(), message);
        }
        n < len
    }

    /// The type of a local.
    pub(super) fn type_of(&mut self, here: Here<'_>, local: LocalId) -> Option<Type> {
        self.in_range(here, local.index(), here.func.locals.len(), "local");
        here.func.locals.get(local.index()).map(|local| local.ty)
    }

    fn takes(&mut self, here: Here<'_>, name: &str, good: bool, ty: Type) {
        if !good {
            let message = format!("`{name}` does not work on {ty}");
            self.error(code::TYPE_MISMATCH, here.place(), message);
        }
    }

    pub(super) fn dst(&mut self, here: Here<'_>, dst: LocalId, ty: Type) {
        if let Some(found) = self.type_of(here, dst)
            && found != ty
        {
            let name = &here.func.locals[dst.index()].name;
            let message = format!("the result is {ty}, but `%{name}` is {found}");
            self.error(code::TYPE_MISMATCH, here.place(), message);
        }
    }

    /// A handle is in a local, and moves from local to local by copies, calls and returns only.
    fn no_handle(&mut self, here: Here<'_>, ty: Type, what: &str) {
        if ty.handle().is_some() {
            let message = format!("a {ty} {what}; hold it in a local, and copy or pass that");
            self.error(code::HANDLE_KEPT, here.place(), message);
        }
    }

    fn operands(&mut self, here: Here<'_>, operands: &[Operand], ty: Type) {
        for &operand in operands {
            self.operand(here, operand, ty);
        }
    }

    /// Checks that an operand is of a type.
    pub(super) fn operand(&mut self, here: Here<'_>, operand: Operand, ty: Type) {
        match operand {
            Operand::Local(local) => {
                if let Some(found) = self.type_of(here, local)
                    && found != ty
                {
                    let name = &here.func.locals[local.index()].name;
                    let message = format!("`%{name}` is {found}, but {ty} is wanted here");
                    self.error(code::TYPE_MISMATCH, here.place(), message);
                }
            }
            Operand::Imm(bits) if ty.immediate(bits) == bits => {
                self.no_handle(here, ty, "is a number");
            }
            Operand::Imm(bits) => {
                let message = format!("the immediate {bits:#x} is no {ty}");
                self.error(code::BAD_IMMEDIATE, here.place(), message);
            }
        }
    }
}
