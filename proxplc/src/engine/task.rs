//! Interpreted tasks on the real kernel: the root frame of a compiled task whose `poll` resumes the
//! evaluator (rule ABI-49). So it is started, driven, cancelled, joined and given up as compiled
//! code is, and its rows have their op slot in the frame.
//!
//! Invariants
//! 1. The frame is the header, the address of the session, the number of the task in it, and an op
//!    slot, which is empty but while a row waits.
//! 2. A session is used by one thread at a time, and stays in place until its last task has ended.
//! 3. What a task has besides the frame is the host's: a frame that is freed without having ended
//!    leaves it there until the session goes.

#![allow(
    unsafe_code,
    reason = "frames and tables for the kernel, laid out by hand"
)]

use std::fmt;
use std::ptr;
use std::sync::OnceLock;

use asr_abi::{
    CodeRecord, Frame, FrameEntry, FrameMeta, FrameTable, OpSlot, Ret, SiteTable, SuspendPoint,
    Thread, VERSION, status,
};
use asr_codegen::air::FuncId;
use asr_codegen::eval::{Limits, Machine, Program, Step, Task, Trap};
use asr_rt::kernel::compiled::RootFrame;

use super::host::NativeHost;

/// Offsets in the frame.
const SESSION: usize = size_of::<Frame>();
const NUMBER: usize = SESSION + 8;
const SLOT: usize = NUMBER + 8;
/// Bytes of the frame: the op slot is of the largest class.
const SIZE: u32 = (SLOT + 128) as u32;

/// An evaluation of a program whose asynchronous functions are tasks of the kernel.
pub struct Session<'p> {
    host: NativeHost,
    machine: Machine<'p>,
}

impl<'p> Session<'p> {
    /// A session on the calling thread, in a place of its own.
    ///
    /// # Errors
    /// What the host says about constants and handlers.
    pub fn new(
        program: &'p Program<'p>,
        limits: Limits,
        force_slow: bool,
    ) -> Result<Box<Self>, Trap> {
        register();
        let th = asr_rt::kernel::thread::adopt_ptr();
        let mut session = Box::new(Session {
            host: NativeHost::new(th, &super::symbols(), force_slow),
            machine: Machine::new(program, limits),
        });
        session.host.session = (&raw mut *session).cast();
        let Session { host, machine } = &mut *session;
        machine.start(host)?;
        Ok(session)
    }

    /// The frame of a task that will run an asynchronous function, to be spawned.
    ///
    /// # Errors
    /// The function does not take these arguments.
    ///
    /// # Safety
    /// The session outlives the task, and all that it starts, which run on this thread.
    pub unsafe fn root(&mut self, func: FuncId, args: &[u64]) -> Result<RootFrame, Trap> {
        let task = self.machine.task(&mut self.host, func, args)?;
        frame(&mut self.host, task).ok_or_else(|| Trap::new("no frame for a task"))
    }

    /// The globals, in the order of the module.
    pub fn globals(&self) -> &[u64] {
        self.machine.globals()
    }

    /// Why an evaluation stopped where machine code would have gone wrong.
    pub fn stopped(&self) -> Option<&str> {
        self.host.stopped_task.as_deref()
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        for mut task in self.host.take_tasks() {
            self.machine.discard(&mut self.host, &mut task);
        }
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

const CANCELLED: Ret = Ret {
    value: 0,
    status: status::CANCELLED as u64,
};

/// Resumes a task of the evaluator.
unsafe extern "C" fn poll(frame: *mut Frame, th: *const Thread) -> Ret {
    // SAFETY: the frame is as `root` or `start` made it, and nobody else uses the session now
    // (invariant 2).
    unsafe {
        let session = frame.byte_add(SESSION).cast::<u64>().read();
        let number = frame.byte_add(NUMBER).cast::<u64>().read();
        let slot = frame.byte_add(SLOT).cast::<OpSlot>();
        if (*frame).state == 0 {
            (&raw mut (*slot).vt).write(ptr::null());
            (*frame).state = 1;
        }
        let session = ptr::with_exposed_provenance_mut::<Session<'static>>(session as usize);
        let Session { host, machine } = &mut *session;
        let Some(mut task) = host.remove_task(number) else {
            return CANCELLED;
        };
        let outer = host.enter_poll(th, slot);
        let step = machine.resume(host, &mut task);
        host.leave_poll(outer);
        match step {
            Ok(Step::Ready(ret)) => ret,
            Ok(Step::Pending) => {
                host.put_task(number, task);
                (*th).leaf.set(frame);
                Ret {
                    value: 0,
                    status: status::PENDING.into(),
                }
            }
            Err(stopped) => {
                host.stopped_task.get_or_insert(stopped.to_string());
                CANCELLED
            }
        }
    }
}

/// The frame of a task of the session of a host.
pub(super) fn frame(host: &mut NativeHost, task: Task) -> Option<RootFrame> {
    // SAFETY: `poll` is one, for frames of this size.
    let frame = unsafe { RootFrame::new(asr_rt::kernel::thread::adopt(), poll, SIZE.into()) };
    let mut frame = frame?;
    frame.argument(0, host.session.expose_provenance() as u64);
    frame.argument(1, host.add_task(task));
    Some(frame)
}

/// Address of the `poll` and bytes of its frames, for a task that is started by a row.
pub(super) fn frame_kind() -> (u64, u64) {
    (poll as *const () as u64, SIZE.into())
}

/// Writes what a frame of [`frame_kind`] says.
///
/// # Safety
/// `frame` is one that has not started.
pub(super) unsafe fn fill(frame: u64, session: *mut (), number: u64) {
    let frame = ptr::with_exposed_provenance_mut::<Frame>(frame as usize);
    // SAFETY: inside of it, by the contract.
    unsafe {
        let word = session.expose_provenance() as u64;
        frame.byte_add(SESSION).cast::<u64>().write(word);
        frame.byte_add(NUMBER).cast::<u64>().write(number);
    }
}

/// Tells the runtime of the one suspend point of `poll`, once in a process: a frame is given up
/// by its table (rule ABI-28).
fn register() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let slots: &'static [u32] = &[SLOT as u32];
        let point: &'static SuspendPoint = Box::leak(Box::new(SuspendPoint {
            site: 0,
            refs: ptr::null(),
            slots: slots.as_ptr(),
            children: ptr::null(),
            n_refs: 0,
            n_slots: 1,
            n_children: 0,
            reserved: 0,
        }));
        let name = "evaluated";
        let meta: &'static FrameMeta = Box::leak(Box::new(FrameMeta {
            name: name.as_ptr(),
            name_len: name.len() as u32,
            size: SIZE,
            points: point,
            n_points: 1,
            reserved: 0,
        }));
        let entry: &'static FrameEntry = Box::leak(Box::new(FrameEntry {
            poll: poll as *const () as *const _,
            meta,
        }));
        let frames: &'static FrameTable = Box::leak(Box::new(FrameTable {
            len: 1,
            frames: entry,
        }));
        let sites: &'static SiteTable = Box::leak(Box::new(SiteTable {
            unit: 0,
            n_sites: 0,
            sites: ptr::null(),
            funcs: ptr::null(),
            n_funcs: 0,
            reserved: 0,
        }));
        let code: &'static [u8] = Box::leak(Box::new([0; 16]));
        let record: &'static CodeRecord = Box::leak(Box::new(CodeRecord {
            base: code.as_ptr(),
            len: code.len() as u64,
            sites,
            frames,
            version: VERSION.into(),
        }));
        let record = ptr::from_ref(record).expose_provenance() as u64;
        let status = super::registry::Runtime.ask("code_register", &[record]);
        assert_eq!(status, status::OK, "the runtime knows of no evaluator yet");
    });
}
