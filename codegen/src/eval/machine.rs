//! The state of an evaluation: globals, frames, counts.

use std::fmt;

use asr_abi::Ret;

use super::code::Code;
use super::host::{Host, Trap};
use super::program::Program;
use crate::air::{FuncId, Loc, site_id};

/// How far an evaluation may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// AIR instructions in all calls together.
    pub fuel: u64,
    /// Activations at which `check.stack` faults. A stack of 8 MiB holds about so many small
    /// frames of compiled code.
    pub depth: usize,
    /// Calls of hosts into the machine, one inside the other, at which `check.stack` faults.
    /// Each takes some native stack, so this is what bounds it.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            fuel: u64::MAX,
            depth: 100_000,
            nesting: 64,
        }
    }
}

/// Locals of all activations together; beyond it the stack is exhausted. 128 MiB.
pub(super) const REGS_MAX: usize = 1 << 24;

/// An activation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) func: FuncId,
    /// The next instruction, while another activation runs.
    pub(super) pc: usize,
    /// Its first local in `regs`.
    pub(super) base: usize,
    /// Address of its stack slots.
    pub(super) slots: u64,
}

/// Why an evaluation stopped where compiled code would have gone wrong, or on for too long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// The fuel is used up.
    OutOfFuel,
    /// The stack grew past twice the limit without a `check.stack`.
    StackExhausted,
    /// The host could not do it.
    Trap(Trap),
}

/// An evaluation that stopped. Its activations are gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// Why.
    pub why: Why,
    /// The function in which it stopped, as people call it.
    pub func: String,
    /// Where.
    pub loc: Loc,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::OutOfFuel => f.write_str("the evaluation used up its fuel")?,
            Why::StackExhausted => f.write_str("the evaluation used up its stack")?,
            Why::Trap(trap) => write!(f, "{trap}")?,
        }
        write!(
            f,
            " in `{}` at {}:{}",
            self.func, self.loc.line, self.loc.col
        )
    }
}

impl std::error::Error for Stopped {}

/// An evaluation of a program: its globals, its stack, and how much it did.
#[derive(Debug)]
pub struct Machine<'p> {
    pub(super) program: &'p Program<'p>,
    pub(super) limits: Limits,
    pub(super) executed: u64,
    pub(super) globals: Vec<u64>,
    pub(super) data: Vec<u64>,
    pub(super) frames: Vec<Frame>,
    pub(super) regs: Vec<u64>,
    pub(super) nesting: usize,
    /// Arguments of the call of the host in progress; kept to save the allocation.
    pub(super) scratch: Vec<u64>,
}

impl<'p> Machine<'p> {
    /// A machine at rest, with fresh globals.
    pub fn new(program: &'p Program<'p>, limits: Limits) -> Self {
        let module = program.module();
        Machine {
            program,
            limits,
            executed: 0,
            globals: module
                .globals
                .iter()
                .map(|g| g.ty.canonical(g.init))
                .collect(),
            data: Vec::new(),
            frames: Vec::new(),
            regs: Vec::new(),
            nesting: 0,
            scratch: Vec::new(),
        }
    }

    /// Gives the constants and the repair handlers of the module to the host. Once, before the
    /// first call.
    ///
    /// # Errors
    /// What the host says.
    pub fn start<H: Host + ?Sized>(&mut self, host: &mut H) -> Result<(), Trap> {
        let module = self.program.module();
        self.data = module
            .data
            .iter()
            .map(|d| host.data(&d.bytes))
            .collect::<Result<_, _>>()?;
        let mut handlers = module.handlers.iter();
        handlers.try_for_each(|h| host.handler(h.type_id, h.func, h.bound_ns))
    }

    /// Calls a function with canonical arguments; what it returns or fails with.
    ///
    /// A host may call back with it from [`Host::intrinsic`] and the like.
    ///
    /// # Errors
    /// The evaluation stopped. Activations that were there before the call still are.
    pub fn call<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Stopped> {
        let (frames, regs) = (self.frames.len(), self.regs.len());
        self.nesting += 1;
        let result = self.enter_and_run(host, func, args);
        self.nesting -= 1;
        result.map_err(|why| {
            let stopped = self.stopped(why, func);
            self.unwind(host, frames, regs);
            stopped
        })
    }

    fn enter_and_run<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Why> {
        let code = self.entered(func, args, false).map_err(Why::Trap)?;
        if self.nesting > 2 * self.limits.nesting {
            return Err(Why::StackExhausted);
        }
        let (floor, base) = (self.frames.len(), self.regs.len());
        self.regs.extend_from_slice(args);
        self.push_frame(host, func, code, base)?;
        self.run(host, floor)
    }

    /// The function, if it is of this kind and takes so many arguments.
    pub(super) fn entered(
        &self,
        func: FuncId,
        args: &[u64],
        is_async: bool,
    ) -> Result<&'p Code, Trap> {
        let code = self.program.funcs.get(func.index());
        let Some(code) = code.filter(|code| code.params == args.len()) else {
            let message = format!("function {} does not take {} arguments", func.0, args.len());
            return Err(Trap::new(message));
        };
        match code.is_async == is_async {
            true => Ok(code),
            false => {
                let kind = if is_async { "" } else { "a" };
                let message = format!("function {} is {kind}synchronous", func.0);
                Err(Trap::new(message))
            }
        }
    }

    /// Begins an activation whose arguments are the locals from `base` on.
    pub(super) fn push_frame<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        func: FuncId,
        code: &Code,
        base: usize,
    ) -> Result<(), Why> {
        let top = base + code.locals;
        if top > REGS_MAX || self.frames.len() > self.limits.depth.saturating_mul(2) {
            return Err(Why::StackExhausted);
        }
        self.regs.resize(top, 0);
        let slots = match code.frame_bytes {
            0 => 0,
            bytes if code.is_async => host.keep_frame(bytes).map_err(Why::Trap)?,
            bytes => host.enter_frame(bytes).map_err(Why::Trap)?,
        };
        self.frames.push(Frame {
            func,
            pc: 0,
            base,
            slots,
        });
        Ok(())
    }

    /// Ends the innermost activation.
    pub(super) fn pop_frame<H: Host + ?Sized>(&mut self, host: &mut H) {
        if let Some(frame) = self.frames.pop() {
            self.regs.truncate(frame.base);
            let code = &self.program.funcs[frame.func.index()];
            match code.frame_bytes {
                0 => {}
                bytes if code.is_async => host.drop_frame(frame.slots, bytes),
                bytes => host.leave_frame(frame.slots, bytes),
            }
        }
    }

    pub(super) fn unwind<H: Host + ?Sized>(&mut self, host: &mut H, frames: usize, regs: usize) {
        while self.frames.len() > frames {
            self.pop_frame(host);
        }
        self.regs.truncate(regs);
    }

    pub(super) fn stopped(&self, why: Why, func: FuncId) -> Stopped {
        let frame = self.frames.last();
        let id = frame.map_or(func, |frame| frame.func);
        let code = self.program.funcs.get(id.index());
        let at = frame.map_or(0, |frame| frame.pc.saturating_sub(1));
        let func = self.program.module().funcs.get(id.index());
        Stopped {
            why,
            func: func.map_or("?", |func| func.display_name()).into(),
            loc: code
                .and_then(|code| code.locs.get(at))
                .copied()
                .unwrap_or_default(),
        }
    }

    /// The program.
    pub fn program(&self) -> &'p Program<'p> {
        self.program
    }

    /// AIR instructions executed so far, ends of blocks included.
    pub fn executed(&self) -> u64 {
        self.executed
    }

    /// The globals, in the order of the module.
    pub fn globals(&self) -> &[u64] {
        &self.globals
    }

    /// The functions that are running, the innermost last, each with the location of what it is
    /// at.
    pub fn backtrace(&self) -> impl DoubleEndedIterator<Item = (FuncId, Loc)> + '_ {
        self.frames.iter().map(|frame| self.program.at(frame))
    }

    /// The id of a site by its index.
    pub(super) fn site_id(&self, index: u32) -> u64 {
        site_id(self.program.module().unit, index)
    }
}
