//! `src/stub/stub.c` as a shared object in this process: the intrinsics that JIT code calls, and
//! the call itself.
#![allow(
    unsafe_code,
    reason = "loads a shared object and calls machine code through it"
)]

use std::ffi::{CString, c_void};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock};

use super::call::{Call, Outcome};
use super::tool;
use crate::filetest::Armed;

/// `asr_stub_call` of stub.c.
#[repr(C)]
struct StubCall {
    func: *const u8,
    armed: u64,
    ints: [u64; 5],
    floats: [u64; 8],
    value: u64,
    status: u64,
    probes: u64,
    fault: u64,
}

/// The loaded stub. It lives as long as the process.
#[derive(Debug)]
pub struct Stub {
    handle: usize,
    run: unsafe extern "C" fn(*mut c_void),
}

/// How `asr_stub_call.armed` says it.
pub(super) fn armed_word(armed: Armed) -> u64 {
    match armed {
        Armed::Clear => 0,
        Armed::Slow => 1,
        Armed::Cancel(n) => n + 2,
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
        Ok(Stub { handle, run })
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
        let armed = armed_word(call.armed);
        let mut made = StubCall {
            func: code,
            armed,
            ints,
            floats,
            value: 0,
            status: 0,
            probes: 0,
            fault: 0,
        };
        // SAFETY: `made` has the layout of asr_stub_call; the caller vouches for `code`.
        unsafe { (self.run)((&raw mut made).cast()) };
        let StubCall {
            value,
            status,
            probes,
            fault,
            ..
        } = made;
        Ok(Outcome {
            value,
            status,
            probes,
            fault: fault as u32,
        })
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
