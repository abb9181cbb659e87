//! The programs that a newcomer runs first: what they print, and how they end.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs an example, which cargo built with the tests of the package.
fn run(name: &str) -> Output {
    let mut path: PathBuf = std::env::current_exe().expect("this test is a file");
    path.pop();
    path.pop();
    path.push("examples");
    path.push(name);
    let command = Command::new(&path).output();
    command.unwrap_or_else(|error| {
        panic!(
            "{}: {error}: run `cargo build -p asr-rt --examples`",
            path.display()
        )
    })
}

#[test]
fn first() {
    let run = run("first");
    let said = String::from_utf8(run.stdout).expect("text");
    let mut lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.pop(), Some("closed early: Timeout"), "{said}");
    assert_eq!(lines.pop(), Some("the kitchen is clean"), "{said}");
    assert_eq!(lines.pop(), Some("cake: put away"), "{said}");
    for line in ["bread: done", "soup: done", "cake: started"] {
        assert!(lines.contains(&line), "{line}: {said}");
    }
    assert_eq!(run.status.code(), Some(0));
}
