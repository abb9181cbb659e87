//! Asynchronous functions written by hand as the compiler lays them out (ABI-27), and the tables
//! that belong to them.
#![allow(
    unsafe_code,
    dead_code,
    unreachable_pub,
    reason = "plays compiled code; each test uses a part"
)]

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_abi::{
    CodeRecord, Frame, FrameEntry, FrameMeta, FrameTable, OpSlot, Ret, Site, SiteTable,
    SuspendPoint, Thread, VERSION, status, thread::SUSPENDABLE,
};
use asr_kernel::compiled::{PollFn, RootFrame};
use asr_kernel::thread::adopt;

unsafe extern "C" {
    pub fn asr_i_sleep(th: *const Thread, slot: *mut OpSlot, ns: u64) -> Ret;
    pub fn asr_i_yield_now(th: *const Thread, slot: *mut OpSlot) -> Ret;
    pub fn asr_i_join(th: *const Thread, slot: *mut OpSlot, task: u64) -> Ret;
    pub fn asr_i_task_cancel(th: *const Thread, task: u64) -> Ret;
    pub fn asr_i_task_detach(th: *const Thread, task: u64) -> Ret;
    pub fn asr_i_task_is_done(th: *const Thread, task: u64) -> Ret;
    pub fn asr_i_region_open(th: *const Thread) -> Ret;
    pub fn asr_i_region_close(th: *const Thread, slot: *mut OpSlot, region: u64) -> Ret;
    pub fn asr_i_region_abandon(th: *const Thread, slot: *mut OpSlot, region: u64) -> Ret;
    pub fn asr_i_region_cancel(th: *const Thread, region: u64) -> Ret;
    pub fn asr_i_region_defer(th: *const Thread, region: u64, run: *const u8, arg: u64) -> Ret;
    pub fn asr_i_mask_enter(th: *const Thread) -> Ret;
    pub fn asr_i_mask_leave(th: *const Thread) -> Ret;
    pub fn asr_i_commit_enter(th: *const Thread, bound: u32) -> Ret;
    pub fn asr_i_commit_leave(th: *const Thread) -> Ret;
    pub fn asr_i_cancel_requested(th: *const Thread) -> Ret;
    pub fn asr_i_reserve(th: *const Thread, kind: u32) -> Ret;
    pub fn asr_i_commit(th: *const Thread, permit: u64) -> Ret;
    pub fn asr_i_abort(th: *const Thread, permit: u64) -> Ret;
    pub fn asr_i_transfer(th: *const Thread, permit: u64, to: u64) -> Ret;
    pub fn asr_i_now(th: *const Thread) -> Ret;
    pub fn asr_i_random_u64(th: *const Thread) -> Ret;
    pub fn asr_i_budget_get(th: *const Thread, component: u32) -> Ret;
    pub fn asr_i_charge(th: *const Thread, cost: u64) -> Ret;
    pub fn asr_i_chan_new(th: *const Thread, capacity: u32) -> Ret;
    pub fn asr_i_chan_reserve(th: *const Thread, slot: *mut OpSlot, chan: u64) -> Ret;
    pub fn asr_i_chan_try_reserve(th: *const Thread, chan: u64) -> Ret;
    pub fn asr_i_chan_send(th: *const Thread, permit: u64, word: u64) -> Ret;
    pub fn asr_i_chan_recv(th: *const Thread, slot: *mut OpSlot, chan: u64) -> Ret;
    pub fn asr_i_chan_try_recv(th: *const Thread, chan: u64) -> Ret;
    pub fn asr_i_chan_close(th: *const Thread, chan: u64) -> Ret;
    pub fn asr_i_chan_free(th: *const Thread, chan: u64) -> Ret;
    pub fn asr_i_sem_new(th: *const Thread, units: u32) -> Ret;
    pub fn asr_i_sem_acquire(th: *const Thread, slot: *mut OpSlot, sem: u64, units: u32) -> Ret;
    pub fn asr_i_sem_try_acquire(th: *const Thread, sem: u64, units: u32) -> Ret;
    pub fn asr_i_sem_free(th: *const Thread, sem: u64) -> Ret;
    pub fn asr_i_notify_new(th: *const Thread) -> Ret;
    pub fn asr_i_notify_wait(th: *const Thread, slot: *mut OpSlot, notify: u64) -> Ret;
    pub fn asr_i_notify_one(th: *const Thread, notify: u64) -> Ret;
    pub fn asr_i_notify_all(th: *const Thread, notify: u64) -> Ret;
    pub fn asr_i_notify_free(th: *const Thread, notify: u64) -> Ret;
}

pub use asr_rt::frames::*;

pub const OK: u64 = status::OK as u64;
pub const PENDING: u64 = status::PENDING as u64;
pub const THREW: u64 = status::THREW as u64;
pub const CANCELLED: u64 = status::CANCELLED as u64;

/// What runs when a function is cancelled, and how often it did.
pub static CLEANED: AtomicU64 = AtomicU64::new(0);

pub fn ret(value: u64, status: u64) -> Ret {
    Ret { value, status }
}

/// A frame of these functions: words for parameters and spills, then the shared area.
#[repr(C, align(16))]
pub struct Machine {
    pub head: Frame,
    pub word: [u64; 4],
    pub area: [u64; 24],
}

impl Machine {
    pub fn slot(&mut self) -> *mut OpSlot {
        (&raw mut self.area).cast()
    }

    pub fn child(&mut self) -> *mut Machine {
        (&raw mut self.area).cast()
    }

    /// Suspends here: state `k`, this is the leaf.
    pub fn suspend(&mut self, th: &Thread, k: u32) -> Ret {
        self.head.state = k;
        th.leaf.set((&raw mut *self).cast());
        ret(0, PENDING)
    }
}

/// Bytes of a frame whose area holds an op slot of the largest class.
pub const SIZE: u64 = (32 + 32 + 128) as u64;
/// Bytes of a frame whose area holds a child of that.
pub const SIZE_2: u64 = 64 + SIZE;

/// The body of a poll function: its frame and the thread.
macro_rules! machine {
    ($(#[$doc:meta])* $name:ident($m:ident, $th:ident) { $($body:tt)* }) => {
        $(#[$doc])*
        pub(crate) unsafe extern "C" fn $name(
            frame: *mut asr_abi::Frame,
            $th: *const asr_abi::Thread,
        ) -> asr_abi::Ret {
            // SAFETY: a frame of this function, and the state of this thread.
            let ($m, $th) = unsafe { (&mut *frame.cast::<$crate::machines::Machine>(), &*$th) };
            #[allow(unused_unsafe, reason = "all of it plays compiled code")]
            // SAFETY: as the rows say.
            unsafe { $($body)* }
        }
    };
}

machine! {
    /// Sleeps `word[0]` ns, returns `word[1]`. Cancelled it cleans up once.
    sleeper(m, th) {
        let got = match m.head.state {
            0 => asr_i_sleep(th, m.slot(), m.word[0]),
            _ => asr_i_op_poll(th, m.slot()),
        };
        match got.status {
            PENDING => m.suspend(th, 1),
            OK => ret(m.word[1], OK),
            other => {
                CLEANED.fetch_add(1, Relaxed);
                ret(got.value, other)
            }
        }
    }
}

machine! {
    /// Awaits `sleeper(word[0], word[1])` in its own frame, and adds 1. Cancelled it cleans up.
    outer(m, th) {
        let got = match m.head.state {
            0 => {
                let child = &mut *m.child();
                child.head.state = 0;
                child.head.size_class = 0;
                child.word[0] = m.word[0];
                child.word[1] = m.word[1];
                let got = sleeper(&raw mut child.head, th);
                if got.status == PENDING {
                    child.head.poll = sleeper;
                    child.head.parent = &raw mut m.head;
                    m.head.state = 1;
                    return got;
                }
                got
            }
            _ => {
                let child = &*m.child();
                ret(child.head.value, u64::from(child.head.state & 0xff))
            }
        };
        if got.status != OK {
            CLEANED.fetch_add(1, Relaxed);
            return got;
        }
        ret(got.value + 1, OK)
    }
}

machine! {
    /// The same with the child on the heap.
    outer_heap(m, th) {
        let got = match m.head.state {
            0 => {
                let child = asr_i_frame_new(th, sleeper).cast::<Machine>();
                (*child).word[0] = m.word[0];
                (*child).word[1] = m.word[1];
                m.word[2] = child as u64;
                let got = sleeper(child.cast(), th);
                if got.status == PENDING {
                    (*child).head.poll = sleeper;
                    (*child).head.parent = &raw mut m.head;
                    m.head.state = 1;
                    return got;
                }
                got
            }
            _ => {
                let child = m.word[2] as *const Machine;
                ret((*child).head.value, u64::from((*child).head.state & 0xff))
            }
        };
        asr_i_frame_free(th, m.word[2] as *mut Frame, SIZE);
        if got.status != OK {
            CLEANED.fetch_add(1, Relaxed);
            return got;
        }
        ret(got.value + 1, OK)
    }
}

machine! {
    /// Spawns `word[0]` sleepers of `word[1]` ns, the i-th of which returns i, joins them one by
    /// one, and returns the sum.
    family(m, th) {
        const MOST: usize = 8;
        let count = m.word[0] as usize;
        assert!(count <= MOST);
        // area: 0..16 the slot, 16..24 the handles.
        if m.head.state == 0 {
            m.word[2] = 0;
            for at in 0..count {
                let frame = asr_i_task_new(th, sleeper, SIZE).cast::<Machine>();
                (*frame).word[0] = m.word[1];
                (*frame).word[1] = at as u64;
                let started = asr_i_task_start(th, 0, frame.cast());
                if started.status != OK {
                    return started;
                }
                m.area[16 + at] = started.value;
            }
            m.word[3] = 0;
        }
        loop {
            let at = m.word[3] as usize;
            if at == count {
                return ret(m.word[2], OK);
            }
            let got = match m.head.state {
                0 => asr_i_join(th, m.slot(), m.area[16 + at]),
                _ => asr_i_op_poll(th, m.slot()),
            };
            match got.status {
                PENDING => return m.suspend(th, 1),
                OK => {
                    m.head.state = 0;
                    m.word[2] += got.value;
                    m.word[3] += 1;
                }
                _ => {
                    for rest in at + 1..count {
                        asr_i_task_detach(th, m.area[16 + rest]);
                    }
                    return got;
                }
            }
        }
    }
}

machine! {
    /// Counts to `word[0]` with a probe at each step that it can suspend at; `word[1]` is the sum.
    spinner(m, th) {
        loop {
            if th.flag.load(Relaxed) != 0 {
                th.site.set(SUSPENDABLE | 7 << 32 | 1);
                asr_rt::c_api::asr_checkpoint(std::ptr::from_ref(th).cast_mut().cast());
                match u64::from(th.action.get()) {
                    OK => {}
                    PENDING => return m.suspend(th, 1),
                    other => {
                        CLEANED.fetch_add(1, Relaxed);
                        return ret(th.exc.get(), other);
                    }
                }
            }
            if m.word[0] == 0 {
                return ret(m.word[1], OK);
            }
            m.word[0] -= 1;
            m.word[1] += 1;
        }
    }
}

/// A root frame for `poll` with these words.
pub fn root(poll: PollFn, size: u64, words: &[u64]) -> RootFrame {
    register();
    // SAFETY: one of the functions above, with the size of its frames.
    let mut frame = unsafe { RootFrame::new(adopt(), poll, size) }.expect("small");
    for (index, &word) in words.iter().enumerate() {
        frame.argument(index, word);
    }
    frame
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn meta(name: &'static str, size: u64, slots: &[u32], children: &[u32]) -> &'static FrameMeta {
    let slots: &'static [u32] = slots.to_vec().leak();
    let children: &'static [u32] = children.to_vec().leak();
    let point = leak(SuspendPoint {
        site: 7 << 32 | 1,
        refs: std::ptr::null(),
        slots: slots.as_ptr(),
        children: children.as_ptr(),
        n_refs: 0,
        n_slots: slots.len() as u32,
        n_children: children.len() as u32,
        reserved: 0,
    });
    leak(FrameMeta {
        name: name.as_ptr(),
        name_len: name.len() as u32,
        size: size as u32,
        points: point,
        n_points: 1,
        reserved: 0,
    })
}

/// Registers the functions above, once.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        register_more(
            7,
            vec![
                (sleeper as PollFn, meta("sleeper", SIZE, &[64], &[])),
                (outer, meta("outer", SIZE_2, &[], &[])),
                (outer_heap, meta("outer_heap", SIZE, &[], &[48])),
                (family, meta("family", SIZE_2, &[64], &[])),
                (spinner, meta("spinner", SIZE, &[], &[])),
            ],
        );
    });
}

/// A function of a test: its name, the offsets of its slots and heap children.
pub type Known = (PollFn, &'static str, &'static [u32], &'static [u32]);

/// Registers functions of a test, with frames of `SIZE_2`, as a unit of this number.
pub fn register_unit(unit: u32, functions: &[Known]) {
    let known =
        |&(poll, name, slots, children): &Known| (poll, meta(name, SIZE_2, slots, children));
    register_more(unit, functions.iter().map(known).collect());
}

/// Registers functions of a test with slots at 64, each with the size of its frames.
pub fn register_sized(unit: u32, functions: &[(PollFn, &'static str, u64)]) {
    let known = |&(poll, name, size): &(PollFn, _, _)| (poll, meta(name, size, &[64], &[]));
    register_more(unit, functions.iter().map(known).collect());
}

fn register_more(unit: u32, mut functions: Vec<(PollFn, &'static FrameMeta)>) {
    functions.sort_by_key(|&(poll, _)| poll as usize);
    let entry = |&(poll, meta): &(PollFn, &'static FrameMeta)| FrameEntry {
        poll: poll as *const _,
        meta,
    };
    let frames: &'static [FrameEntry] = functions.iter().map(entry).collect::<Vec<_>>().leak();
    let frames = leak(FrameTable {
        len: frames.len() as u64,
        frames: frames.as_ptr(),
    });
    let name = "machines";
    let func = leak(asr_abi::FuncEntry {
        entry: functions[0].0 as *const u8,
        name: name.as_ptr(),
        file: "machines.pxl".as_ptr(),
        lines: std::ptr::null(),
        len: 1,
        name_len: name.len() as u32,
        file_len: 12,
        n_lines: 0,
    });
    let site = leak(Site {
        func: 0,
        line: 12,
        col: 3,
        code: 0,
    });
    let sites = leak(SiteTable {
        unit,
        n_sites: 1,
        sites: site,
        funcs: func,
        n_funcs: 1,
        reserved: 0,
    });
    let record = leak(CodeRecord {
        base: functions[0].0 as *const u8,
        len: 1,
        sites,
        frames,
        version: VERSION.into(),
    });
    // SAFETY: all of it was leaked.
    unsafe { asr_kernel::code::register(record) }.expect("a unit of this test alone");
}
