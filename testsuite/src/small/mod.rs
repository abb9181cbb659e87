//! Machine code of asynchronous functions over the kernel in miniature of the evaluator: the same
//! host answers both engines, so they meet the same schedule, and whatever differs is theirs.
//!
//! Invariants
//! 1. One call at a time on a thread; its state is borrowed between the calls of machine code and
//!    inside the functions that code calls, never across.
//! 2. The flag word is set anew after whatever may change it: a poll begins, a row was called.
//! 3. Frames are memory of this call: what is not freed at its end is counted as live.

#![allow(unsafe_code, reason = "runs the frames of machine code")]

mod frames;
mod rows;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

use asr_abi::frame_state::DONE;
use asr_abi::{CodeRecord, Frame, Ret, Thread, status};
use asr_codegen::Prepared;
use asr_codegen::eval::SyncHost;
use asr_codegen::jit::Unit;

use crate::filetest::run::jit::AnyRegistry;
use crate::filetest::run::{Call, Outcome, eval};

/// A task: where it is resumed.
struct Native {
    root: *mut Frame,
    leaf: *mut Frame,
}

/// What a call has.
struct Engine {
    host: SyncHost,
    th: Box<Thread>,
    record: *const CodeRecord,
    tasks: HashMap<u64, Native>,
    /// Bytes of frames in use.
    live: u64,
}

thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Runs `f` on the call that is in progress; `None` if there is none.
fn engine<T>(f: impl FnOnce(&mut Engine) -> T) -> Option<T> {
    ENGINE.with_borrow_mut(|engine| engine.as_mut().map(f))
}

/// A unit whose runtime is this.
///
/// # Errors
/// What the compiler refused.
pub fn load(prepared: &Prepared) -> Result<Unit, String> {
    let mut symbols = rows::symbols();
    symbols.extend(frames::symbols());
    let symbols: Vec<(&str, *const u8)> = symbols
        .iter()
        .map(|(name, code)| (name.as_str(), *code))
        .collect();
    Unit::load(prepared, &symbols, Box::new(AnyRegistry)).map_err(|error| error.to_string())
}

/// Makes the call of an asynchronous function in a loaded unit: as the root task, with all that it
/// starts.
///
/// # Errors
/// There is no such export, or tasks wait for ever.
pub fn call(unit: &Unit, call: &Call) -> Result<Outcome, String> {
    let poll = unit.lookup(&call.func);
    let poll = poll.ok_or_else(|| format!("no export @{}", call.func))?;
    let mut host = SyncHost::new();
    eval::arm(&mut host, call.armed);
    host.forget_tasks();
    ENGINE.set(Some(Engine {
        host,
        th: Box::default(),
        record: unit.record(),
        tasks: HashMap::new(),
        live: 0,
    }));
    let words = call.args.iter().map(|(ty, bits)| ty.canonical(*bits));
    let words: Vec<u64> = words.collect();
    // SAFETY: the unit is loaded and the export asynchronous, so it is a poll of that record; its
    // frame has one word for each parameter.
    let outcome = unsafe { run(poll, &words) };
    ENGINE.set(None);
    outcome
}

unsafe fn run(poll: *const u8, words: &[u64]) -> Result<Outcome, String> {
    // SAFETY: by the caller's promise.
    let root = engine(|engine| unsafe {
        let frame = engine.frame_of(poll.cast());
        for (n, word) in words.iter().enumerate() {
            frame.byte_add(32 + 8 * n).cast::<u64>().write(*word);
        }
        engine.start(None, frame)
    });
    let root = root.expect("a call is in progress");
    for round in 0.. {
        // SAFETY: each task has a frame that was started, and is polled by nobody else.
        while unsafe { turn() } {}
        if engine(|engine| engine.host.unstick(round)) != Some(true) {
            break;
        }
    }
    let outcome = engine(|engine| {
        let ret = engine.host.small.outcome(root.value)?;
        Some(Outcome {
            value: ret.value,
            status: ret.status,
            probes: engine.host.probes,
            fault: engine.host.faults.last().map_or(0, |fault| fault.code),
            live: engine.live,
            suspensions: engine.host.suspensions,
            seen: eval::seen(&engine.host),
        })
    });
    outcome
        .flatten()
        .ok_or_else(|| "tasks wait for ever".to_owned())
}

/// Polls the next task that is ready, if there is one.
unsafe fn turn() -> bool {
    let next = engine(|engine| {
        let id = engine.host.small.next_task()?;
        engine.flag();
        let leaf = engine.tasks.get(&id).map(|task| task.leaf);
        Some((id, leaf, &raw const *engine.th))
    });
    let Some((id, leaf, th)) = next.flatten() else {
        return false;
    };
    let Some(leaf) = leaf else { return true };
    // SAFETY: by the caller's promise; the thread state is in a box of its own.
    let ret = unsafe { drive(leaf, th) };
    engine(|engine| {
        if ret.status == u64::from(status::PENDING) {
            if let Some(task) = engine.tasks.get_mut(&id) {
                task.leaf = engine.th.leaf.get();
            }
            engine.host.suspended(id);
            return;
        }
        engine.host.small.ended(ret);
        if let Some(task) = engine.tasks.remove(&id) {
            engine.free(task.root);
        }
    });
    true
}

/// From the leaf to the root, until one suspends.
unsafe fn drive(leaf: *mut Frame, th: *const Thread) -> Ret {
    let mut frame = leaf;
    // SAFETY: frames from the leaf to the root are linked by `parent` (rule ABI-27).
    unsafe {
        loop {
            let ret = ((*frame).poll)(frame, th);
            let parent = (*frame).parent;
            if ret.status == u64::from(status::PENDING) || parent.is_null() {
                return ret;
            }
            (*frame).value = ret.value;
            (*frame).state = DONE | ret.status as u32;
            frame = parent;
        }
    }
}

impl Engine {
    /// Makes the flag word say what is pending for the current task.
    fn flag(&self) {
        self.th.flag.store(self.host.is_flagged().into(), Relaxed);
    }

    fn start(&mut self, region: Option<u64>, root: *mut Frame) -> Ret {
        match self.host.small.spawn(region) {
            Ok(handle) => {
                self.tasks.insert(handle, Native { root, leaf: root });
                Ret {
                    value: handle,
                    status: 0,
                }
            }
            Err(status) => {
                self.free(root);
                Ret {
                    value: 0,
                    status: status.into(),
                }
            }
        }
    }
}
