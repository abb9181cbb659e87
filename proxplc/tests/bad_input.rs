//! Malformed programs and runaway ones, as child processes with limits on time and memory: always
//! an error with a location or a caught fault, never a panic, a hang or a signal.

mod common;

use std::path::Path;
use std::time::Instant;

use common::{BAD_INPUT_LIMIT, Scratch, limited, proxplc, texts};

/// How a command must end.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// Refused by the compiler: 65 and a place.
    Refused,
    /// Runs into an error that nobody catches: 70 from `run`; it compiles.
    Uncaught,
}

fn feed(name: &str, source: &[u8], ends: Ends) {
    let dir = Scratch::new();
    let file = dir.file(name, source);
    for command in ["check", "build", "run"] {
        let begin = Instant::now();
        let output = command_on(command, &file);
        let (_, err) = texts(&output);
        let shown: String = err.chars().take(600).collect();
        let expected = match (ends, command) {
            (Ends::Refused, _) => 65,
            (Ends::Uncaught, "run") => 70,
            (Ends::Uncaught, _) => 0,
        };
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{command} {name}: {shown}"
        );
        assert!(!err.contains("panicked"), "{command} {name}: {shown}");
        assert!(err.len() < 100_000, "{command} {name} says too much");
        if expected != 0 {
            let place = err.contains(&format!("{name}:")) || err.contains("[line ");
            assert!(place, "{command} {name} names no place: {shown}");
        }
        assert!(
            begin.elapsed() < BAD_INPUT_LIMIT,
            "{command} {name} took {:?}",
            begin.elapsed()
        );
    }
}

fn command_on(command: &str, file: &Path) -> std::process::Output {
    let mut child = proxplc(&[command]);
    match command {
        "build" => child.arg(file).arg("-o").arg(file.with_extension("exe")),
        "run" => child.arg("--heap-limit=64M").arg(file),
        _ => child.arg(file),
    };
    limited(child)
}

#[test]
fn truncated() {
    let source = std::fs::read(common::root().join("examples/heal.prox")).expect("the example");
    for part in 1..8 {
        let cut = source.len() * part / 8;
        // Most cuts fall into a statement; one that does not is a program of its own.
        let file = proxplc::diag::SourceFile::new("x", source[..cut].to_vec());
        if proxplc::compile::compile(&file, 1).is_err() {
            feed("cut.prox", &source[..cut], Ends::Refused);
        }
    }
}

#[test]
fn a_line_of_ten_megabytes() {
    let sum = format!("let a = 1; print a{};", " + a".repeat(2_500_000));
    feed("sum.prox", sum.as_bytes(), Ends::Refused);
    let calls = format!("print {};", "f(".repeat(5_000_000));
    feed("calls.prox", calls.as_bytes(), Ends::Refused);
    feed(
        "text.prox",
        format!("print len(\"{}\"); throw 1;", "x".repeat(10_000_000)).as_bytes(),
        Ends::Uncaught,
    );
    feed("noise.prox", &[b'#'; 10_000_000], Ends::Refused);
}

#[test]
fn a_hundred_thousand_parentheses() {
    let source = format!("print {}1{};", "(".repeat(100_000), ")".repeat(100_000));
    feed("parens.prox", source.as_bytes(), Ends::Refused);
}

#[test]
fn invalid_utf8() {
    feed("utf8.prox", b"print 1;\nlet \xff\xfe = 2;", Ends::Refused);
    feed("utf8.air", b"module \"\xff\" unit 1", Ends::Refused);
}

#[test]
fn malformed_air() {
    feed("empty.air", b"", Ends::Refused);
    feed("cut.air", b"module \"m\" unit 1\nfn @f(", Ends::Refused);
    let rest = "}\n";
    for (name, body) in [
        (
            "intrinsic.air",
            "use core\nfn @f() {\nentry:\n  intrinsic no_such_row()\n  return\n",
        ),
        (
            "arity.air",
            "fn @g(%a: i64) {\nentry:\n  return\n}\nfn @f() {\nentry:\n  call @g()\n  return\n",
        ),
        (
            "twice.air",
            "fn @f() {\nentry:\n  return\n}\nfn @f() {\nentry:\n  return\n",
        ),
        ("dead.air", "fn @f() {\nentry:\n  return\ndead:\n  return\n"),
        (
            "types.air",
            "fn @f(%a: f64) -> i64 {\nentry:\n  return %a\n",
        ),
    ] {
        feed(
            name,
            format!("module \"m\" unit 1\n{body}{rest}").as_bytes(),
            Ends::Refused,
        );
    }
}

#[test]
fn faults_that_nobody_catches() {
    for source in [
        "func f(n) { return 1 + f(n + 1); } f(0);",
        "print 1 / 0;",
        "let l = [1]; print l[5];",
        "print nope;",
        "func f(a) { } f(1, 2);",
        "let l = []; while (true) push(l, l);",
        "let s = \"x\"; while (true) s += s;",
        "let d = {}; let i = 0; while (true) { i += 1; d[\"k\" + i] = [i]; }",
    ] {
        feed("fault.prox", source.as_bytes(), Ends::Uncaught);
    }
}
