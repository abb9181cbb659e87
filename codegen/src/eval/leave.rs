//! Calls: activations of the program's functions, and what the host serves.

use asr_abi::Ret;

use super::code::*;
use super::host::{Host, Trap};
use super::machine::{Machine, Why};
use super::run::{Next, OK, PENDING};
use crate::air::{FuncId, Type};

impl<'p> Machine<'p> {
    /// Calls that the host serves, and indirect ones, which it may.
    pub(super) fn leave_program<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        code: &'p Code,
        ins: &Ins,
        base: usize,
    ) -> Result<Next, Why> {
        let module = self.program.module();
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let mut gather = |args: Args, vm: &Self| {
            let range = args.start as usize..(args.start + args.len) as usize;
            scratch.extend(code.args[range].iter().map(|&src| vm.get(base, src)));
        };
        let (ret, dst) = match ins.kind {
            Kind::CallIndirect {
                dst,
                sig,
                callee,
                args,
                is_async,
            } => {
                let addr = self.get(base, callee);
                if let Some(func) = host.func_at(addr) {
                    self.scratch = scratch;
                    self.check_class(addr, func, sig, is_async)?;
                    self.activate(host, code, base, func, args)?;
                    return Ok(Next::Reload);
                }
                if is_async {
                    return Err(Why::Trap(no_function(addr)));
                }
                gather(args, self);
                let sig = &module.sigs[sig as usize];
                let ret = host.call_address(self, addr, sig, &scratch);
                (ret.map_err(Why::Trap)?, dst)
            }
            Kind::CallExtern { dst, func, args } => {
                gather(args, self);
                let ext = &module.externs[func as usize];
                let value = host.call_extern(self, &ext.name, &ext.sig, &scratch);
                (
                    Ret {
                        value: value.map_err(Why::Trap)?,
                        status: OK,
                    },
                    dst,
                )
            }
            Kind::Intrinsic { dst, row, args } => {
                gather(args, self);
                let ret = host.intrinsic(self, row, &scratch).map_err(Why::Trap)?;
                if ret.status == PENDING {
                    self.scratch = scratch;
                    return self.suspend(code.is_async && row.waits());
                }
                (ret, dst)
            }
            Kind::Spawn {
                dst,
                region,
                task,
                args,
            } => {
                gather(args, self);
                let func = match task {
                    Callee::Func(func) => FuncId(func),
                    Callee::At(addr, sig) => {
                        let addr = self.get(base, addr);
                        let func = host.func_at(addr);
                        let func = func.ok_or_else(|| Why::Trap(no_function(addr)))?;
                        self.check_class(addr, func, sig, true)?;
                        func
                    }
                };
                let region = region.map(|region| self.get(base, region));
                let ret = host.spawn(self, region, func, &scratch);
                (ret.map_err(Why::Trap)?, Some((dst, Type::Task)))
            }
            Kind::Probe(kind) => {
                let site = self.site_id(ins.site);
                self.scratch = scratch;
                let ret = host.probe(self, site, kind, code.is_async);
                let ret = ret.map_err(Why::Trap)?;
                return match ret.status {
                    OK => Ok(Next::Step),
                    PENDING => self.suspend(code.is_async),
                    _ => Ok(Next::Fail(ret)),
                };
            }
            _ => return Ok(Next::Step),
        };
        self.scratch = scratch;
        Ok(self.answered(host, ins.site, dst, base, ret))
    }

    /// Takes an answer of the host to the instruction that asked for it.
    pub(super) fn answered<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        site: u32,
        dst: Dst,
        base: usize,
        ret: Ret,
    ) -> Next {
        if ret.status != OK {
            host.trace(self.site_id(site));
            return Next::Fail(ret);
        }
        match dst {
            Some((dst, ty)) => self.set(base, dst, ty.canonical(ret.value)),
            None => Next::Step,
        }
    }

    /// The function at an address must be what the call takes it for.
    fn check_class(&self, addr: u64, func: FuncId, sig: u32, is_async: bool) -> Result<(), Why> {
        let known = self.program.funcs.get(func.index());
        let class = self.program.sig_classes[sig as usize][usize::from(is_async)];
        if known.is_some_and(|code| code.class == class) {
            return Ok(());
        }
        let message = format!("the function at {addr:#x} has another signature");
        Err(Why::Trap(Trap::new(message)))
    }

    /// Begins an activation of a function of the module.
    pub(super) fn activate<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        code: &Code,
        base: usize,
        func: FuncId,
        args: Args,
    ) -> Result<(), Why> {
        let top = self.regs.len();
        for &src in &code.args[args.start as usize..(args.start + args.len) as usize] {
            let bits = self.get(base, src);
            self.regs.push(bits);
        }
        self.push_frame(host, func, &self.program.funcs[func.index()], top)
    }
}

fn no_function(addr: u64) -> Trap {
    Trap::new(format!("there is no function at {addr:#x}"))
}
