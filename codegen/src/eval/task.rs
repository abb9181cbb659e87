//! Tasks: activation stacks that survive suspensions.
//!
//! An await is an activation on top of the one that awaits, so a suspended task is its stack, and
//! the instruction that its innermost activation is at says how it goes on: a probe is taken
//! again, a row that waits asks the host for what its operation came to.
//!
//! Invariants
//! 1. A task begins with an activation of an asynchronous function and is suspended only in one:
//!    synchronous functions on its stack end first.
//! 2. While a task runs, its stack is the machine's; what ran before lies aside until it suspends.
//! 3. Nothing is ever dropped without the host: a task that is given up goes through
//!    [`Machine::discard`], so that the host gets its frames back.

use asr_abi::Ret;

use super::code::Kind;
use super::host::{Host, Trap};
use super::machine::{Frame, Machine, Stopped, Why};
use super::run::{Next, PENDING};
use crate::air::{FuncId, Loc};

/// A task of a program: fresh, or suspended.
#[derive(Debug)]
pub struct Task {
    func: FuncId,
    frames: Vec<Frame>,
    regs: Vec<u64>,
}

/// How far a task came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It is suspended.
    Pending,
    /// It has ended.
    Ready(Ret),
}

impl Task {
    /// The function with which it began.
    pub fn func(&self) -> FuncId {
        self.func
    }

    /// Whether it has ended, or was discarded.
    pub fn is_done(&self) -> bool {
        self.frames.is_empty()
    }
}

impl<'p> Machine<'p> {
    /// A task that will run an asynchronous function with canonical arguments.
    ///
    /// # Errors
    /// The function does not take them, or the host has no memory for its slots.
    pub fn task<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        func: FuncId,
        args: &[u64],
    ) -> Result<Task, Trap> {
        let code = self.entered(func, args, true)?;
        let mut task = Task {
            func,
            frames: Vec::new(),
            regs: args.to_vec(),
        };
        self.swap(&mut task);
        let pushed = self.push_frame(host, func, code, 0);
        self.swap(&mut task);
        match pushed {
            Ok(()) => Ok(task),
            Err(Why::Trap(trap)) => Err(trap),
            Err(_) => Err(Trap::new("no room for the locals of a task")),
        }
    }

    /// Runs a task to its next suspension or its end. A task that has ended stays so.
    ///
    /// # Errors
    /// The evaluation stopped. The task is discarded.
    pub fn resume<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        task: &mut Task,
    ) -> Result<Step, Stopped> {
        self.swap(task);
        self.nesting += 1;
        let result = self.go_on(host);
        self.nesting -= 1;
        let result = result.map_err(|why| {
            let stopped = self.stopped(why, task.func);
            self.unwind(host, 0, 0);
            stopped
        });
        self.swap(task);
        Ok(match result? {
            _ if !task.frames.is_empty() => Step::Pending,
            ret => Step::Ready(ret),
        })
    }

    /// Ends a suspended task without running any of its cleanup.
    pub fn discard<H: Host + ?Sized>(&mut self, host: &mut H, task: &mut Task) {
        self.swap(task);
        self.unwind(host, 0, 0);
        self.swap(task);
    }

    /// The functions that a suspended task is in, the innermost last, each with the location of
    /// what it waits for.
    pub fn task_backtrace<'t>(
        &self,
        task: &'t Task,
    ) -> impl DoubleEndedIterator<Item = (FuncId, Loc)> + use<'t, 'p> {
        let program = self.program;
        task.frames.iter().map(move |frame| program.at(frame))
    }

    /// Resumes the stack that is the machine's now.
    fn go_on<H: Host + ?Sized>(&mut self, host: &mut H) -> Result<Ret, Why> {
        if self.nesting > 2 * self.limits.nesting {
            return Err(Why::StackExhausted);
        }
        let done = Ret {
            value: 0,
            status: asr_abi::status::ALREADY_RESOLVED.into(),
        };
        let Some(&frame) = self.frames.last() else {
            return Ok(done);
        };
        let Some(at) = frame.pc.checked_sub(1) else {
            return self.run(host, 0);
        };
        let ins = &self.program.funcs[frame.func.index()].insts[at];
        match ins.kind {
            Kind::Intrinsic { dst, row, .. } => {
                let ret = host.op_poll(self, row).map_err(Why::Trap)?;
                if ret.status == PENDING {
                    return Ok(ret);
                }
                if let Next::Fail(ret) = self.answered(host, ins.site, dst, frame.base, ret)
                    && let Some(ret) = self.fail(host, ret, 0)
                {
                    return Ok(ret);
                }
            }
            // A probe is taken again.
            _ => self.save(at),
        }
        self.run(host, 0)
    }

    /// The instruction at hand waits.
    pub(super) fn suspend(&self, may_wait: bool) -> Result<Next, Why> {
        let pending = Ret {
            value: 0,
            status: PENDING,
        };
        match may_wait {
            true => Ok(Next::End(pending)),
            false => Err(Why::Trap(Trap::new("the host waits where nothing may"))),
        }
    }

    fn swap(&mut self, task: &mut Task) {
        std::mem::swap(&mut self.frames, &mut task.frames);
        std::mem::swap(&mut self.regs, &mut task.regs);
    }
}
