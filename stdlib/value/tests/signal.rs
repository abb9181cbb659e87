//! A signal in compiled code: what the program printed comes out before it dies (rule ABI-25, its
//! message).
#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "makes and runs machine code that faults")]

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::ptr;

use asr_abi::{CodeRecord, Ret, Thread, VERSION};
use asr_value::{Value, symbols};

/// Set in the child process, which dies.
const CHILD: &str = "ASR_TEST_SIGNAL_CHILD";

/// `mov rax, [0]; ret`
const WILD_LOAD: [u8; 9] = [0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0xc3];

type Code = unsafe extern "C" fn(*const Thread) -> Ret;

/// Registered machine code that loads from address 0.
fn wild_load() -> Code {
    // SAFETY: a fresh page, filled before it becomes executable; its record stays for ever.
    unsafe {
        let page = libc::mmap(
            ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        assert_ne!(page, libc::MAP_FAILED);
        page.cast::<[u8; 9]>().write(WILD_LOAD);
        assert_eq!(
            libc::mprotect(page, 4096, libc::PROT_READ | libc::PROT_EXEC),
            0
        );
        let record = Box::leak(Box::new(CodeRecord {
            base: page.cast::<u8>().cast_const(),
            len: 4096,
            sites: ptr::null(),
            frames: ptr::null(),
            version: u64::from(VERSION),
        }));
        asr_kernel::code::register(record).unwrap();
        std::mem::transmute::<*mut libc::c_void, Code>(page)
    }
}

#[test]
fn abi_25_part_output_survives_a_signal() {
    if std::env::var_os(CHILD).is_some() {
        let code = asr_value::start::run_main(&[], |th| {
            let symbols = symbols();
            let print = symbols
                .iter()
                .find(|s| s.0 == "asr_i_value_print")
                .unwrap()
                .1;
            // SAFETY: the row's signature; a number; then code of the right signature.
            unsafe {
                let print = std::mem::transmute::<
                    *const u8,
                    unsafe extern "C" fn(*const Thread, u64) -> Ret,
                >(print);
                print(th, Value::number(42.5).word());
                wild_load()(th)
            }
        });
        std::process::exit(code);
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "abi_25_part_output_survives_a_signal",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr),
    );
    assert_eq!(
        (child.status.code(), child.status.signal()),
        (Some(70), None),
        "{out}{err}"
    );
    assert!(out.ends_with("42.5\n"), "{out}");
    assert!(err.contains("SIGSEGV in compiled code"), "{err}");
}
