//! What the tests of compiled code share: a fake runtime around a real `Thread`, loading from text,
//! calling.
//!
//! The runtime proper may not be used here (codegen and rt never meet); what needs it lives in
//! `testsuite`. The fake counts checkpoints, answers what a test asks for, and keeps traces.
#![allow(unsafe_code, reason = "calls JIT code and is called by it")]
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use asr_abi::{CodeRecord, Ret, StartHandler, Thread, status};
use asr_codegen::air::{parse, verify};
use asr_codegen::jit::{Registry, Unit};
use asr_codegen::{Options, Prepared, prepare};
use asr_intrinsics::CORE;

thread_local! {
    /// Checkpoints taken.
    pub static CHECKPOINTS: Cell<u64> = const { Cell::new(0) };
    /// The checkpoint with this number answers `ANSWER` (0: none).
    pub static ANSWER_AT: Cell<u64> = const { Cell::new(0) };
    /// What it answers.
    pub static ANSWER: Cell<u32> = const { Cell::new(0) };
    /// Sites of the checkpoints.
    pub static SITES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    /// Noted sites of errors.
    pub static TRACE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    /// Faults: site and code.
    pub static FAULTS: RefCell<Vec<(u64, u32)>> = const { RefCell::new(Vec::new()) };
}

/// Forgets what happened on this thread.
pub fn reset() {
    CHECKPOINTS.set(0);
    ANSWER_AT.set(0);
    ANSWER.set(0);
    SITES.take();
    TRACE.take();
    FAULTS.take();
}

/// The exception word of a fault.
pub const FAULT_WORD: u64 = 0xFFFC << 48;

unsafe extern "C" fn checkpoint(th: *const Thread) {
    // SAFETY: compiled code passes the thread it was called with.
    let th = unsafe { &*th };
    CHECKPOINTS.set(CHECKPOINTS.get() + 1);
    SITES.with_borrow_mut(|sites| {
        if sites.len() < 1000 {
            sites.push(th.site.get());
        }
    });
    let answers = CHECKPOINTS.get() == ANSWER_AT.get();
    let stop = th.flag.load(Ordering::Acquire) & asr_abi::flag::CANCEL != 0;
    let action = match (answers, stop) {
        (true, _) => ANSWER.get(),
        (_, true) => status::CANCELLED,
        _ => status::OK,
    };
    th.exc.set(if action == status::THREW { 0x1234 } else { 0 });
    th.action.set(action);
}

unsafe extern "C" fn fault(_: *const Thread, site: u64, code: u32) -> Ret {
    FAULTS.with_borrow_mut(|faults| faults.push((site, code)));
    Ret {
        value: FAULT_WORD | site,
        status: u64::from(status::THREW),
    }
}

unsafe extern "C" fn trace(_: *const Thread, site: u64) -> Ret {
    TRACE.with_borrow_mut(|trace| trace.push(site));
    Ret {
        value: 0,
        status: 0,
    }
}

/// `checked_access` answers the address as a status, and hands it back.
unsafe extern "C" fn checked_access(_: *const Thread, object: *mut u8) -> Ret {
    Ret {
        value: object.addr() as u64,
        status: object.addr() as u64,
    }
}

unsafe extern "C" fn taint_add(th: *const Thread, labels: u32) -> Ret {
    // SAFETY: compiled code passes the thread it was called with.
    let th = unsafe { &*th };
    th.taint.set(th.taint.get() | labels);
    Ret {
        value: 0,
        status: 0,
    }
}

unsafe extern "C" fn mix(a: i32, b: f64, c: bool) -> i32 {
    a + b as i32 + i32::from(c)
}

/// The symbols of the fake runtime.
pub fn symbols() -> Vec<(&'static str, *const u8)> {
    vec![
        ("asr_checkpoint", checkpoint as *const u8),
        ("asr_i_fault", fault as *const u8),
        ("asr_i_trace", trace as *const u8),
        ("asr_i_checked_access", checked_access as *const u8),
        ("asr_i_taint_add", taint_add as *const u8),
        ("mix", mix as *const u8),
    ]
}

/// A registry that remembers what it was told.
#[derive(Default)]
pub struct Log {
    /// The registered record.
    pub record: AtomicPtr<CodeRecord>,
    /// Registered handlers.
    pub handlers: AtomicU64,
    /// What `unregister` answers.
    pub unregister: AtomicU32,
}

impl Registry for &'static Log {
    fn register(&self, record: *const CodeRecord) -> u32 {
        self.record.store(record.cast_mut(), Ordering::Relaxed);
        status::OK
    }
    fn unregister(&self, _: *const CodeRecord) -> u32 {
        self.unregister.load(Ordering::Relaxed)
    }
    fn handler(&self, handler: &StartHandler) -> u32 {
        assert!(!self.record.load(Ordering::Relaxed).is_null());
        assert!(!handler.handler.is_null());
        self.handlers.fetch_add(1, Ordering::Relaxed);
        status::OK
    }
}

/// A registry of its own.
pub fn log() -> &'static Log {
    Box::leak(Box::default())
}

/// Parses, verifies and prepares.
pub fn prepared(text: &str, options: &Options) -> Prepared {
    let parsed = parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    if let Err(errors) = verify(&parsed.module, &[&CORE]) {
        panic!("{errors:?}");
    }
    prepare(&parsed.module, &[&CORE], options).unwrap_or_else(|error| panic!("{error}"))
}

/// Loads a text.
pub fn load_with(text: &str, options: &Options) -> Unit {
    let prepared = prepared(text, options);
    Unit::load(&prepared, &symbols(), Box::new(log())).unwrap_or_else(|error| panic!("{error}"))
}

/// Loads a text as it stands.
pub fn load(text: &str) -> Unit {
    let options = Options {
        probes: asr_codegen::ProbeMode::AsIs,
        ..Options::default()
    };
    load_with(text, &options)
}

/// Calls an exported function with integer arguments.
pub fn call_on(th: &Thread, unit: &Unit, name: &str, args: &[u64]) -> Ret {
    type F0 = unsafe extern "C" fn(*const Thread) -> Ret;
    type F1 = unsafe extern "C" fn(*const Thread, u64) -> Ret;
    type F2 = unsafe extern "C" fn(*const Thread, u64, u64) -> Ret;
    type F3 = unsafe extern "C" fn(*const Thread, u64, u64, u64) -> Ret;
    let f = unit.lookup(name).unwrap_or_else(|| panic!("no {name}"));
    // SAFETY: the test passes as many integer arguments as the function has; the unit is loaded.
    unsafe {
        match *args {
            [] => std::mem::transmute::<*const u8, F0>(f)(th),
            [a] => std::mem::transmute::<*const u8, F1>(f)(th, a),
            [a, b] => std::mem::transmute::<*const u8, F2>(f)(th, a, b),
            [a, b, c] => std::mem::transmute::<*const u8, F3>(f)(th, a, b, c),
            _ => panic!("too many arguments"),
        }
    }
}

/// Calls on a thread state of its own, and gives value and status.
pub fn call(unit: &Unit, name: &str, args: &[u64]) -> (u64, u64) {
    let ret = call_on(&Thread::new(), unit, name, args);
    (ret.value, ret.status)
}

/// Sets bits of a thread's flag word, as any thread may; the address is that of the word.
pub fn set_flag(address: usize, bits: u32) {
    let word = std::ptr::with_exposed_provenance::<AtomicU32>(address);
    // SAFETY: the test leaks the thread state whose word it is.
    unsafe { (*word).fetch_or(bits, Ordering::Release) };
}

/// One function a fault of the language.
pub const FAULTS_TEXT: &str = r#"
module "m" unit 7
export fn @div(%a: i32, %b: i32) -> i32 throws {
entry:
  %a = sdiv.i32 %a, %b
  return %a
}
export fn @rem(%a: i64, %b: i64) -> i64 throws {
entry:
  %a = srem.i64 %a, %b
  return %a
}
export fn @bounds(%i: i64, %n: i64) -> i64 throws {
entry:
  check.bounds.i64 %i, %n
  return 1
}
export fn @null(%p: ptr) -> i64 throws {
entry:
  check.null %p
  return 1
}
export fn @unreachable() throws {
entry:
  unreachable
}
export fn @stack() -> i64 throws {
entry:
  check.stack
  return 1
}
export fn @caught(%a: i64, %b: i64) -> value {
  local %e: value
entry:
  %a = udiv.i64 %a, %b recover rescue(%e)
  %e = convert.bitcast.i64.value %a
  return %e
rescue:
  return %e
}
"#;
