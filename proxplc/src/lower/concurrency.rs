//! Awaits, tasks, channels, timers, isolates.
//!
//! A task value is an object of the library. Its task runs a function of its own,
//! `(object, arguments) -> value`, which awaits the async function and tells the object how it
//! ended. The value of an async function is a function that starts a task.

use asr_codegen::air::{
    Edge, FuncId, FunctionBuilder, Linkage, LocalId, ModuleBuilder, Operand, Signature, Type,
};

use super::func::FuncLower;
use super::module::{Shared, value_signature};
use super::rows::{self, tasks};
use super::{Val, word};
use crate::analysis::hir::{self, Expr, NativeId};
use crate::analysis::natives::{self, Operation};
use crate::syntax::Span;

/// How a task ended, for the library.
const ENDED: u64 = 0;
const FAILED: u64 = 1;
const CANCELLED: u64 = 2;

/// What a task of an async function runs: `(object, parameters...) -> value`.
pub(super) fn task_signature(of: &Signature) -> Signature {
    let mut sig = of.clone();
    sig.params.insert(0, Type::Value);
    sig
}

/// The function of a task: awaits `func` with its parameters but the first, the object.
pub(super) fn define_task(
    builder: &mut ModuleBuilder,
    shared: &Shared,
    id: hir::FuncId,
    task: FuncId,
) {
    let func = shared.funcs[id.0 as usize];
    let params = shared.program.func(id).params.len();
    let mut b = builder.define(task);
    shared.place(&mut b, id);
    run_task(b, func, params);
}

fn run_task(mut b: FunctionBuilder<'_>, func: FuncId, params: usize) {
    let object = b.param(0);
    let args: Vec<Operand> = (1..=params).map(|n| b.param(n).into()).collect();
    let exception = b.new_local(Type::Value, "exception");
    let value = b.new_local(Type::Value, "value");
    let status = b.new_local(Type::I64, "status");
    let (failed, cancelled) = (b.new_block("failed"), b.new_block("cancelled"));
    b.set_cold(failed);
    b.set_cold(cancelled);
    let outer = b.set_edge(Edge {
        recover: Some((failed, Some(exception))),
        cleanup: Some((cancelled, value, status)),
    });
    let result = b.await_call(func, &args);
    b.set_edge(outer);
    let result = result.map_or(Operand::Imm(word::NULL), Operand::from);
    b.intrinsic_into(
        None,
        rows::TASK_END,
        &[object.into(), Operand::Imm(ENDED), result],
    );
    b.ret(Some(result));
    b.switch_to_block(failed);
    let end = [object.into(), Operand::Imm(FAILED), exception.into()];
    b.intrinsic_into(None, rows::TASK_END, &end);
    b.throw(exception);
    b.switch_to_block(cancelled);
    let end = [
        object.into(),
        Operand::Imm(CANCELLED),
        Operand::Imm(word::NULL),
    ];
    b.intrinsic_into(None, rows::TASK_END, &end);
    b.raise(value, status);
    b.finish();
}

/// Start a task: its object.
pub(super) fn start_task(
    b: &mut FunctionBuilder<'_>,
    task: FuncId,
    scope: Option<(LocalId, Operand)>,
    args: &[Operand],
) -> Operand {
    let (region, scope) = match scope {
        Some((region, object)) => (Some(region), object),
        None => (None, Operand::Imm(word::NULL)),
    };
    let object = b.intrinsic(rows::TASK, &[scope]);
    let object = object.map_or(Operand::Imm(word::NULL), Operand::from);
    let mut all = vec![object];
    all.extend_from_slice(args);
    let handle = b.spawn(region, task, &all);
    b.intrinsic_into(None, rows::TASK_STARTED, &[object, handle.into()]);
    object
}

/// The function that an isolate of `argc` arguments runs: `(what was sent: i64) -> value`.
pub(super) fn define_isolate(builder: &mut ModuleBuilder, argc: u32) -> FuncId {
    let sig = Signature {
        params: vec![Type::I64],
        ret: Some(Type::Value),
        throws: true,
    };
    let func = builder.declare(&format!("isolate.{argc}"), Linkage::Local, &sig);
    builder.set_async(func);
    let mut b = builder.define(func);
    let sent = b.param(0);
    let exception = b.new_local(Type::Value, "exception");
    let failed = b.new_block("failed");
    b.set_cold(failed);
    let value = b.new_local(Type::Value, "value");
    let status = b.new_local(Type::I64, "status");
    let cancelled = b.new_block("cancelled");
    b.set_cold(cancelled);
    let outer = b.set_edge(Edge {
        recover: Some((failed, Some(exception))),
        cleanup: Some((cancelled, value, status)),
    });
    let null = || Operand::Imm(word::NULL);
    let list = b.intrinsic(rows::ISOLATE_BEGIN, &[sent.into()]);
    let list = list.map_or(null(), Operand::from);
    let mut words = Vec::new();
    for at in 0..=argc {
        let index = Operand::Imm(f64::from(at).to_bits());
        let item = b.intrinsic(rows::INDEX, &[list, index]);
        words.push(item.map_or(null(), Operand::from));
    }
    let code = b.intrinsic(rows::CALLEE, &[words[0], Operand::Imm(argc.into())]);
    let code = code.map_or(Operand::Imm(0), Operand::from);
    let result = b.call_indirect(&value_signature(argc), code, &words);
    let result = b.intrinsic(rows::AWAIT, &[result.map_or(null(), Operand::from)]);
    let result = result.map_or(null(), Operand::from);
    b.intrinsic_into(
        None,
        rows::ISOLATE_END,
        &[sent.into(), Operand::Imm(ENDED), result],
    );
    b.set_edge(outer);
    b.ret(Some(result));
    b.switch_to_block(failed);
    let end = [sent.into(), Operand::Imm(FAILED), exception.into()];
    b.intrinsic_into(None, rows::ISOLATE_END, &end);
    b.throw(exception);
    b.switch_to_block(cancelled);
    b.intrinsic_into(
        None,
        rows::ISOLATE_END,
        &[sent.into(), Operand::Imm(CANCELLED), null()],
    );
    b.raise(value, status);
    b.finish();
    func
}

/// The function of the task that stands for an isolate: awaits its end. Cancelled, it cancels the
/// isolate, and awaits its end still: whoever waits for this task waits for the isolate.
pub(super) fn define_watch(builder: &mut ModuleBuilder) -> FuncId {
    let sig = Signature {
        params: vec![Type::Value],
        ret: Some(Type::Value),
        throws: true,
    };
    let func = builder.declare("isolate.watch", Linkage::Local, &sig);
    builder.set_async(func);
    let mut b = builder.define(func);
    let isolate = b.param(0);
    let value = b.new_local(Type::Value, "value");
    let status = b.new_local(Type::I64, "status");
    let [stopped, masked, over] = ["stopped", "masked", "over"].map(|name| b.new_block(name));
    for block in [stopped, masked, over] {
        b.set_cold(block);
    }
    let cleanup = Some((stopped, value, status));
    let outer = b.set_edge(Edge {
        recover: None,
        cleanup,
    });
    let result = b.intrinsic(rows::AWAIT, &[isolate.into()]);
    b.set_edge(outer);
    b.ret(Some(result.map_or(Operand::Imm(word::NULL), Operand::from)));
    b.switch_to_block(stopped);
    b.intrinsic_into(None, tasks::MASK_ENTER, &[]);
    b.jump(masked);
    b.switch_to_block(masked);
    let ignored = b.new_local(Type::Value, "ignored");
    let ignored = (over, ignored, b.new_local(Type::I64, "ignored"));
    b.set_edge(Edge {
        recover: None,
        cleanup: Some(ignored),
    });
    b.intrinsic_into(None, rows::CANCEL, &[isolate.into()]);
    b.intrinsic_into(None, rows::AWAIT, &[isolate.into()]);
    b.set_edge(outer);
    b.jump(over);
    b.switch_to_block(over);
    b.intrinsic_into(None, tasks::MASK_LEAVE, &[]);
    b.raise(value, status);
    b.finish();
    let task = builder.declare("isolate.task", Linkage::Local, &task_signature(&sig));
    builder.set_async(task);
    let b = builder.define(task);
    run_task(b, func, 1);
    task
}

impl FuncLower<'_, '_> {
    /// The arguments of a function that is known here, and what it captures.
    pub(super) fn direct_args(
        &mut self,
        func: hir::FuncId,
        args: &[Expr],
        span: Span,
    ) -> Vec<Operand> {
        let vals = self.args(args);
        self.set_span(span);
        let params = &self.shared.program.func(func).params;
        let mut ops = Vec::with_capacity(vals.len());
        for (param, val) in params.iter().zip(vals) {
            ops.push(self.coerce(val, self.shared.types.var(*param)));
        }
        ops.extend(self.captured(func));
        ops
    }

    /// A call of an async function without `await`.
    pub(super) fn start(&mut self, func: hir::FuncId, args: &[Expr], span: Span) -> Val {
        let ops = self.direct_args(func, args, span);
        let Some(task) = self.shared.tasks[func.0 as usize] else {
            return self.null();
        };
        Val::value(start_task(&mut self.b, task, self.scope, &ops))
    }

    /// `await f(a)`
    pub(super) fn await_call(&mut self, func: hir::FuncId, args: &[Expr], span: Span) -> Val {
        let ops = self.direct_args(func, args, span);
        let result = self.b.await_call(self.shared.funcs[func.0 as usize], &ops);
        Val::value(result.map_or(Operand::Imm(word::NULL), Operand::from))
    }

    /// `await e`
    pub(super) fn await_value(&mut self, operand: &Expr, span: Span) -> Val {
        let val = self.expr(operand);
        let word = self.word_of(val);
        self.set_span(span);
        Val::value(self.call_row(rows::AWAIT, &[word]))
    }

    /// An operation of concurrency.
    pub(super) fn operation(&mut self, id: NativeId, args: &[Expr], span: Span) -> Val {
        let vals = self.args(args);
        self.set_span(span);
        let Some(op) = natives::get(id).op else {
            return self.null();
        };
        let mut words: Vec<Operand> = Vec::new();
        for val in vals {
            words.push(self.word_of(val));
        }
        // What is missing is null, what is too much is dropped, as with other natives.
        words.resize(op.arity(), Operand::Imm(word::NULL));
        let row = match op {
            Operation::Channel => rows::CHANNEL,
            Operation::Recv => rows::RECV,
            Operation::Close => rows::CLOSE,
            Operation::Cancel => rows::CANCEL,
            Operation::Send => rows::SEND,
            Operation::Sleep => rows::SLEEP,
        };
        match op {
            Operation::Channel | Operation::Recv => Val::value(self.call_row(row, &words)),
            _ => {
                self.b.intrinsic_into(None, row, &words);
                self.null()
            }
        }
    }

    /// `spawn f(a)`
    pub(super) fn spawn(&mut self, callee: &Expr, args: &[Expr], span: Span) -> Val {
        let callee_val = self.expr(callee);
        let mut all = vec![self.pin(callee_val, args.iter().any(|e| e.assigns))];
        all.extend(self.args(args));
        self.set_span(span);
        let words = self.in_memory(&all);
        let code = self.shared.isolates.get(&(args.len() as u32)).copied();
        let Some(code) = code else {
            return self.null();
        };
        let poll = self.b.func_addr(code);
        let count = Operand::Imm(all.len() as u64);
        let isolate = self.call_row(rows::ISOLATE, &[poll.into(), words, count]);
        let Some(watch) = self.shared.watch else {
            return self.null();
        };
        Val::value(start_task(&mut self.b, watch, self.scope, &[isolate]))
    }
}
