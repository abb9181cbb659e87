//! The `proxplc` executable and its archive, built once per test run, and examples run with them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use crate::filetest::run::tool;

/// Longest time that a child process may take before it counts as hanging.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The top of the checkout.
pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("testsuite lies in the workspace")
}

/// The executable, built with the archive that `proxplc build` links.
///
/// # Panics
/// When cargo cannot build it, with what cargo said.
pub fn executable() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // Tests run from `<target>/<profile>/deps`.
        let own = std::env::current_exe().expect("a test has a path");
        let profile = own
            .ancestors()
            .nth(2)
            .expect("target/profile/deps")
            .to_path_buf();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "-q",
            "-p",
            "proxplc",
            "-p",
            "asr-archive",
            "--target-dir",
        ]);
        cargo
            .arg(profile.parent().expect("below the target directory"))
            .current_dir(top());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        tool::run(&mut cargo).unwrap_or_else(|error| panic!("{error}"));
        profile.join("proxplc")
    })
}

/// An example program of this crate; `cargo test` builds them beside the tests.
///
/// # Panics
/// When it was not built.
pub fn built_example(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let profile = own.ancestors().nth(2).expect("target/profile/deps");
    let path = profile.join("examples").join(name);
    assert!(
        path.exists(),
        "{}: run `cargo build -p asr-testsuite --examples`",
        path.display()
    );
    path
}

/// A command of `proxplc`, in the top of the checkout.
pub fn proxplc(args: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.args(args).current_dir(top());
    command
}

/// Run a child to its end with bounds on time ([`PATIENCE`]) and address space.
///
/// # Errors
/// It did not start, or did not end in time.
pub fn finish(command: &Command, memory_bytes: u64) -> Result<Output, String> {
    // `timeout` kills what hangs, and says so with the status of a killed process.
    let mut bounded = Command::new("timeout");
    bounded.args(["-s", "KILL", &PATIENCE.as_secs().to_string()]);
    bounded.args([
        "sh",
        "-c",
        &format!("ulimit -v {} && exec \"$0\" \"$@\"", memory_bytes >> 10),
    ]);
    bounded.arg(command.get_program()).args(command.get_args());
    if let Some(dir) = command.get_current_dir() {
        bounded.current_dir(dir);
    }
    bounded.stdin(std::process::Stdio::null());
    let output = bounded
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.code() {
        Some(137) | None => Err(format!("{command:?} took longer than {PATIENCE:?}")),
        Some(_) => Ok(output),
    }
}

/// Names of the examples, without ending, sorted.
///
/// # Panics
/// When the folder cannot be read.
pub fn examples() -> Vec<String> {
    let entries = std::fs::read_dir(top().join("examples"))
        .expect("examples")
        .flatten();
    let stem = |path: PathBuf| match path.extension()?.to_str()? {
        "prox" => Some(path.file_stem()?.to_str()?.to_owned()),
        _ => None,
    };
    let mut names: Vec<String> = entries.filter_map(|entry| stem(entry.path())).collect();
    names.sort();
    names
}
