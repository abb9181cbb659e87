//! One program, every engine: the JIT, the evaluator and an executable must give the same bytes.

#![allow(dead_code, reason = "each test file uses its part of this")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The compiler under test.
pub(crate) const PROXPLC: &str = env!("CARGO_BIN_EXE_proxplc");

/// Ways to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Machine code in memory.
    Jit,
    /// Machine code with a probe in every place, each taking its slow path.
    JitSlow,
    /// The evaluator of AIR.
    Eval,
    /// An executable.
    Aot,
}

/// All engines.
pub(crate) const ENGINES: [Engine; 4] = [Engine::Jit, Engine::JitSlow, Engine::Eval, Engine::Aot];

/// Those that run tasks.
pub(crate) const CONCURRENT: [Engine; 4] = ENGINES;

/// Run a `source` that uses tasks, as [`check`].
#[track_caller]
pub(crate) fn check_tasks(source: &str, expected: &str) {
    check_on(&CONCURRENT, source, expected);
}

/// The longest that a child may run; a hang is a failure, not a stuck test.
const CHILD_SECONDS: u64 = 60;
/// Address space of a child in KiB: enough for any program here, too little for a runaway one.
const CHILD_KIB: u64 = 4 << 20;

/// Run `source` on every engine, with exit status 0 and nothing on standard error.
#[track_caller]
pub(crate) fn check(source: &str, expected: &str) {
    check_on(&ENGINES, source, expected);
}

#[track_caller]
fn check_on(engines: &[Engine], source: &str, expected: &str) {
    let dir = Scratch::new();
    let file = dir.file("test.prox", source.as_bytes());
    for engine in engines.iter().copied() {
        let output = run(engine, &file, &[]);
        let (out, err) = texts(&output);
        assert!(
            output.status.success(),
            "{engine:?}: {}\n{out}\n{err}",
            output.status
        );
        assert_eq!(out, expected, "{engine:?}: {err}");
        assert_eq!(err, "", "{engine:?}");
    }
}

/// Run `source` on every engine: it prints `expected`, then ends with an uncaught error whose
/// report holds each of `parts`, and exit status 70.
#[track_caller]
pub(crate) fn check_uncaught(source: &str, expected: &str, parts: &[&str]) {
    uncaught_on(&ENGINES, source, expected, parts);
}

/// The same of a `source` that uses tasks.
#[track_caller]
pub(crate) fn check_tasks_uncaught(source: &str, expected: &str, parts: &[&str]) {
    uncaught_on(&CONCURRENT, source, expected, parts);
}

#[track_caller]
fn uncaught_on(engines: &[Engine], source: &str, expected: &str, parts: &[&str]) {
    let dir = Scratch::new();
    let file = dir.file("test.prox", source.as_bytes());
    for engine in engines.iter().copied() {
        let output = run(engine, &file, &[]);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(70), "{engine:?}: {out}\n{err}");
        assert_eq!(out, expected, "{engine:?}");
        for part in parts {
            assert!(err.contains(part), "{engine:?}: no {part:?} in\n{err}");
        }
    }
}

/// Compile `source`: it is refused with these codes, each at its line and column.
#[track_caller]
pub(crate) fn check_refused(source: &str, expected: &[(&str, u32, u32)]) {
    let file = proxplc::diag::SourceFile::new("test.prox", source.as_bytes().to_vec());
    let list = proxplc::compile::compile(&file, 1)
        .err()
        .unwrap_or_default();
    let found: Vec<_> = list
        .iter()
        .map(|d| {
            let at = file.lines.line_col(d.span.start);
            (d.code, at.line, at.column)
        })
        .collect();
    assert_eq!(found, expected, "{source}");
}

/// Run a program file.
pub(crate) fn run(engine: Engine, file: &Path, args: &[&str]) -> Output {
    let options: &[&str] = match engine {
        Engine::Jit => &["run"],
        Engine::JitSlow => &["run", "--probes=every", "--force-slow"],
        Engine::Eval => &["run", "--engine=eval"],
        Engine::Aot => {
            let exe = file.with_extension("exe");
            let built = build(file, &exe);
            if !built.status.success() {
                return built;
            }
            let mut command = Command::new(&exe);
            command.args(args).current_dir(root());
            return limited(command);
        }
    };
    let mut command = proxplc(options);
    command.arg(file).args(args);
    limited(command)
}

/// Make an executable.
pub(crate) fn build(file: &Path, exe: &Path) -> Output {
    archive();
    let mut command = proxplc(&["build"]);
    command.arg(file).arg("-o").arg(exe);
    limited(command)
}

/// `proxplc` with these arguments, in the root of the workspace.
pub(crate) fn proxplc(args: &[&str]) -> Command {
    let mut command = Command::new(PROXPLC);
    command.args(args).current_dir(root()).env("NO_COLOR", "1");
    command
}

/// Build the archive once, before anything links it.
fn archive() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["build", "--quiet", "-p", "asr-archive"])
            .current_dir(root());
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let status = command.status().expect("cargo runs");
        assert!(status.success(), "the archive is built: {status}");
    });
}

/// Root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_path_buf()
}

/// Run a child with limits on time and memory.
pub(crate) fn limited(mut command: Command) -> Output {
    let mut shell = Command::new("timeout");
    shell
        .arg("--kill-after=5")
        .arg(CHILD_SECONDS.to_string())
        .args(["sh", "-c"]);
    shell.arg(format!(
        "ulimit -v {CHILD_KIB}; ulimit -c 0; exec \"$0\" \"$@\""
    ));
    shell.arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        shell.current_dir(dir);
    }
    command = shell;
    command
        .stdin(Stdio::null())
        .output()
        .expect("the child runs")
}

/// Standard output and error as text.
pub(crate) fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The longest that a bad input may take; far above what it needs, far below a hang.
pub(crate) const BAD_INPUT_LIMIT: Duration = Duration::from_secs(30);

/// A temporary folder that goes away.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A fresh folder.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Relaxed: the number need only be unique.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("proxplc-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a temporary folder");
        Self(dir)
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
