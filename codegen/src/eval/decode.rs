//! From a verified function to its decoded form.

mod calls;

use super::code::*;
use crate::air::*;

/// The decoder of one function.
pub(super) struct Decoder<'a, 'm> {
    verified: &'a Verified<'m>,
    func: &'m Function,
    next_site: &'a mut u32,
    code: Code,
    /// Index of the first instruction of each block.
    starts: Vec<u32>,
    /// Offset of each slot in the frame.
    slots: Vec<u32>,
}

impl<'a, 'm> Decoder<'a, 'm> {
    pub(super) fn new(
        verified: &'a Verified<'m>,
        func: &'m Function,
        next_site: &'a mut u32,
    ) -> Self {
        let mut at = 0;
        let mut starts = Vec::with_capacity(func.blocks.len());
        for block in &func.blocks {
            starts.push(at);
            at += block.insts.len() as u32 + 1;
        }
        let mut frame_bytes = 0;
        let mut slots = Vec::with_capacity(func.slots.len());
        for slot in &func.slots {
            slots.push(frame_bytes);
            frame_bytes += slot.size.next_multiple_of(16);
        }
        let code = Code {
            insts: Vec::with_capacity(at as usize),
            exits: vec![Exits::default()],
            locals: func.locals.len(),
            params: func.params as usize,
            is_async: func.is_async,
            frame_bytes,
            ..Code::default()
        };
        Decoder {
            verified,
            func,
            next_site,
            code,
            starts,
            slots,
        }
    }

    pub(super) fn decode(mut self, class: u32) -> Code {
        for block in &self.func.blocks {
            for inst in &block.insts {
                let kind = self.kind(&inst.op);
                self.push(kind, kinds_of(&inst.op), &inst.edge, inst.loc);
            }
            let kind = self.term(&block.term);
            let edge = block.term.edge().copied().unwrap_or_default();
            self.push(kind, kinds_of_term(&block.term), &edge, block.term_loc);
        }
        Code { class, ..self.code }
    }

    fn push(&mut self, kind: Kind, sites: Kinds, edge: &Edge, loc: Loc) {
        let count = sites.iter().flatten().count() as u32;
        let site = if count == 0 { 0 } else { *self.next_site };
        *self.next_site += count;
        let exits = match edge.is_none() {
            true => 0,
            false => {
                let block = |id: BlockId| self.starts[id.index()];
                self.code.exits.push(Exits {
                    recover: edge
                        .recover
                        .map(|(b, local)| (block(b), local.map(|l| l.0))),
                    cleanup: edge
                        .cleanup
                        .map(|(b, value, status)| (block(b), value.0, status.0)),
                });
                self.code.exits.len() as u32 - 1
            }
        };
        self.code.insts.push(Ins { kind, exits, site });
        self.code.locs.push(loc);
    }

    fn kind(&mut self, op: &Op) -> Kind {
        let module = self.verified.module();
        match *op {
            Op::Copy { ty, dst, src } => Kind::Copy {
                dst: dst.0,
                src: source(src, ty),
            },
            Op::Unary { op, ty, dst, src } => Kind::Unary {
                op,
                ty,
                dst: dst.0,
                src: source(src, ty),
            },
            Op::Binary { op, ty, dst, a, b } => Kind::Binary {
                op,
                ty,
                dst: dst.0,
                a: source(a, ty),
                b: source(b, ty),
            },
            Op::Overflow {
                op,
                ty,
                dst,
                flag,
                a,
                b,
            } => {
                let (a, b) = (source(a, ty), source(b, ty));
                Kind::Overflow {
                    op,
                    ty,
                    dst: dst.0,
                    flag: flag.0,
                    a,
                    b,
                }
            }
            Op::Compare { op, ty, dst, a, b } => Kind::Compare {
                op,
                ty,
                dst: dst.0,
                a: source(a, ty),
                b: source(b, ty),
            },
            Op::Convert {
                op,
                from,
                to,
                dst,
                src,
            } => Kind::Convert {
                op,
                from,
                to,
                dst: dst.0,
                src: source(src, from),
            },
            Op::Select {
                ty,
                dst,
                cond,
                a,
                b,
            } => {
                let cond = source(cond, Type::Bool);
                Kind::Select {
                    dst: dst.0,
                    cond,
                    a: source(a, ty),
                    b: source(b, ty),
                }
            }
            Op::Load {
                ty,
                dst,
                addr,
                offset,
            } => Kind::Load {
                ty,
                dst: dst.0,
                addr: source(addr, Type::Ptr),
                offset,
            },
            Op::Store {
                ty,
                src,
                addr,
                offset,
            } => {
                let (src, addr) = (source(src, ty), source(addr, Type::Ptr));
                Kind::Store {
                    ty,
                    src,
                    addr,
                    offset,
                }
            }
            Op::GlobalGet { dst, global } => Kind::GlobalGet {
                dst: dst.0,
                global: global.0,
            },
            Op::GlobalSet { global, src } => {
                let src = source(src, module.globals[global.index()].ty);
                Kind::GlobalSet {
                    global: global.0,
                    src,
                }
            }
            Op::DataAddr { dst, data } => Kind::DataAddr {
                dst: dst.0,
                data: data.0,
            },
            Op::FuncAddr { dst, func } => Kind::FuncAddr {
                dst: dst.0,
                func: func.0,
            },
            Op::SlotAddr { dst, slot } => Kind::SlotAddr {
                dst: dst.0,
                offset: self.slots[slot.index()],
            },
            Op::CheckBounds { ty, index, len } => Kind::CheckBounds {
                index: source(index, ty),
                len: source(len, ty),
            },
            Op::CheckNull { addr } => Kind::CheckNull {
                addr: source(addr, Type::Ptr),
            },
            Op::Call {
                dst,
                func,
                ref args,
            }
            | Op::Await {
                dst,
                func,
                ref args,
            } => self.call(dst, func, args),
            Op::CallIndirect {
                dst,
                sig,
                callee,
                ref args,
            } => self.call_indirect(dst, (sig, callee), args, false),
            Op::CallExtern {
                dst,
                func,
                ref args,
            } => {
                let sig = &module.externs[func.index()].sig;
                let args = self.args(args, sig.params.iter().copied());
                Kind::CallExtern {
                    dst: result(dst, sig.ret),
                    func: func.0,
                    args,
                }
            }
            Op::Intrinsic {
                dst,
                ref row,
                ref args,
            } => {
                let row = self
                    .verified
                    .row(row)
                    .expect("verified: an imported table has the row");
                let params = row.params.iter().filter_map(|param| Type::of_row(param.ty));
                let args = self.args(args, params);
                Kind::Intrinsic {
                    dst: result(dst, Type::of_row(row.result)),
                    row,
                    args,
                }
            }
            Op::AwaitIndirect {
                dst,
                sig,
                callee,
                ref args,
            } => self.call_indirect(dst, (sig, callee), args, true),
            Op::Spawn {
                dst,
                region,
                func,
                ref args,
            } => self.spawn(dst, region, func, args),
            Op::SpawnIndirect {
                dst,
                region,
                sig,
                callee,
                ref args,
            } => self.spawn_indirect(dst, region, (sig, callee), args),
            Op::Probe { kind } => Kind::Probe(kind),
            Op::CheckStack => Kind::CheckStack,
            Op::Chunk {
                ty,
                dst,
                i,
                end,
                step,
                count,
            } => {
                let (i, end) = (source(i, ty), source(end, ty));
                Kind::Chunk {
                    ty,
                    dst: dst.0,
                    i,
                    end,
                    step,
                    count,
                }
            }
        }
    }

    fn term(&mut self, term: &Term) -> Kind {
        let block = |id: BlockId| self.starts[id.index()];
        match *term {
            Term::Jump(to) => Kind::Jump(block(to)),
            Term::Branch { cond, then, or } => {
                let cond = source(cond, Type::Bool);
                Kind::Branch {
                    cond,
                    then: block(then),
                    or: block(or),
                }
            }
            Term::Switch {
                ty,
                value,
                ref cases,
                default,
            } => {
                let key = |&(key, to): &(i64, BlockId)| (ty.canonical(key as u64), block(to));
                let mut cases: Vec<_> = cases.iter().map(key).collect();
                cases.sort_unstable();
                let default = block(default);
                self.code.switches.push(Switch { cases, default });
                let table = self.code.switches.len() as u32 - 1;
                Kind::Switch {
                    value: source(value, ty),
                    table,
                }
            }
            Term::Return(None) => Kind::Return(Src::Imm(0)),
            Term::Return(Some(value)) => {
                Kind::Return(source(value, self.func.ret.unwrap_or(Type::I64)))
            }
            Term::Throw { value, .. } => Kind::Throw(source(value, Type::Value)),
            Term::Raise { value, status, .. } => {
                let (value, status) = (source(value, Type::Value), source(status, Type::I64));
                Kind::Raise { value, status }
            }
            Term::Unreachable { .. } => Kind::Unreachable,
        }
    }

    fn args(&mut self, args: &[Operand], types: impl Iterator<Item = Type>) -> Args {
        let start = self.code.args.len() as u32;
        self.code
            .args
            .extend(args.iter().zip(types).map(|(&arg, ty)| source(arg, ty)));
        Args {
            start,
            len: args.len() as u32,
        }
    }
}

fn source(operand: Operand, ty: Type) -> Src {
    match operand {
        Operand::Local(local) => Src::Reg(local.0),
        Operand::Imm(bits) => Src::Imm(ty.canonical(bits)),
    }
}

fn result(dst: Option<LocalId>, ty: Option<Type>) -> Dst {
    Some((dst?.0, ty?))
}
