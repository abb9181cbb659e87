//! Asynchronous functions of compiled code, run from Rust and from C.
#![allow(unsafe_code, reason = "calls compiled code, exports a function for C")]

use asr_abi::{Ret, status};
use asr_base::{Error, Outcome, Status};
use asr_kernel::code::frame_meta;
use asr_kernel::compiled::{self, Exception, PollFn, RootFrame};
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_kernel::thread::adopt;
use asr_kernel::{Config, Spawn};

use crate::tasks::Tasks;

/// A frame for an asynchronous function with its arguments, to be spawned.
///
/// `size` is that of its frames; 0 looks it up in the code registry.
///
/// # Errors
/// `BAD_ARGUMENT` if the function is not registered, or the arguments do not fit.
///
/// # Safety
/// `poll` is the poll address of a function that takes words like these (ABI-27), with frames of
/// this size.
pub unsafe fn frame(poll: PollFn, size: u64, arguments: &[u64]) -> Result<RootFrame, Error> {
    let refused = |what: &str| Error::new(Status::BAD_ARGUMENT, what.to_owned());
    let size = match frame_meta(poll as usize) {
        Some(meta) => meta.size.into(),
        None if size != 0 => size,
        None => return Err(refused("the code of this function is not registered")),
    };
    if size < (size_of::<asr_abi::Frame>() + 8 * arguments.len()) as u64 {
        return Err(refused("more arguments than the function has"));
    }
    // SAFETY: forwarded.
    let frame = unsafe { RootFrame::new(adopt(), poll, size) };
    let mut frame = frame.ok_or_else(|| refused("the frame is too large"))?;
    for (index, &word) in arguments.iter().enumerate() {
        frame.argument(index, word);
    }
    Ok(frame)
}

impl Tasks {
    /// Runs an asynchronous function of compiled code as the main task, as [`run`](Tasks::run) does
    /// with a closure. The outcome is that of the function: the word that it returned, or an error
    /// whose cause is the exception.
    ///
    /// # Safety
    /// As for [`frame`].
    pub unsafe fn run_compiled(
        self,
        poll: PollFn,
        size: u64,
        arguments: &[u64],
    ) -> Outcome<u64, Error> {
        // SAFETY: forwarded.
        match unsafe { frame(poll, size, arguments) } {
            Ok(frame) => self.run(move |cx| main(cx, frame)),
            Err(error) => Outcome::Err(error),
        }
    }
}

/// Waits for the function as a task of its own.
async fn main(cx: asr_kernel::Cx, frame: RootFrame) -> Result<u64, asr_base::Failure> {
    let task = cx.spawn_compiled(frame, Spawn::new())?;
    task.join(&cx).await?.into_result()
}

/// Status and value of an outcome, as C gets them.
fn ret(outcome: Outcome<u64, Error>) -> Ret {
    let (status, value) = match outcome {
        Outcome::Ok(value) => (status::OK, value),
        Outcome::Err(error) => return Exception::ret(&error),
        Outcome::Cancelled(_) => (status::CANCELLED, 0),
        Outcome::Panicked(_) => (status::THREW, 0),
    };
    Ret {
        value,
        status: u64::from(status),
    }
}

/// Runs an asynchronous function as the main task of a runtime with so many worker threads (0: one
/// for each processor), waits for all that it started, and ends that runtime: its threads, files
/// and memory are given back. `size` is that of the function's frames, or 0 if its code is
/// registered.
///
/// `OK` with the word that it returned; `THREW` with its exception; `CANCELLED`; the status that it
/// failed with; `BAD_ARGUMENT`; `CYCLE` in a task, which would wait for itself; `IO` if threads
/// could not be started.
///
/// # Safety
/// As for [`frame`]; `arguments` points to `count` words, `out` is null or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_run(
    poll: Option<PollFn>,
    size: u64,
    arguments: *const u64,
    count: u32,
    workers: u32,
    out: *mut u64,
) -> u32 {
    let bad = |at: *const u64| at.is_null() || !at.is_aligned();
    let Some(poll) = poll.filter(|_| !bad(out) && (count == 0 || !bad(arguments))) else {
        return status::BAD_ARGUMENT;
    };
    let arguments = match count {
        0 => &[],
        // SAFETY: `count` words, says the caller.
        _ => unsafe { std::slice::from_raw_parts(arguments, count as usize) },
    };
    if !adopt().task.get().is_null() {
        return status::CYCLE;
    }
    crate::runtime::prepare();
    // SAFETY: forwarded.
    let ended = match unsafe { frame(poll, size, arguments) } {
        Ok(frame) => run(frame, workers),
        Err(error) => Exception::ret(&error),
    };
    compiled::give_back_here();
    // SAFETY: checked above.
    unsafe { out.write(ended.value) };
    ended.status as u32
}

fn run(frame: RootFrame, workers: u32) -> Ret {
    let config = match workers {
        0 => WorkersConfig::default(),
        count => WorkersConfig::workers(count as usize),
    };
    match Workers::new(config, Config::default()) {
        Ok(workers) => ret(workers.run(move |cx| main(cx, frame))),
        Err(error) => Exception::ret(&Error::from(error)),
    }
}
