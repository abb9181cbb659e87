//! Instructions and terminators.

use std::fmt::{self, Write};

use super::super::entity::*;
use super::super::inst::*;
use super::super::module::{Function, Module};
use super::super::types::Type;
use super::literal::{immediate, name};
use super::signature;

/// Prints into the line of one instruction.
pub(super) struct Printer<'m> {
    pub(super) module: &'m Module,
    pub(super) func: &'m Function,
}

impl Printer<'_> {
    pub(super) fn inst(&self, out: &mut String, inst: &Inst) -> fmt::Result {
        out.push_str("  ");
        let [dst, flag] = inst.op.dsts();
        if let Some(dst) = dst {
            self.local(out, dst)?;
            if let Some(flag) = flag {
                out.push_str(", ");
                self.local(out, flag)?;
            }
            out.push_str(" = ");
        }
        self.op(out, &inst.op)?;
        self.edge(out, &inst.edge)
    }

    fn op(&self, out: &mut String, op: &Op) -> fmt::Result {
        match op {
            Op::Copy { ty, src, .. } => self.typed(out, "copy", *ty, &[*src]),
            Op::Unary { op, ty, src, .. } => self.typed(out, op.name(), *ty, &[*src]),
            Op::Binary { op, ty, a, b, .. } => self.typed(out, op.name(), *ty, &[*a, *b]),
            Op::Overflow { op, ty, a, b, .. } => self.typed(out, op.name(), *ty, &[*a, *b]),
            Op::Compare { op, ty, a, b, .. } => {
                out.push_str("cmp.");
                self.typed(out, op.name(), *ty, &[*a, *b])
            }
            Op::Convert {
                op, from, to, src, ..
            } => {
                write!(out, "convert.{}.{from}.{to} ", op.name())?;
                self.operand(out, Some(*from), *src)
            }
            Op::Select { ty, cond, a, b, .. } => {
                write!(out, "select.{ty} ")?;
                self.operand(out, Some(Type::Bool), *cond)?;
                out.push_str(", ");
                self.list(out, *ty, &[*a, *b])
            }
            Op::Load {
                ty, addr, offset, ..
            } => {
                write!(out, "load.{ty} ")?;
                self.address(out, *addr, *offset)
            }
            Op::Store {
                ty,
                src,
                addr,
                offset,
            } => {
                self.typed(out, "store", *ty, &[*src])?;
                out.push_str(", ");
                self.address(out, *addr, *offset)
            }
            Op::GlobalGet { global, .. } => {
                out.push_str("global.get ");
                self.global(out, *global)
            }
            Op::GlobalSet { global, src } => {
                out.push_str("global.set ");
                self.global(out, *global)?;
                out.push_str(", ");
                let ty = self.module.globals.get(global.index()).map(|g| g.ty);
                self.operand(out, ty, *src)
            }
            Op::DataAddr { data, .. } => {
                let name = self.module.data.get(data.index()).map(|d| &*d.name);
                out.push_str("addr.data ");
                named(out, '@', name, data.0)
            }
            Op::FuncAddr { func, .. } => {
                out.push_str("addr.func ");
                self.callee(out, *func)
            }
            Op::SlotAddr { slot, .. } => {
                let name = self.func.slots.get(slot.index()).map(|s| &*s.name);
                out.push_str("addr.slot ");
                named(out, '$', name, slot.0)
            }
            Op::CheckBounds { ty, index, len } => {
                self.typed(out, "check.bounds", *ty, &[*index, *len])
            }
            Op::CheckNull { addr } => {
                out.push_str("check.null ");
                self.operand(out, Some(Type::Ptr), *addr)
            }
            Op::Call { func, args, .. } => self.direct(out, "call", *func, args),
            Op::Await { func, args, .. } => self.direct(out, "await", *func, args),
            Op::Spawn {
                region, func, args, ..
            } => {
                self.direct(out, "spawn", *func, args)?;
                self.region(out, *region)
            }
            Op::CallIndirect {
                sig, callee, args, ..
            } => self.indirect(out, "call", *sig, *callee, args),
            Op::AwaitIndirect {
                sig, callee, args, ..
            } => self.indirect(out, "await", *sig, *callee, args),
            Op::SpawnIndirect {
                region,
                sig,
                callee,
                args,
                ..
            } => {
                self.indirect(out, "spawn", *sig, *callee, args)?;
                self.region(out, *region)
            }
            Op::CallExtern { func, args, .. } => {
                let callee = self.module.externs.get(func.index());
                out.push_str("call.extern ");
                named(out, '@', callee.map(|f| &*f.name), func.0)?;
                let types = callee
                    .into_iter()
                    .flat_map(|f| f.sig.params.iter().copied());
                self.args(out, types, args)
            }
            Op::Intrinsic { row, args, .. } => {
                write!(out, "intrinsic {}", name(row))?;
                self.args(out, std::iter::empty(), args)
            }
            Op::Probe { kind } => write!(out, "probe.{}", kind.name()),
            Op::CheckStack => write!(out, "check.stack"),
            Op::Chunk {
                ty,
                i,
                end,
                step,
                count,
                ..
            } => {
                self.typed(out, "chunk", *ty, &[*i, *end])?;
                write!(out, ", {step}, {count}")
            }
        }
    }

    pub(super) fn term(&self, out: &mut String, term: &Term) -> fmt::Result {
        out.push_str("  ");
        match term {
            Term::Jump(to) => {
                out.push_str("jump ");
                self.block(out, *to)
            }
            Term::Branch { cond, then, or } => {
                out.push_str("branch ");
                self.operand(out, Some(Type::Bool), *cond)?;
                for to in [then, or] {
                    out.push_str(", ");
                    self.block(out, *to)?;
                }
                Ok(())
            }
            Term::Switch {
                ty,
                value,
                cases,
                default,
            } => {
                self.typed(out, "switch", *ty, &[*value])?;
                out.push_str(", [");
                for (i, (key, to)) in cases.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    match ty {
                        // None to switch on, but what the verifier refuses comes back as it was:
                        // an integer would be read as another float, and `inf:` is a label.
                        Type::F64 | Type::F32 => write!(out, "{key:#x}: ")?,
                        _ => write!(out, "{key}: ")?,
                    }
                    self.block(out, *to)?;
                }
                out.push_str("], ");
                self.block(out, *default)
            }
            Term::Return(None) => write!(out, "return"),
            Term::Return(Some(value)) => {
                out.push_str("return ");
                self.operand(out, self.func.ret, *value)
            }
            Term::Throw { value, edge } => {
                out.push_str("throw ");
                self.operand(out, Some(Type::Value), *value)?;
                self.edge(out, edge)
            }
            Term::Raise {
                value,
                status,
                edge,
            } => {
                out.push_str("raise ");
                self.operand(out, Some(Type::Value), *value)?;
                out.push_str(", ");
                self.operand(out, Some(Type::I64), *status)?;
                self.edge(out, edge)
            }
            Term::Unreachable { edge } => {
                out.push_str("unreachable");
                self.edge(out, edge)
            }
        }
    }

    fn edge(&self, out: &mut String, edge: &Edge) -> fmt::Result {
        if let Some((block, local)) = edge.recover {
            out.push_str(" recover ");
            self.block(out, block)?;
            if let Some(local) = local {
                out.push('(');
                self.local(out, local)?;
                out.push(')');
            }
        }
        if let Some((block, value, status)) = edge.cleanup {
            out.push_str(" cleanup ");
            self.block(out, block)?;
            out.push('(');
            self.local(out, value)?;
            out.push_str(", ");
            self.local(out, status)?;
            out.push(')');
        }
        Ok(())
    }

    fn typed(&self, out: &mut String, op: &str, ty: Type, operands: &[Operand]) -> fmt::Result {
        write!(out, "{op}.{ty} ")?;
        self.list(out, ty, operands)
    }

    fn list(&self, out: &mut String, ty: Type, operands: &[Operand]) -> fmt::Result {
        for (i, operand) in operands.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.operand(out, Some(ty), *operand)?;
        }
        Ok(())
    }

    fn direct(&self, out: &mut String, op: &str, func: FuncId, args: &[Operand]) -> fmt::Result {
        write!(out, "{op} ")?;
        self.callee(out, func)?;
        let callee = self.module.funcs.get(func.index());
        let params = callee.map_or(0, |f| f.params as usize);
        let types = callee.into_iter().flat_map(|f| &f.locals).take(params);
        self.args(out, types.map(|local| local.ty), args)
    }

    fn indirect(
        &self,
        out: &mut String,
        op: &str,
        sig: SigId,
        callee: Operand,
        args: &[Operand],
    ) -> fmt::Result {
        let known = self.module.sigs.get(sig.index());
        match known {
            Some(sig) => write!(out, "{op}.indirect {}, ", signature(sig))?,
            None => write!(out, "{op}.indirect ?{}, ", sig.0)?,
        }
        self.operand(out, Some(Type::Ptr), callee)?;
        let types = known.into_iter().flat_map(|s| s.params.iter().copied());
        self.args(out, types, args)
    }

    fn region(&self, out: &mut String, region: Option<Operand>) -> fmt::Result {
        let Some(region) = region else { return Ok(()) };
        out.push_str(" in ");
        self.operand(out, Some(Type::Region), region)
    }

    fn args(
        &self,
        out: &mut String,
        types: impl Iterator<Item = Type>,
        args: &[Operand],
    ) -> fmt::Result {
        out.push('(');
        let types = types.map(Some).chain(std::iter::repeat(None));
        for (i, (arg, ty)) in args.iter().zip(types).enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.operand(out, ty, *arg)?;
        }
        out.push(')');
        Ok(())
    }

    fn address(&self, out: &mut String, addr: Operand, offset: i32) -> fmt::Result {
        self.operand(out, Some(Type::Ptr), addr)?;
        match offset {
            0 => Ok(()),
            1.. => write!(out, " + {offset}"),
            _ => write!(out, " - {}", offset.unsigned_abs()),
        }
    }

    fn operand(&self, out: &mut String, ty: Option<Type>, operand: Operand) -> fmt::Result {
        match operand {
            Operand::Local(local) => self.local(out, local),
            Operand::Imm(bits) => {
                out.push_str(&immediate(ty, bits));
                Ok(())
            }
        }
    }

    fn local(&self, out: &mut String, local: LocalId) -> fmt::Result {
        let name = self.func.locals.get(local.index()).map(|l| &*l.name);
        named(out, '%', name, local.0)
    }

    fn global(&self, out: &mut String, global: GlobalId) -> fmt::Result {
        let name = self.module.globals.get(global.index()).map(|g| &*g.name);
        named(out, '@', name, global.0)
    }

    fn callee(&self, out: &mut String, func: FuncId) -> fmt::Result {
        let name = self.module.funcs.get(func.index()).map(|f| &*f.name);
        named(out, '@', name, func.0)
    }

    fn block(&self, out: &mut String, block: BlockId) -> fmt::Result {
        match self.func.blocks.get(block.index()) {
            Some(block) => out.push_str(&name(&block.name)),
            None => write!(out, "?{}", block.0)?,
        }
        Ok(())
    }
}

fn named(out: &mut String, sigil: char, known: Option<&str>, index: u32) -> fmt::Result {
    match known {
        Some(known) => write!(out, "{sigil}{}", name(known)),
        None => write!(out, "{sigil}?{index}"),
    }
}
