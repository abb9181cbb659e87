//! `src/stub/stub.c` as a shared object in this process: the intrinsics that JIT code calls, and
//! the call itself.
#![allow(
    unsafe_code,
    reason = "loads a shared object and calls machine code through it"
)]

use std::ffi::{CString, c_void};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock};

use asr_abi::{CodeRecord, StartHandler};
use asr_codegen::jit::Registry;

use super::call::{Call, Outcome};
use super::tool;
use crate::filetest::Armed;

/// `asr_stub_call` of stub.c.
#[repr(C)]
struct StubCall {
    func: *const u8,
    armed: u64,
    n: u64,
    is_async: u64,
    ints: [u64; 5],
    floats: [u64; 8],
    value: u64,
    status: u64,
    probes: u64,
    fault: u64,
    live: u64,
    suspensions: u64,
}

/// The loaded stub. It lives as long as the process.
#[derive(Debug)]
pub struct Stub {
    handle: usize,
    run: unsafe extern "C" fn(*mut c_void),
    register: Recorder,
    unregister: Recorder,
}

/// `asr_stub_register` and `asr_stub_unregister` of stub.c.
type Recorder = unsafe extern "C" fn(*const CodeRecord) -> u32;

/// How `asr_stub_call` says it: `armed` and `n`.
pub(super) fn armed_words(armed: Armed) -> (u64, u64) {
    match armed {
        Armed::Clear => (0, 0),
        Armed::Slow => (1, 0),
        Armed::Cancel(n) => (2, n),
        Armed::Suspend => (3, 0),
        Armed::Stop(n) => (4, n),
        Armed::Drop(n) => (5, n),
    }
}

impl Stub {
    /// The stub of this process, compiled and loaded at the first call. Its state is global, so one
    /// caller at a time has it.
    ///
    /// # Errors
    /// What the compiler or the loader said.
    pub fn get() -> Result<MutexGuard<'static, Stub>, String> {
        static STUB: OnceLock<Result<Mutex<Stub>, String>> = OnceLock::new();
        let stub = STUB.get_or_init(|| Stub::load().map(Mutex::new)).as_ref()?;
        // A panic of another test leaves no state behind: each run begins with a cleared stub.
        Ok(stub
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn load() -> Result<Stub, String> {
        let dir = tool::scratch("stub")?;
        let (source, library) = (tool::stub_dir().join("stub.c"), dir.join("stub.so"));
        let mut cc = std::process::Command::new("cc");
        cc.args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(&source);
        tool::run(&mut cc)?;
        let handle = open(&library)?;
        let run = symbol_in(handle, "asr_stub_run").ok_or("stub.so has no asr_stub_run")?;
        // SAFETY: stub.c defines asr_stub_run with exactly this type.
        let run =
            unsafe { std::mem::transmute::<*const u8, unsafe extern "C" fn(*mut c_void)>(run) };
        let recorder = |name| {
            let found = symbol_in(handle, name).ok_or_else(|| format!("stub.so has no {name}"))?;
            // SAFETY: stub.c defines both with exactly this type.
            Ok::<_, String>(unsafe { std::mem::transmute::<*const u8, Recorder>(found) })
        };
        Ok(Stub {
            handle,
            run,
            register: recorder("asr_stub_register")?,
            unregister: recorder("asr_stub_unregister")?,
        })
    }

    /// What a unit registers itself with. The stub looks frames up in its record.
    pub fn registry(&self) -> Box<dyn Registry> {
        Box::new(StubRegistry(self.register, self.unregister))
    }

    /// Address of an intrinsic or foreign function of the stub.
    pub fn symbol(&self, name: &str) -> Option<*const u8> {
        symbol_in(self.handle, name)
    }

    /// Call the function at `code`.
    ///
    /// # Errors
    /// More arguments than registers.
    ///
    /// # Safety
    /// `code` is a finished function of the type that `call` was made for, and stays mapped.
    pub unsafe fn call(&self, code: *const u8, call: &Call) -> Result<Outcome, String> {
        let (ints, floats) = call.registers()?;
        let (armed, n) = armed_words(call.armed);
        let mut made = StubCall {
            func: code,
            armed,
            n,
            is_async: u64::from(call.is_async),
            ints,
            floats,
            value: 0,
            status: 0,
            probes: 0,
            fault: 0,
            live: 0,
            suspensions: 0,
        };
        // SAFETY: `made` has the layout of asr_stub_call; the caller vouches for `code`.
        unsafe { (self.run)((&raw mut made).cast()) };
        let StubCall {
            value,
            status,
            probes,
            fault,
            live,
            suspensions,
            ..
        } = made;
        Ok(Outcome {
            value,
            status,
            probes,
            fault: fault as u32,
            live,
            suspensions,
            seen: 0,
        })
    }
}

struct StubRegistry(Recorder, Recorder);

impl Registry for StubRegistry {
    fn register(&self, record: *const CodeRecord) -> u32 {
        // SAFETY: the record stays until it is unregistered.
        unsafe { (self.0)(record) }
    }
    fn unregister(&self, record: *const CodeRecord) -> u32 {
        // SAFETY: stub.c compares the address only.
        unsafe { (self.1)(record) }
    }
    fn handler(&self, _: &StartHandler) -> u32 {
        0
    }
}

fn open(library: &Path) -> Result<usize, String> {
    let path = CString::new(library.as_os_str().as_encoded_bytes()).map_err(|e| e.to_string())?;
    // SAFETY: the path is a C string; stub.c has no constructors.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    match handle.is_null() {
        true => Err(format!("cannot load {}", library.display())),
        false => Ok(handle as usize),
    }
}

fn symbol_in(handle: usize, name: &str) -> Option<*const u8> {
    let name = CString::new(name).ok()?;
    // SAFETY: the handle came from dlopen and is never closed; the name is a C string.
    let address = unsafe { libc::dlsym(handle as *mut c_void, name.as_ptr()) };
    (!address.is_null()).then_some(address.cast_const().cast())
}
