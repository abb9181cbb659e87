//! Signals in compiled code, in a JIT unit and in an executable (rule ABI-25, its message).

use std::path::PathBuf;
use std::process::{Command, Output};

use asr_testsuite::proxplc::proxplc;

/// A wild store at line 3 of its source.
const WILD: &str = r#"module "wild" unit 1
use core
file "wild.prox"

export fn @program_main() throws title "main" !1:1 {
  local %p: ptr
entry:
  %p = copy.ptr 16     !2:1
  store.i64 1, %p + 0  !3:5
  return               !4:1
}
"#;

/// The program in a file of its own.
fn source(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, WILD).expect("the target directory can be written");
    path
}

#[track_caller]
fn located(output: &Output) {
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(70), "{err}");
    assert!(err.contains("SIGSEGV in compiled code at 0x"), "{err}");
    assert!(err.contains("in main() at wild.prox:3"), "{err}");
}

#[test]
fn abi_25_part_a_wild_store_in_jit_code_is_located() {
    // What waits: the fiber that is left and the task that ends Panicked; the process ends for now.
    let path = source("jit_wild.air");
    located(&proxplc(&["run", path.to_str().unwrap()]).output().unwrap());
}

#[test]
fn abi_25_part_a_wild_store_in_an_executable_is_located() {
    let path = source("aot_wild.air");
    let program = path.with_extension("");
    let built = proxplc(&[
        "build",
        path.to_str().unwrap(),
        "-o",
        program.to_str().unwrap(),
    ])
    .output()
    .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    located(&Command::new(program).output().unwrap());
}

#[test]
fn abi_25_part_a_signal_elsewhere_ends_the_process_as_before() {
    use std::os::unix::process::ExitStatusExt as _;
    // A child of this test installs the handlers and then runs into a signal in its own code.
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "abi_25_child_faults_in_rust", "--nocapture"])
        .env("ASR_TEST_FAULT", "1")
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(libc::SIGILL), "{child:?}");
}

#[test]
fn abi_25_child_faults_in_rust() {
    if std::env::var_os("ASR_TEST_FAULT").is_some() {
        asr_rt::kernel::code::signal::install();
        std::process::Command::new("kill")
            .args(["-ILL", &std::process::id().to_string()])
            .status()
            .unwrap();
    }
}
