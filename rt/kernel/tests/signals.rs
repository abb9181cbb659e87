//! Signals in compiled code and elsewhere, each in a child process.
#![allow(unsafe_code, reason = "runs machine code that faults")]
#![cfg(target_arch = "x86_64")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};
use std::ptr;

use asr_abi::{CodeRecord, FuncEntry, LineEntry, SiteTable, VERSION};
use asr_kernel::code::{self, signal};

/// Runs a test of this file as a child that is asked to break.
fn child(name: &str, how: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("ASR_TEST_BREAK", how)
        .output()
        .unwrap()
}

fn asked() -> Option<String> {
    std::env::var("ASR_TEST_BREAK").ok()
}

/// Maps a function of this machine code, and registers it as compiled from two lines.
fn compiled(bytes: &[u8]) -> extern "C" fn() {
    // SAFETY: a fresh private mapping, filled before it becomes executable.
    let code = unsafe {
        let (write, run) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::PROT_READ | libc::PROT_EXEC,
        );
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let code = libc::mmap(ptr::null_mut(), 4096, write, kind, -1, 0).cast::<u8>();
        assert_ne!(code.cast(), libc::MAP_FAILED);
        code.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        assert_eq!(libc::mprotect(code.cast(), 4096, run), 0);
        code.cast_const()
    };
    let lines = vec![
        LineEntry { offset: 0, line: 3 },
        LineEntry { offset: 1, line: 4 },
    ]
    .leak();
    let funcs = vec![FuncEntry {
        entry: code,
        name: "wild".as_ptr(),
        file: "a.prox".as_ptr(),
        lines: lines.as_ptr(),
        len: 64,
        name_len: 4,
        file_len: 6,
        n_lines: 2,
    }]
    .leak();
    let sites = Box::leak(Box::new(SiteTable {
        unit: 77,
        n_sites: 0,
        sites: ptr::null(),
        funcs: funcs.as_ptr(),
        n_funcs: 1,
        reserved: 0,
    }));
    let record = Box::leak(Box::new(CodeRecord {
        base: code,
        len: 64,
        sites,
        frames: ptr::null(),
        version: u64::from(VERSION),
    }));
    // SAFETY: the record and its tables are leaked; the code ends in a return.
    unsafe {
        code::register(record).unwrap();
        std::mem::transmute::<*const u8, extern "C" fn()>(code)
    }
}

const NOP: u8 = 0x90;

#[test]
fn abi_25_part_a_signal_in_compiled_code_is_located() {
    // What waits: tasks. Then the task ends and the process lives.
    const NAME: &str = "abi_25_part_a_signal_in_compiled_code_is_located";
    if let Some(how) = asked() {
        signal::install();
        let wrong: &[u8] = match how.as_str() {
            // mov byte ptr [0x10], 1
            "SIGSEGV" => &[NOP, 0xc6, 0x04, 0x25, 0x10, 0, 0, 0, 1, 0xc3],
            // ud2
            "SIGILL" => &[NOP, 0x0f, 0x0b, 0xc3],
            // int3: its address is the one behind it
            "SIGTRAP" => &[NOP, 0xcc, 0xc3],
            // xor ecx, ecx; div ecx
            _ => &[NOP, 0x31, 0xc9, 0xf7, 0xf1, 0xc3],
        };
        compiled(wrong)();
        unreachable!("the process has ended");
    }
    for how in ["SIGSEGV", "SIGILL", "SIGTRAP", "SIGFPE"] {
        let output = child(NAME, how);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(70), "{how}: {err}");
        let line = err.lines().find(|line| line.starts_with("asr: ")).unwrap();
        assert!(line.contains(how) && line.contains("[A010000F0]"), "{line}");
        assert!(line.contains("in wild() at a.prox:4"), "{line}");
    }
}

extern "C" fn of_the_host(_: i32) {
    // SAFETY: async-signal-safe.
    unsafe { libc::_exit(42) };
}

#[test]
fn abi_25_part_a_signal_elsewhere_is_the_hosts() {
    // What waits: the same under an intrinsic called by a task.
    const NAME: &str = "abi_25_part_a_signal_elsewhere_is_the_hosts";
    if let Some(how) = asked() {
        // SAFETY: the handlers are async-signal-safe; the fault is the point.
        unsafe {
            match how.as_str() {
                "handled" => _ = libc::signal(libc::SIGSEGV, of_the_host as *const () as usize),
                _ => _ = libc::signal(libc::SIGSEGV, libc::SIG_DFL),
            }
            signal::install();
            std::arch::asm!("mov byte ptr [{}], 1", in(reg) 16usize);
        }
        unreachable!("the process has ended");
    }
    let handled = child(NAME, "handled");
    assert_eq!(handled.status.code(), Some(42), "{handled:?}");
    let default = child(NAME, "default");
    assert_eq!(default.status.signal(), Some(libc::SIGSEGV), "{default:?}");
}

#[test]
fn abi_25_part_an_exhausted_stack_in_compiled_code_is_located() {
    // On the alternate stack: the thread's own has no room for a handler. The thread is made by
    // the C library, as a host would, so nobody else gave it an alternate stack.
    const NAME: &str = "abi_25_part_an_exhausted_stack_in_compiled_code_is_located";
    extern "C" fn body(_: *mut libc::c_void) -> *mut libc::c_void {
        asr_kernel::thread::adopt();
        // push rax; call to itself; ret
        compiled(&[0x50, 0xe8, 0xfa, 0xff, 0xff, 0xff, 0xc3])();
        ptr::null_mut()
    }
    if asked().is_some() {
        signal::install();
        // SAFETY: a thread with default attributes, joined once.
        unsafe {
            let mut thread = 0;
            libc::pthread_create(&mut thread, ptr::null(), body, ptr::null_mut());
            libc::pthread_join(thread, ptr::null_mut());
        }
        unreachable!("the process has ended");
    }
    let output = child(NAME, "recursion");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(70), "{output:?}");
    assert!(
        err.contains("SIGSEGV in compiled code") && err.contains("wild()"),
        "{err}"
    );
}
