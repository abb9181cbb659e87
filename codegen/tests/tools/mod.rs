//! What the tests of this crate share.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use asr_codegen::{Options, Prepared, air, prepare};
use asr_intrinsics::CORE;

/// The module of this text, verified and prepared.
pub(crate) fn prepared(text: &str, options: &Options) -> Prepared {
    let parsed = air::parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    if let Err(errors) = air::verify(&parsed.module, &[&CORE]) {
        panic!("{errors:?}");
    }
    prepare(&parsed.module, &[&CORE], options).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a command that must end with this exit status; gives what it printed.
pub(crate) fn output(command: &mut Command, status: i32) -> String {
    let ran = command.output();
    let ran = ran.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ran.stderr);
    let code = ran.status.code();
    assert_eq!(code, Some(status), "{command:?}\n{text}\n{errors}");
    text
}

/// A directory that lives as long as its test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a scratch directory");
        Scratch(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
