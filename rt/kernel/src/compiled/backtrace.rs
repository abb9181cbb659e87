//! Where each compiled task is: its frames from the leaf to the root, and what the leaf awaits.
//!
//! A suspended task is held as by a poll while its frames are read; a wake that comes meanwhile
//! queues it afterwards. One that runs, or is about to, is named by its root function alone.
#![allow(unsafe_code, reason = "reads the frames of a task that it holds")]

use std::fmt;
use std::ptr::NonNull;

use asr_abi::Frame;
use asr_base::TaskId;

use super::{root, slot};
use crate::code;
use crate::kernel::Kernel;
use crate::task::word::AfterPoll;
use crate::task::{Phase, TaskRef, waker};

/// One frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameTrace {
    /// Name of the function; its poll address if its code is not registered.
    pub function: String,
    /// Name of the file; empty when unknown.
    pub file: String,
    /// Line of the suspension; 0 when unknown, or not suspended.
    pub line: u32,
    /// The operation that it awaits, of the leaf only.
    pub awaits: Option<String>,
}

/// What a task does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    /// It waits for its first poll.
    Starting,
    /// It waits for something.
    Suspended,
    /// It is polled, or queued for that.
    Running,
}

/// One task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskTrace {
    /// Which.
    pub task: TaskId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What it does.
    pub doing: Doing,
    /// The innermost frame first.
    pub frames: Vec<FrameTrace>,
}

impl fmt::Display for FrameTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        if self.line != 0 {
            write!(f, " at {}:{}", self.file, self.line)?;
        }
        match &self.awaits {
            Some(operation) => write!(f, ", awaits {operation}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for TaskTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.task)?;
        if let Some(name) = &self.name {
            write!(f, " \"{name}\"")?;
        }
        let doing = match self.doing {
            Doing::Starting => "has not started",
            Doing::Suspended => "is suspended",
            Doing::Running => "runs",
        };
        writeln!(f, " {doing}")?;
        for frame in &self.frames {
            writeln!(f, "    {frame}")?;
        }
        Ok(())
    }
}

impl Kernel {
    /// Every compiled task that has not completed, in order of index. As text: `Display` of each.
    pub fn async_backtraces(&self) -> Vec<TaskTrace> {
        let tasks = self.tasks().into_iter();
        tasks.filter_map(|task| trace(&task)).collect()
    }
}

fn trace(task: &TaskRef) -> Option<TaskTrace> {
    let root = root::root_of(task.cell()?)?;
    let of = |doing, frames| TaskTrace {
        task: task.id(),
        name: task.name(),
        doing,
        frames,
    };
    if !task.word.hold() {
        let doing = match task.phase() {
            Phase::Created => Doing::Starting,
            _ => Doing::Running,
        };
        // SAFETY: the reference keeps the frame; nobody writes the address of the code.
        let poll = unsafe { (&raw const (*root.as_ptr()).poll).read() } as usize;
        return Some(of(doing, vec![function(poll)]));
    }
    // SAFETY: held as by a poll, until `let_go`.
    let (doing, frames) = unsafe { frames(root) };
    let trace = of(doing, frames);
    let_go(task);
    Some(trace)
}

/// The end of a poll in which nothing happened.
fn let_go(task: &TaskRef) {
    let poller = TaskRef::clone(task);
    let fiber = task.word.load().is_fiber();
    match poller.word.end_poll() {
        // It dropped the reference.
        AfterPoll::Idle => drop(poller.into_raw()),
        AfterPoll::Enqueue => waker::enqueue(poller, fiber),
    }
}

fn function(poll: usize) -> FrameTrace {
    let name = code::frame_meta(poll).map(code::name);
    FrameTrace {
        function: name.unwrap_or_else(|| format!("{poll:#x}")),
        file: String::new(),
        line: 0,
        awaits: None,
    }
}

/// # Safety
/// The caller holds the task of this root.
unsafe fn frames(root: NonNull<Frame>) -> (Doing, Vec<FrameTrace>) {
    let mut traces = Vec::new();
    // SAFETY: by the contract; frames of a suspended task are alive, and linked up to the root.
    unsafe {
        if !root::is_live(root) {
            return (Doing::Running, traces);
        }
        let mut frame = root::leaf(root);
        while !frame.is_null() {
            let poll = (*frame).poll as usize;
            let mut trace = function(poll);
            let meta = code::frame_meta(poll);
            if let Some(point) = meta.and_then(|meta| code::suspend_point(meta, (*frame).state)) {
                if let Some(place) = code::site(point.site) {
                    trace.file = place.file;
                    trace.line = place.line;
                }
                if traces.is_empty() {
                    let slots = code::offsets(point.slots, point.n_slots);
                    let at = slots.first().map(|&at| frame.byte_add(at as usize));
                    trace.awaits = at.and_then(|slot| slot::operation(slot.cast()));
                }
            }
            traces.push(trace);
            frame = (*frame).parent;
        }
    }
    (Doing::Suspended, traces)
}
