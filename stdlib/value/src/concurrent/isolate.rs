//! Isolates: heaps of their own, each polled by one worker, all at the same time.
//!
//! Invariants
//! 1. A heap is used by the thread that makes it until its first task starts, by the worker of the
//!    isolate until its region has closed, and by whoever drops it then.
//! 2. Who runs an isolate may be given up before its region has closed: tasks of the region may
//!    still run then, so the heap stays for as long as the process.
//! 3. What comes in and what goes out are parcels.
#![allow(unsafe_code, reason = "hands a heap to the worker that will use it")]

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use asr_abi::{Ret, Thread, status};
use asr_intrinsics::Refusal;
use asr_kernel::code::frame_meta;
use asr_kernel::compiled::{self, PollFn, RootFrame};
use asr_kernel::cx::Checked;
use asr_kernel::{Cx, OpenRegion, RegionConfig, RegionHandle, Spawn};

use super::resource::Resource;
use super::task::{How, TaskState};
use crate::error::{Res, message};
use crate::heap::Heap;
use crate::isolate::{Done, Isolate, Limits, Reach, Unpack, pack, unpack};
use crate::object::List;
use crate::word::Value;

/// The heap of an isolate gets this part of the limit of its maker's, unless that is small.
const SHARE: u64 = 16;
/// Least limit of the heap of an isolate, in bytes.
const LEAST: u64 = 16 << 20;

/// What the first task of an isolate gets, and where its end is told.
struct Sent {
    /// The function and its arguments, a list of the isolate.
    call: u64,
    state: Arc<TaskState>,
    /// What it ended with, told once all of the isolate has ended.
    done: Mutex<Option<Done>>,
}

impl Sent {
    /// Tells the end; an isolate that has none was given up.
    fn tell(&self) {
        let done = self
            .done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match done {
            Some(done) => self.state.end_sent(done),
            None => self.state.end(How::Cancelled, Value::NULL),
        }
    }
}

/// A running isolate: freed when this is dropped.
struct Running {
    sent: Box<Sent>,
    isolate: Isolate,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.sent.tell();
    }
}

/// A running isolate whose region is open: given up, it is not freed.
struct Open(ManuallyDrop<Running>);

impl Open {
    fn new(running: Running) -> Open {
        Open(ManuallyDrop::new(running))
    }

    /// The region has closed: no task of it runs any more.
    fn closed(self) -> Running {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: not used again.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.sent.tell();
    }
}

/// The workers that isolates are given to, in turn (SCH-48).
static NEXT: AtomicUsize = AtomicUsize::new(1);
/// How many workers there are.
pub(crate) static WORKERS: AtomicUsize = AtomicUsize::new(1);

/// Makes the frame of an async function that is not in the registry of code, from its address and
/// its argument.
pub type MakeFrame = fn(run: *const u8, argument: u64) -> Option<RootFrame>;

static EVALUATED: OnceLock<MakeFrame> = OnceLock::new();

/// Says who makes the frames of functions that are evaluated, once in a process.
pub fn evaluated(make: MakeFrame) {
    let _ = EVALUATED.set(make);
}

/// The frame of the first task of an isolate.
fn frame(th: &Thread, run: PollFn, argument: u64) -> Option<RootFrame> {
    let Some(meta) = frame_meta(run as usize) else {
        return EVALUATED.get()?(run as *const u8, argument);
    };
    // SAFETY: the row's contract: an async function of one parameter with this frame.
    let mut frame = unsafe { RootFrame::new(th, run, meta.size.into()) }?;
    frame.argument(0, argument);
    Some(frame)
}

fn start(th: &Thread, heap: &Heap, run: PollFn, values: &[Value]) -> Res {
    let refused = || heap.thrown_text("An isolate cannot be started here.");
    // SAFETY: the context is used in this row only.
    let Some((cx, _)) = (unsafe { compiled::current(th) }) else {
        return Err(refused());
    };
    let mut all = values.to_vec();
    all.extend(heap.cells.borrow().iter());
    let packed = pack(heap, &all, Reach::Program);
    let packed = packed.map_err(|refused| {
        let what = match refused.root {
            0 => "the function".to_owned(),
            n if n < values.len() => format!("argument {n}"),
            _ => "a variable of the program".to_owned(),
        };
        heap.thrown_text(&refused.text(&what))
    })?;
    let limits = Limits {
        heap: (heap.limit() / SHARE).max(LEAST.min(heap.limit())),
    };
    let isolate = Isolate::beside(heap, limits).ok_or_else(|| heap.exhausted())?;
    let own = isolate.heap();
    let mut call = unpack(&packed, own).map_err(|error| match error {
        Unpack::Memory(_) => heap.exhausted(),
        Unpack::Malformed => heap.thrown(message::INTERNAL),
    })?;
    *own.cells.borrow_mut() = call.split_off(values.len());
    let call = List::of(own, &call).map_err(|_| heap.exhausted())?;
    let state = Arc::<TaskState>::default();
    let object = heap.resource(Resource::Task(state.clone(), None))?;
    let told = state.clone();
    let sent = Box::new(Sent {
        call: call.word(),
        state,
        done: Mutex::default(),
    });
    let address = std::ptr::from_ref(&*sent).expose_provenance();
    let running = Running { sent, isolate };
    let frame = frame(th, run, address as u64).ok_or_else(refused)?;
    // Relaxed: any order of turns will do.
    let workers = WORKERS.load(Ordering::Relaxed).max(1);
    let worker = (NEXT.fetch_add(1, Ordering::Relaxed) % workers) as u16;
    let options = Spawn::new().name("isolate").pin(worker);
    let region = cx.open_region(&RegionConfig::new());
    let region = region.map_err(|_| refused())?;
    let heap = std::ptr::from_ref(running.isolate.heap()).cast_mut();
    region.region().set_isolate(heap.cast());
    told.has_region(RegionHandle::clone(&region));
    let keeper = cx.spawn_with(options, async move |cx: Cx<Checked>| {
        keep(&cx, running, region, frame, worker).await;
        Ok(())
    });
    match keeper {
        Ok(_) => Ok(object),
        Err(_) => Err(refused()),
    }
}

/// Runs the isolate to its end, and frees it.
async fn keep(
    cx: &Cx<Checked>,
    running: Running,
    region: OpenRegion<Checked>,
    frame: RootFrame,
    worker: u16,
) {
    let open = Open::new(running);
    let started = region.spawn_compiled(frame, Spawn::new().pin(worker));
    if let Ok(task) = started {
        let _ = task.join(cx).await;
    }
    // What else of it fails ends with it. Then its end is told.
    let _ = region.close(cx).await;
    drop(open.closed());
}

pub(crate) unsafe fn value_isolate(
    th: *const Thread,
    run: *const u8,
    words: *mut u8,
    count: u64,
) -> Result<u64, Refusal> {
    // SAFETY: the state of the calling thread, or null.
    let Some(th) = (unsafe { th.as_ref() }) else {
        return Err(Refusal::status(status::BAD_ARGUMENT));
    };
    // SAFETY: the row's contract: `count` value words, and the address of a poll function.
    let (values, run) = unsafe {
        let values = std::slice::from_raw_parts(words.cast::<Value>(), count as usize);
        (values, std::mem::transmute::<*const u8, PollFn>(run))
    };
    let started = start(th, Heap::of(th), run, values);
    started.map(Value::word).map_err(Refusal::from)
}

fn sent<'a>(word: i64) -> &'a Sent {
    // SAFETY: the word that `start` gave to the first task of the isolate, freed after its region.
    unsafe { &*core::ptr::with_exposed_provenance::<Sent>(word as usize) }
}

pub(crate) unsafe fn value_isolate_begin(th: *const Thread, word: i64) -> Result<u64, Refusal> {
    // SAFETY: the state of the calling thread, or null.
    let Some(th) = (unsafe { th.as_ref() }) else {
        return Err(Refusal::status(status::BAD_ARGUMENT));
    };
    debug_assert!(!Heap::of(th).is_main(), "an isolate has a heap of its own");
    Ok(sent(word).call)
}

pub(crate) unsafe fn value_isolate_end(th: *const Thread, word: i64, how: u32, v: u64) {
    // SAFETY: the state of the calling thread, or null.
    let Some(th) = (unsafe { th.as_ref() }) else {
        return;
    };
    let status = match How::of(how) {
        How::Ended => status::OK,
        How::Failed => status::THREW,
        How::Cancelled => status::CANCELLED,
    };
    let ret = Ret {
        value: v,
        status: status.into(),
    };
    let done = Done::of(th, Heap::of(th), ret);
    let mut first = sent(word)
        .done
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    first.get_or_insert(done);
}

pub(crate) unsafe fn value_cells(th: *const Thread) -> *mut u8 {
    // SAFETY: the state of the calling thread, or null.
    match unsafe { th.as_ref() } {
        Some(th) => Heap::of(th).cells.borrow_mut().as_mut_ptr().cast(),
        None => std::ptr::null_mut(),
    }
}

pub(crate) unsafe fn value_cells_make(th: *const Thread, count: u32) {
    // SAFETY: the state of the calling thread, or null.
    if let Some(th) = unsafe { th.as_ref() } {
        *Heap::of(th).cells.borrow_mut() = vec![Value::UNDEFINED; count as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An open isolate, and what its heap holds.
    fn open() -> (Open, Arc<TaskState>, Arc<TaskState>) {
        let isolate = Isolate::new(Limits { heap: 1 << 20 }).unwrap();
        let (held, state) = (Arc::<TaskState>::default(), Arc::<TaskState>::default());
        let resource = Resource::Task(held.clone(), None);
        isolate.heap().resource(resource).unwrap();
        let sent = Box::new(Sent {
            call: Value::NULL.word(),
            state: state.clone(),
            done: Mutex::default(),
        });
        (Open::new(Running { sent, isolate }), held, state)
    }

    fn is_cancelled(state: &TaskState) -> bool {
        let heap = Heap::new(1 << 20).unwrap();
        let polled = state.poll(&heap, &mut None, std::task::Waker::noop());
        matches!(polled, std::task::Poll::Ready(Err(_)))
    }

    #[test]
    fn a_heap_is_freed_after_its_region_only() {
        let (given_up, held, state) = open();
        drop(given_up);
        assert_eq!(Arc::strong_count(&held), 2, "the heap stays");
        assert!(is_cancelled(&state));
        let (ended, held, state) = open();
        drop(ended.closed());
        assert_eq!(Arc::strong_count(&held), 1, "the heap is freed");
        assert!(is_cancelled(&state));
    }
}
