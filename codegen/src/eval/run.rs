//! The loop.

use asr_abi::{Ret, status};

use super::arith::{binary, chunk, compare, overflow, unary};
use super::code::*;
use super::convert::convert;
use super::host::Host;
use super::machine::{Machine, Why};
use crate::air::{BinOp, FuncId, Type, exception_word, fault, raised_status};

pub(super) const OK: u64 = status::OK as u64;
pub(super) const PENDING: u64 = status::PENDING as u64;
const THREW: u64 = status::THREW as u64;
const CANCELLED: u64 = status::CANCELLED as u64;

/// What one instruction asks of the loop.
pub(super) enum Next {
    /// Go on with the next instruction.
    Step,
    /// Go on there.
    Jump(u32),
    /// An activation began or ended: load it anew.
    Reload,
    /// A failure at the current instruction.
    Fail(Ret),
    /// The call of the host ended, or the task is suspended at the current instruction.
    End(Ret),
}

const fn failure(value: u64, status: u64) -> Next {
    Next::Fail(Ret { value, status })
}

impl<'p> Machine<'p> {
    /// Runs until there are `floor` activations, or until the innermost one, which is of a task, is
    /// suspended.
    pub(super) fn run<H: Host + ?Sized>(&mut self, host: &mut H, floor: usize) -> Result<Ret, Why> {
        let program = self.program;
        loop {
            let Some(frame) = self.frames.last_mut() else {
                return Err(Why::StackExhausted);
            };
            let (mut pc, base, slots) = (frame.pc, frame.base, frame.slots);
            let code = &program.funcs[frame.func.index()];
            loop {
                let ins = &code.insts[pc];
                pc += 1;
                if self.executed >= self.limits.fuel {
                    self.save(pc);
                    return Err(Why::OutOfFuel);
                }
                self.executed += 1;
                let next = match ins.kind {
                    Kind::Copy { dst, src } => self.set(base, dst, self.get(base, src)),
                    Kind::Binary { op, ty, dst, a, b } => {
                        match binary(op, ty, self.get(base, a), self.get(base, b)) {
                            Ok(bits) => self.set(base, dst, bits),
                            Err(fault) => {
                                self.save(pc);
                                let second = fault == fault::OVERFLOW && tests_zero(op, b);
                                self.fault(host, ins.site + u32::from(second), fault)?
                            }
                        }
                    }
                    Kind::Compare { op, ty, dst, a, b } => {
                        let holds = compare(op, ty, self.get(base, a), self.get(base, b));
                        self.set(base, dst, u64::from(holds))
                    }
                    Kind::Jump(to) => Next::Jump(to),
                    Kind::Branch { cond, then, or } => {
                        Next::Jump(if self.get(base, cond) != 0 { then } else { or })
                    }
                    Kind::Load {
                        ty,
                        dst,
                        addr,
                        offset,
                    } => {
                        let addr = self.get(base, addr).wrapping_add(offset as i64 as u64);
                        match host.load(addr, ty.size()) {
                            Ok(bits) if ty == Type::Bool => {
                                self.set(base, dst, u64::from(bits != 0))
                            }
                            Ok(bits) => self.set(base, dst, ty.canonical(bits)),
                            Err(trap) => {
                                self.save(pc);
                                return Err(Why::Trap(trap));
                            }
                        }
                    }
                    Kind::Store {
                        ty,
                        src,
                        addr,
                        offset,
                    } => {
                        let addr = self.get(base, addr).wrapping_add(offset as i64 as u64);
                        match host.store(addr, ty.size(), self.get(base, src)) {
                            Ok(()) => Next::Step,
                            Err(trap) => {
                                self.save(pc);
                                return Err(Why::Trap(trap));
                            }
                        }
                    }
                    Kind::Call { func, args, .. } => {
                        self.save(pc);
                        self.activate(host, code, base, FuncId(func), args)?;
                        Next::Reload
                    }
                    Kind::Return(src) => {
                        let value = self.get(base, src);
                        self.pop_frame(host);
                        self.returned(value, floor)
                    }
                    Kind::CheckStack
                        if self.frames.len() < self.limits.depth
                            && self.nesting <= self.limits.nesting =>
                    {
                        Next::Step
                    }
                    Kind::SlotAddr { dst, offset } => {
                        self.set(base, dst, slots.wrapping_add(offset.into()))
                    }
                    _ => {
                        self.save(pc);
                        self.rare(host, code, ins, base)?
                    }
                };
                match next {
                    Next::Step => {}
                    Next::Jump(to) => pc = to as usize,
                    Next::Reload => break,
                    Next::Fail(ret) => match self.fail(host, ret, floor) {
                        Some(ret) => return Ok(ret),
                        None => break,
                    },
                    Next::End(ret) => return Ok(ret),
                }
            }
        }
    }

    /// What is not in the hot loop; the place is saved.
    fn rare<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        code: &'p Code,
        ins: &Ins,
        base: usize,
    ) -> Result<Next, Why> {
        Ok(match ins.kind {
            Kind::Unary { op, ty, dst, src } => {
                self.set(base, dst, unary(op, ty, self.get(base, src)))
            }
            Kind::Overflow {
                op,
                ty,
                dst,
                flag,
                a,
                b,
            } => {
                let (bits, over) = overflow(op, ty, self.get(base, a), self.get(base, b));
                self.set(base, dst, bits);
                self.set(base, flag, u64::from(over))
            }
            Kind::Convert {
                op,
                from,
                to,
                dst,
                src,
            } => match convert(op, from, to, self.get(base, src)) {
                Ok(bits) => self.set(base, dst, bits),
                Err(code) => self.fault(host, ins.site, code)?,
            },
            Kind::Select { dst, cond, a, b } => {
                let chosen = if self.get(base, cond) != 0 { a } else { b };
                self.set(base, dst, self.get(base, chosen))
            }
            Kind::GlobalGet { dst, global } => self.set(base, dst, self.globals[global as usize]),
            Kind::GlobalSet { global, src } => {
                self.globals[global as usize] = self.get(base, src);
                Next::Step
            }
            Kind::DataAddr { dst, data } => {
                let addr = self.data.get(data as usize).copied().unwrap_or(0);
                self.set(base, dst, addr)
            }
            Kind::FuncAddr { dst, func } => self.set(base, dst, host.func_addr(FuncId(func))),
            Kind::CheckBounds { index, len } => match self.get(base, index) < self.get(base, len) {
                true => Next::Step,
                false => self.fault(host, ins.site, fault::BOUNDS)?,
            },
            Kind::CheckNull { addr } => match self.get(base, addr) {
                0 => self.fault(host, ins.site, fault::NULL)?,
                _ => Next::Step,
            },
            Kind::CheckStack => self.fault(host, ins.site, fault::RECURSION)?,
            Kind::Chunk {
                ty,
                dst,
                i,
                end,
                step,
                count,
            } => {
                let bound = chunk(ty, self.get(base, i), self.get(base, end), step, count);
                self.set(base, dst, bound)
            }
            Kind::CallIndirect { .. }
            | Kind::CallExtern { .. }
            | Kind::Intrinsic { .. }
            | Kind::Spawn { .. }
            | Kind::Probe(_) => self.leave_program(host, code, ins, base)?,
            Kind::Switch { value, table } => {
                let (value, table) = (self.get(base, value), &code.switches[table as usize]);
                let found = table.cases.binary_search_by_key(&value, |&(key, _)| key);
                Next::Jump(found.map_or(table.default, |n| table.cases[n].1))
            }
            Kind::Throw(src) => {
                host.trace(self.site_id(ins.site));
                failure(self.get(base, src), THREW)
            }
            Kind::Raise { value, status } => {
                failure(self.get(base, value), raised_status(self.get(base, status)))
            }
            Kind::Unreachable => self.fault(host, ins.site, fault::UNREACHABLE)?,
            // In the hot loop.
            _ => Next::Step,
        })
    }

    /// A callee has ended with a value: gives it to the caller.
    fn returned(&mut self, value: u64, floor: usize) -> Next {
        if self.frames.len() <= floor {
            return Next::End(Ret { value, status: OK });
        }
        if let Some(&frame) = self.frames.last() {
            let ins = &self.program.funcs[frame.func.index()].insts[frame.pc - 1];
            if let Kind::Call {
                dst: Some((dst, ty)),
                ..
            }
            | Kind::CallIndirect {
                dst: Some((dst, ty)),
                ..
            } = ins.kind
            {
                self.set(frame.base, dst, ty.canonical(value));
            }
        }
        Next::Reload
    }

    /// A check failed: the host reports it and says with what the function goes on.
    fn fault<H: Host + ?Sized>(&mut self, host: &mut H, site: u32, code: u32) -> Result<Next, Why> {
        host.fault(self, self.site_id(site), code)
            .map(Next::Fail)
            .map_err(Why::Trap)
    }

    /// Takes the failure at the saved place to the block that takes it, through as many
    /// activations as needed. Gives it back when it leaves the call of the host.
    pub(super) fn fail<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        ret: Ret,
        floor: usize,
    ) -> Option<Ret> {
        let Ret { value, status } = ret;
        while let Some(&frame) = self.frames.last() {
            let code = &self.program.funcs[frame.func.index()];
            let exits = code.exits[code.insts[frame.pc - 1].exits as usize];
            let recover = exits.recover.filter(|_| status != CANCELLED);
            if let Some((to, local)) = recover {
                if let Some(local) = local {
                    self.set(frame.base, local, exception_word(value, status));
                }
                self.save(to as usize);
                return None;
            }
            if let Some((to, first, second)) = exits.cleanup {
                self.set(frame.base, first, value);
                self.set(frame.base, second, status);
                self.save(to as usize);
                return None;
            }
            self.pop_frame(host);
            if self.frames.len() <= floor {
                break;
            }
            if let Some(caller) = self.frames.last() {
                let ins = &self.program.funcs[caller.func.index()].insts[caller.pc - 1];
                host.trace(self.site_id(ins.site));
            }
        }
        Some(ret)
    }

    pub(super) fn save(&mut self, pc: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.pc = pc;
        }
    }

    #[inline]
    pub(super) fn get(&self, base: usize, src: Src) -> u64 {
        match src {
            Src::Reg(local) => self.regs[base + local as usize],
            Src::Imm(bits) => bits,
        }
    }

    #[inline]
    pub(super) fn set(&mut self, base: usize, dst: u32, bits: u64) -> Next {
        self.regs[base + dst as usize] = bits;
        Next::Step
    }
}

/// Whether the division has a site for a divisor of zero before the one for overflow.
fn tests_zero(op: BinOp, b: Src) -> bool {
    op.can_fault() && !matches!(b, Src::Imm(bits) if bits != 0)
}
