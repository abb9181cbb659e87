//! gdb in batch: break on a line, step, print a backtrace with lines; in an executable made from an
//! object, and in JIT code. A missing gdb is a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use asr_codegen::{Options, object};
use asr_testsuite::filetest::run::{Batch, Call, Machine, jit, tool};
use asr_testsuite::filetest::{self, Case, verify};
use asr_testsuite::proxplc::built_example;

/// The file that is debugged, and its source beside it.
fn steps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/filetests/debug/steps.air")
}

/// Run gdb on a program, in the folder of the source.
fn gdb(program: &Path, args: &[&str], commands: &[&str]) -> String {
    let mut gdb = Command::new("gdb");
    gdb.args(["-batch", "-nx", "-ex", "set debuginfod enabled off"]);
    // Containers often forbid to switch address randomization off; breakpoints do not need it.
    gdb.args([
        "-ex",
        "set disable-randomization off",
        "-ex",
        "set breakpoint pending on",
    ]);
    for command in commands {
        gdb.args(["-ex", command]);
    }
    gdb.arg("--args").arg(program).args(args);
    gdb.current_dir(steps().parent().expect("the file lies in a folder"));
    tool::run(&mut gdb).unwrap_or_else(|error| panic!("{error}"))
}

/// Break in the inner function, look at the stack, step to the next line and out of it.
const SESSION: &[&str] = &[
    "break steps.prox:3",
    "run",
    "bt",
    "info source",
    "finish",
    "next",
    "info breakpoints",
];

/// What the session shows, whoever made the code.
fn shows_lines(output: &str, outermost: &str) {
    let line = |text: &str| {
        output
            .lines()
            .find(|line| line.contains(text))
            .unwrap_or_else(|| panic!("{text}: {output}"))
    };
    assert!(line("#0").contains("inner"), "{output}");
    assert!(line("#0").contains("steps.prox:3"), "{output}");
    assert!(line("#1").contains("outer"), "{output}");
    assert!(line("#1").contains("steps.prox:6"), "{output}");
    assert!(
        output.lines().any(|line| line.contains(outermost)),
        "no {outermost}: {output}"
    );
    // The text of the source is found beside the program.
    assert!(output.contains("return b + 1;"), "{output}");
    // `next` after `finish` goes on in the caller.
    assert!(
        output.contains("7\t") || output.contains("steps.prox:7"),
        "{output}"
    );
}

#[test]
fn gdb_steps_through_an_executable() {
    let text = std::fs::read_to_string(steps()).expect("the file");
    let case: Case = filetest::parse("steps", &text).expect("a filetest");
    let module = verify::parsed(&case).expect("it parses").module;
    let prepared = jit::prepared(&module, &Options::default()).expect("it compiles");
    let object = object::emit(&prepared, None).expect("an object");
    let call = Call::new(&case.runs[0], &module).expect("a call");
    let batch = Batch {
        objects: vec![object],
        calls: vec![call],
    };
    let dir = tool::scratch("gdb").expect("a folder");
    let program = batch.link(Machine::Native, &dir).expect("an executable");
    shows_lines(&gdb(&program, &[], SESSION), "main");
    std::fs::remove_dir_all(&dir).expect("the folder was made above");
}
#[test]
fn gdb_steps_through_jit_code() {
    let program = built_example("air");
    let file = steps();
    let file = file.to_str().expect("a path of ASCII");
    shows_lines(&gdb(&program, &[file, "@outer(20)"], SESSION), "main");
}

/// Two lines of an asynchronous function: before it suspends it stands on its caller, behind that
/// on the executor, which resumes it alone.
#[test]
fn gdb_breaks_before_and_behind_a_suspension() {
    let program = built_example("air");
    let file = steps().with_file_name("waits.air");
    let file = file.to_str().expect("a path of ASCII");
    let session = [
        "break waits.prox:3",
        "break waits.prox:4",
        "run",
        "bt",
        "continue",
        "bt",
    ];
    let output = gdb(&program, &[file, "@outer(2)"], &session);
    let frames: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with('#'))
        .collect();
    let resumed = frames.iter().rposition(|line| line.starts_with("#0"));
    let (before, behind) = frames.split_at(resumed.unwrap_or_else(|| panic!("{output}")));
    let shows = |frame: Option<&&str>, texts: [&str; 2]| {
        let shown = frame.is_some_and(|frame| texts.iter().all(|text| frame.contains(text)));
        assert!(shown, "{texts:?}: {output}");
    };
    shows(before.first(), ["inner", "waits.prox:3"]);
    shows(before.get(1), ["outer", "waits.prox:7"]);
    shows(behind.first(), ["inner", "waits.prox:4"]);
    shows(behind.get(1), ["asr_stub_run", ""]);
}
