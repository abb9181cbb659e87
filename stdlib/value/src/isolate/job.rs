//! Parallel tasks: a function and its arguments in an isolate of their own.
//!
//! `Job::new` in the isolate that asks, `Job::run` where the task runs, `Done::take` in the isolate
//! that waits. The function must be one that any isolate may run ([`crate::object::PORTABLE`]):
//! cells of compiled code belong to the main isolate.
#![allow(unsafe_code, reason = "takes the words that compiled code answers")]

use asr_abi::{Ret, Thread, status};
use asr_kernel::thread::trace;

use super::{Isolate, Limits, Message, Reach, Refused, Unpack, pack, unpack};
use crate::call::{self, CALL_ARGS_MAX};
use crate::error::{Res, Thrown, message};
use crate::exception;
use crate::heap::Heap;
use crate::natives::Cx;
use crate::word::Value;

/// A parallel task before it ends: its isolate, and what it calls there.
#[derive(Debug)]
pub struct Job {
    isolate: Isolate,
    /// In the isolate: the function, then its arguments.
    call: Vec<Value>,
}

impl Job {
    /// Makes an isolate and copies a function and its arguments into it.
    ///
    /// # Errors
    /// Not callable with these, something that cannot cross, or no memory.
    pub fn new(cx: &Cx<'_>, function: Value, args: &[Value], limits: Limits) -> Res<Job> {
        let argc = u32::try_from(args.len()).map_err(|_| cx.heap.exhausted())?;
        call::callee(cx, function, argc)?;
        if args.len() > CALL_ARGS_MAX {
            let text = format!("A parallel task takes at most {CALL_ARGS_MAX} arguments.");
            return Err(cx.heap.thrown_text(&text));
        }
        let roots: Vec<Value> = [function].iter().chain(args).copied().collect();
        let packed = pack(cx.heap, &roots, Reach::Program);
        let packed = packed.map_err(|refused| cx.heap.thrown_text(&text(&refused)))?;
        let isolate = Isolate::beside(cx.heap, limits);
        let isolate = isolate.ok_or_else(|| cx.heap.exhausted())?;
        match unpack(&packed, isolate.heap()) {
            Ok(call) => Ok(Job { isolate, call }),
            Err(Unpack::Memory(_)) => Err(cx.heap.exhausted()),
            Err(Unpack::Malformed) => Err(cx.heap.thrown(message::INTERNAL)),
        }
    }

    /// Runs it to its end on this thread.
    pub fn run(self, th: &Thread) -> Done {
        self.run_with(th, |cx, function, args| {
            let argc = args.len() as u32;
            match call::callee(cx, function, argc) {
                Ok(code) => (cx.heap.call_code.get())(th, code, function, args),
                Err(thrown) => Ret {
                    value: thrown.0.word(),
                    status: status::THREW.into(),
                },
            }
        })
    }

    /// Runs it by `call`, which gets the function and its arguments, and answers as compiled code
    /// does: within the isolate, on this thread, at its end.
    pub fn run_with(
        mut self,
        th: &Thread,
        call: impl FnOnce(&Cx<'_>, Value, &[Value]) -> Ret,
    ) -> Done {
        let (function, args) = match &self.call[..] {
            [function, args @ ..] => (*function, args),
            [] => (Value::NULL, &[][..]),
        };
        self.isolate.enter(th, |heap| {
            let ret = call(&Cx { th, heap }, function, args);
            Done::of(th, heap, ret)
        })
    }

    /// The isolate, for tasks that run in several polls; [`Done::of`] ends them.
    pub fn isolate(&mut self) -> &mut Isolate {
        &mut self.isolate
    }

    /// The function and its arguments, values of the isolate.
    pub fn call(&self) -> &[Value] {
        &self.call
    }
}

/// How a parallel task ended.
#[derive(Debug)]
pub enum Done {
    /// It returned this.
    Returned(Message),
    /// It threw this.
    Threw(Message),
    /// It threw an error with this message, or what it returned cannot cross.
    Failed(String),
    /// It ended with another status: it was cancelled, for example.
    Ended(u32),
}

impl Done {
    /// What compiled code answered in this heap, which may be dropped then.
    pub fn of(th: &Thread, heap: &Heap, ret: Ret) -> Done {
        let status = u32::try_from(ret.status).unwrap_or(u32::MAX);
        // SAFETY: by the convention of compiled code, a value word or exception word of this heap.
        let word = unsafe { Value::from_word(ret.value) };
        let (value, name) = match status {
            status::OK => (word, "the result"),
            status::THREW => {
                // The trace is of this thread; the exception goes on without it.
                trace::clear(th);
                (exception::bind(heap, word), "the exception")
            }
            other => return Done::Ended(other),
        };
        match pack(heap, &[value], Reach::Program) {
            Ok(message) if status == status::OK => Done::Returned(message),
            Ok(message) => Done::Threw(message),
            Err(refused) => Done::Failed(refused.text(name)),
        }
    }

    /// The result, in the heap of whoever waited.
    ///
    /// # Errors
    /// What the task threw; the status of a task that ended otherwise, as a message.
    pub fn take(self, heap: &Heap) -> Res {
        let one = |message: &Message| match unpack(message, heap) {
            Ok(roots) => roots.first().copied().ok_or(Unpack::Malformed),
            Err(error) => Err(error),
        };
        let failed = |error| match error {
            Unpack::Memory(thrown) => thrown,
            Unpack::Malformed => heap.thrown(message::INTERNAL),
        };
        match self {
            Done::Returned(message) => one(&message).map_err(failed),
            Done::Threw(message) => Err(one(&message).map_or_else(failed, Thrown)),
            Done::Failed(text) => Err(heap.thrown_text(&text)),
            Done::Ended(status::CANCELLED) => Err(heap.thrown_text("The task was cancelled.")),
            Done::Ended(status) => {
                Err(heap.thrown_text(&format!("The task ended with status {status}.")))
            }
        }
    }
}

/// The message for a call that cannot cross.
fn text(refused: &Refused) -> String {
    match refused.root {
        0 => refused.text("the function"),
        n => refused.text(&format!("argument {n}")),
    }
}
