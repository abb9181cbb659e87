//! Standard output that cannot be written: a reader that went away, a full disk.
#![allow(
    unsafe_code,
    reason = "replaces the standard output of a child process"
)]

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::Command;

use asr_value::output::Output;

/// Set in the child processes.
const CHILD: &str = "ASR_TEST_OUTPUT_CHILD";

/// In a child process: prints more than any pipe holds to this file.
fn print_if_child(stdout: impl FnOnce() -> OwnedFd) {
    use std::os::fd::IntoRawFd;
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    // SAFETY: an open file takes the place of standard output, which the harness has written to.
    unsafe { libc::dup2(stdout().into_raw_fd(), libc::STDOUT_FILENO) };
    let mut output = Output::stdout();
    for _ in 0..10_000 {
        output.write(&[b'x'; 1000]);
    }
    output.flush();
    std::process::exit(0);
}

/// Exit status and messages of this test in a child process.
fn child(name: &str) -> (Option<i32>, String) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&child.stderr).into_owned();
    (child.status.code(), err)
}

#[test]
fn a_reader_that_went_away_ends_the_program_quietly() {
    print_if_child(|| std::io::pipe().unwrap().1.into());
    let ended = child("a_reader_that_went_away_ends_the_program_quietly");
    assert_eq!(ended, (Some(141), String::new()));
}

#[test]
fn a_full_disk_is_an_error() {
    print_if_child(|| {
        File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .into()
    });
    let (code, err) = child("a_full_disk_is_an_error");
    assert_eq!(code, Some(70), "{err}");
    assert!(err.contains("cannot write to standard output"), "{err}");
}
