//! Instructions and terminators.

use super::body::{Body, Line};
use super::cursor::Step;
use super::lex::Token;
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::ops::*;
use crate::air::span::Span;
use crate::air::types::Type;

/// The locals before `=`.
pub(super) struct Results {
    span: Span,
    first: Option<LocalId>,
    second: Option<LocalId>,
}

impl Body<'_, '_> {
    /// An instruction or the end of a block, with its edge and location.
    pub(super) fn instruction(&mut self) -> Step<Line> {
        let results = self.results()?;
        let Token::Ident(name) = self.cursor.peek() else {
            return self.cursor.expected("an instruction");
        };
        let span = self.cursor.span();
        let mut parts = [""; 4];
        let mut count = 0;
        for part in name.split('.') {
            match parts.get_mut(count) {
                Some(slot) => *slot = part,
                None => return self.unknown_op(name, span),
            }
            count += 1;
        }
        self.cursor.bump();
        if let Some(term) = self.term(&parts[..count]) {
            self.no_result(&results)?;
            let mut term = term?;
            if let Term::Throw { edge, .. }
            | Term::Raise { edge, .. }
            | Term::Unreachable { edge } = &mut term
            {
                *edge = self.edge()?;
            }
            return Ok(Line::Term(term, self.cursor.loc()?));
        }
        let Some(op) = self.op(&parts[..count], &results) else {
            return self.unknown_op(name, span);
        };
        let op = op?;
        let edge = self.edge()?;
        Ok(Line::Inst(Inst {
            op,
            edge,
            loc: self.cursor.loc()?,
        }))
    }

    fn unknown_op<T>(&mut self, name: &str, span: Span) -> Step<T> {
        let shown: String = name.chars().take(40).collect();
        let message =
            format!("no instruction is called `{shown}`; a type follows most, as in `add.i64`");
        self.cursor.fail_at(span, code::AIR_SYNTAX, message)
    }

    fn results(&mut self) -> Step<Results> {
        let mut results = Results {
            span: self.cursor.span(),
            first: None,
            second: None,
        };
        if self.cursor.at('%') {
            results.first = Some(self.local()?);
            if self.cursor.eat(',') {
                results.second = Some(self.local()?);
            }
            self.cursor.expect('=')?;
        }
        Ok(results)
    }

    /// The one result that the instruction must have.
    pub(super) fn one(&mut self, results: &Results) -> Step<LocalId> {
        match *results {
            Results {
                first: Some(dst),
                second: None,
                ..
            } => Ok(dst),
            _ => self.cursor.fail_at(
                results.span,
                code::AIR_SYNTAX,
                "this instruction has one result: write `%x = ` before it",
            ),
        }
    }

    /// The result that a call may have.
    pub(super) fn optional(&mut self, results: &Results) -> Step<Option<LocalId>> {
        match results.first {
            None => Ok(None),
            Some(_) => self.one(results).map(Some),
        }
    }

    fn no_result(&mut self, results: &Results) -> Step<()> {
        match results.first {
            None => Ok(()),
            Some(_) => self.cursor.fail_at(
                results.span,
                code::AIR_SYNTAX,
                "this instruction has no result: remove what is before `=`",
            ),
        }
    }

    /// An instruction, or `None` if none has this name.
    fn op(&mut self, parts: &[&str], results: &Results) -> Option<Step<Op>> {
        let op = match *parts {
            ["call"] => self.call(results),
            ["call", "indirect"] => self.call_indirect(results),
            ["call", "extern"] => self.call_extern(results),
            ["await"] => self.await_(results),
            ["await", "indirect"] => self.await_indirect(results),
            ["spawn"] => self.spawn(results),
            ["spawn", "indirect"] => self.spawn_indirect(results),
            ["intrinsic"] => self.intrinsic(results),
            ["global", "get"] => self.one(results).and_then(|dst| {
                let global = self.global_name("global", |names| &names.globals)?;
                Ok(Op::GlobalGet { dst, global })
            }),
            ["global", "set"] => self.no_result(results).and_then(|()| {
                let global = self.global_name("global", |names| &names.globals)?;
                let ty = self.module.globals[global.index()].ty;
                self.cursor.expect(',')?;
                Ok(Op::GlobalSet {
                    global,
                    src: self.operand(Some(ty))?,
                })
            }),
            ["addr", "data"] => self.one(results).and_then(|dst| {
                let data = self.global_name("data", |names| &names.data)?;
                Ok(Op::DataAddr { dst, data })
            }),
            ["addr", "func"] => self.one(results).and_then(|dst| {
                let func = self.global_name("function", |names| &names.funcs)?;
                Ok(Op::FuncAddr { dst, func })
            }),
            ["addr", "slot"] => self.one(results).and_then(|dst| {
                Ok(Op::SlotAddr {
                    dst,
                    slot: self.slot()?,
                })
            }),
            ["check", "stack"] => self.no_result(results).map(|()| Op::CheckStack),
            ["check", "null"] => self.no_result(results).and_then(|()| {
                Ok(Op::CheckNull {
                    addr: self.operand(Some(Type::Ptr))?,
                })
            }),
            ["probe", kind] => {
                let kind = ProbeKind::ALL.into_iter().find(|k| k.name() == kind)?;
                self.no_result(results).map(|()| Op::Probe { kind })
            }
            ["cmp", name, ty] => {
                let (op, ty) = (CmpOp::from_name(name)?, Type::from_name(ty)?);
                self.one(results).and_then(|dst| {
                    let [a, b] = self.two(ty)?;
                    Ok(Op::Compare { op, ty, dst, a, b })
                })
            }
            ["convert", name, from, to] => {
                let op = ConvOp::from_name(name)?;
                let (from, to) = (Type::from_name(from)?, Type::from_name(to)?);
                self.one(results).and_then(|dst| {
                    Ok(Op::Convert {
                        op,
                        from,
                        to,
                        dst,
                        src: self.operand(Some(from))?,
                    })
                })
            }
            ["check", "bounds", ty] => {
                let ty = Type::from_name(ty)?;
                self.no_result(results).and_then(|()| {
                    let [index, len] = self.two(ty)?;
                    Ok(Op::CheckBounds { ty, index, len })
                })
            }
            [name, ty] => return self.typed(name, Type::from_name(ty)?, results),
            _ => return None,
        };
        Some(op)
    }

    /// An instruction whose name ends with one type.
    fn typed(&mut self, name: &str, ty: Type, results: &Results) -> Option<Step<Op>> {
        if let Some(op) = UnOp::from_name(name) {
            return Some(self.one(results).and_then(|dst| {
                Ok(Op::Unary {
                    op,
                    ty,
                    dst,
                    src: self.operand(Some(ty))?,
                })
            }));
        }
        if let Some(op) = BinOp::from_name(name) {
            return Some(self.one(results).and_then(|dst| {
                let [a, b] = self.two(ty)?;
                Ok(Op::Binary { op, ty, dst, a, b })
            }));
        }
        if let Some(op) = OverflowOp::from_name(name) {
            return Some(self.overflow(op, ty, results));
        }
        Some(match name {
            "copy" => self.one(results).and_then(|dst| {
                Ok(Op::Copy {
                    ty,
                    dst,
                    src: self.operand(Some(ty))?,
                })
            }),
            "select" => self.one(results).and_then(|dst| {
                let cond = self.operand(Some(Type::Bool))?;
                self.cursor.expect(',')?;
                let [a, b] = self.two(ty)?;
                Ok(Op::Select {
                    ty,
                    dst,
                    cond,
                    a,
                    b,
                })
            }),
            "load" => self.one(results).and_then(|dst| {
                let (addr, offset) = self.address()?;
                Ok(Op::Load {
                    ty,
                    dst,
                    addr,
                    offset,
                })
            }),
            "store" => self.no_result(results).and_then(|()| {
                let src = self.operand(Some(ty))?;
                self.cursor.expect(',')?;
                let (addr, offset) = self.address()?;
                Ok(Op::Store {
                    ty,
                    src,
                    addr,
                    offset,
                })
            }),
            "chunk" => self.one(results).and_then(|dst| {
                let [i, end] = self.two(ty)?;
                self.cursor.expect(',')?;
                let step = self.cursor.signed("the step")?;
                self.cursor.expect(',')?;
                let count = self.cursor.unsigned("the count", u32::MAX.into())? as u32;
                Ok(Op::Chunk {
                    ty,
                    dst,
                    i,
                    end,
                    step,
                    count,
                })
            }),
            _ => return None,
        })
    }

    fn overflow(&mut self, op: OverflowOp, ty: Type, results: &Results) -> Step<Op> {
        let (Some(dst), Some(flag)) = (results.first, results.second) else {
            let message = "this instruction has two results: write `%x, %overflow = ` before it";
            return self.cursor.fail_at(results.span, code::AIR_SYNTAX, message);
        };
        let [a, b] = self.two(ty)?;
        Ok(Op::Overflow {
            op,
            ty,
            dst,
            flag,
            a,
            b,
        })
    }

    fn call(&mut self, results: &Results) -> Step<Op> {
        let dst = self.optional(results)?;
        let (func, args) = self.callee()?;
        Ok(Op::Call { dst, func, args })
    }

    /// `@f(args)`
    pub(super) fn callee(&mut self) -> Step<(FuncId, Vec<Operand>)> {
        let func = self.global_name("function", |names| &names.funcs)?;
        let module = self.module;
        let callee = &module.funcs[func.index()];
        let params = callee.locals.iter().take(callee.params as usize);
        let args = self.args(params.map(|local| local.ty))?;
        Ok((func, args))
    }

    /// `(types) -> type, address(args)`
    pub(super) fn callee_at(&mut self) -> Step<(SigId, Operand, Vec<Operand>)> {
        let sig = self.cursor.signature()?;
        self.cursor.expect(',')?;
        let callee = self.operand(Some(Type::Ptr))?;
        let args = self.args(sig.params.iter().copied())?;
        Ok((self.sigs.id(sig), callee, args))
    }

    fn call_indirect(&mut self, results: &Results) -> Step<Op> {
        let dst = self.optional(results)?;
        let (sig, callee, args) = self.callee_at()?;
        Ok(Op::CallIndirect {
            dst,
            sig,
            callee,
            args,
        })
    }

    fn call_extern(&mut self, results: &Results) -> Step<Op> {
        let dst = self.optional(results)?;
        let func = self.global_name("foreign function", |names| &names.externs)?;
        let module = self.module;
        let args = self.args(module.externs[func.index()].sig.params.iter().copied())?;
        Ok(Op::CallExtern { dst, func, args })
    }

    fn intrinsic(&mut self, results: &Results) -> Step<Op> {
        let dst = self.optional(results)?;
        let row = self.cursor.name("the name of an intrinsic")?.into_owned();
        let args = self.args(std::iter::empty())?;
        Ok(Op::Intrinsic { dst, row, args })
    }

    /// Arguments in parentheses; one without a type in the signature is read as it looks.
    fn args(&mut self, mut types: impl Iterator<Item = Type>) -> Step<Vec<Operand>> {
        let mut args = Vec::new();
        self.cursor.expect('(')?;
        while !self.cursor.eat(')') {
            if !args.is_empty() {
                self.cursor.expect(',')?;
            }
            args.push(self.operand(types.next())?);
        }
        Ok(args)
    }

    pub(super) fn operand(&mut self, ty: Option<Type>) -> Step<Operand> {
        match self.cursor.at('%') {
            true => self.local().map(Operand::Local),
            false => self.cursor.immediate(ty).map(Operand::Imm),
        }
    }

    fn two(&mut self, ty: Type) -> Step<[Operand; 2]> {
        let a = self.operand(Some(ty))?;
        self.cursor.expect(',')?;
        Ok([a, self.operand(Some(ty))?])
    }

    /// `addr`, `addr + offset` or `addr - offset`
    fn address(&mut self) -> Step<(Operand, i32)> {
        let addr = self.operand(Some(Type::Ptr))?;
        let offset = if self.cursor.eat('+') {
            self.cursor.unsigned("an offset", i32::MAX as u64)? as i32
        } else if self.cursor.eat('-') {
            let bits = self.cursor.unsigned("an offset", 1 << 31)?;
            (bits as i64).wrapping_neg() as i32
        } else {
            0
        };
        Ok((addr, offset))
    }
}
