//! Calls: activations of the program's functions, and what the host serves.

use asr_abi::Ret;

use super::code::*;
use super::host::{Host, Trap};
use super::machine::{Machine, Why};
use super::run::{Next, OK};
use crate::air::FuncId;

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
            } => {
                let addr = self.get(base, callee);
                if let Some(func) = host.func_at(addr) {
                    let known = self.program.funcs.get(func.index());
                    let class = self.program.sig_classes[sig as usize];
                    if known.is_some_and(|code| code.class == class) {
                        self.scratch = scratch;
                        self.activate(host, code, base, func, args)?;
                        return Ok(Next::Reload);
                    }
                    let message = format!("the function at {addr:#x} has another signature");
                    return Err(Why::Trap(Trap::new(message)));
                }
                gather(args, self);
                let sig = &module.sigs[sig as usize];
                (
                    host.call_address(self, addr, sig, &scratch)
                        .map_err(Why::Trap)?,
                    dst,
                )
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
                (host.intrinsic(self, row, &scratch).map_err(Why::Trap)?, dst)
            }
            Kind::Probe(kind) => {
                let site = self.site_id(ins.site);
                self.scratch = scratch;
                let ret = host.probe(self, site, kind).map_err(Why::Trap)?;
                return Ok(if ret.status == OK {
                    Next::Step
                } else {
                    Next::Fail(ret)
                });
            }
            _ => return Ok(Next::Step),
        };
        self.scratch = scratch;
        if ret.status != OK {
            host.trace(self.site_id(ins.site));
            return Ok(Next::Fail(ret));
        }
        Ok(match dst {
            Some((dst, ty)) => self.set(base, dst, ty.canonical(ret.value)),
            None => Next::Step,
        })
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
