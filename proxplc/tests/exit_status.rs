//! Exit statuses of rule ABI-40, as far as there are no tasks to time out or to interrupt yet.

mod common;

use common::{ENGINES, Scratch, limited, proxplc, run, texts};

fn status(source: &str) -> Vec<Option<i32>> {
    let dir = Scratch::new();
    let file = dir.file("status.prox", source.as_bytes());
    ENGINES
        .iter()
        .map(|engine| run(*engine, &file, &[]).status.code())
        .collect()
}

/// Waits for tasks: 71, 124, 130 and 143.
#[test]
fn abi_40_part_of_programs() {
    assert_eq!(status("print 1;"), [Some(0); 4]);
    assert_eq!(status("throw 1;"), [Some(70); 4]);
    assert_eq!(status("std.sys.exit(3);"), [Some(3); 4]);
    assert_eq!(status("std.core.assert(false, \"no\");"), [Some(1); 4]);
    assert_eq!(status("let a = ;"), [Some(65); 4]);
}

#[test]
fn what_cannot_be_linked_or_started_says_why() {
    let dir = Scratch::new();
    let file = dir.file("hello.prox", b"print 1;");
    let fake = dir.file(
        "libasr_archive.a",
        b"asr-build-id:00000000000000000000000000000000",
    );
    let mut command = proxplc(&["build"]);
    command
        .arg(&file)
        .arg("-o")
        .arg(dir.file("hello", b""))
        .env("ASR_LIB_DIR", fake.parent().expect("the folder"));
    let (_, err) = texts(&limited(command));
    assert!(
        err.contains("[E0303]") && err.contains("is of build 0000"),
        "{err}"
    );
    let module = dir.file("no_main.air", b"module \"m\" unit 1\n");
    for engine in ENGINES {
        let output = run(engine, &module, &[]);
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(65), "{engine:?}");
        assert!(err.contains("[E0305]"), "{engine:?}: {err}");
    }
}

#[test]
fn abi_40_part_of_the_command_line() {
    let code = |args: &[&str]| limited(proxplc(args)).status.code();
    assert_eq!(code(&[]), Some(64));
    assert_eq!(code(&["frob"]), Some(64));
    assert_eq!(code(&["run"]), Some(64));
    assert_eq!(code(&["run", "--engine=none", "x.prox"]), Some(64));
    assert_eq!(code(&["explain", "E9999"]), Some(64));
    assert_eq!(code(&["explain", "E0205"]), Some(0));
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["run", "/nonexistent.prox"]), Some(65));
    for command in ["run", "build", "check", "emit", "explain"] {
        let output = limited(proxplc(&[command, "--help"]));
        assert!(
            texts(&output).0.contains("Example"),
            "{command} --help shows an example"
        );
    }
}
