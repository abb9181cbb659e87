//! All examples give the same bytes in every mode of the probes, and the README's example runs.
//! `proxplc/tests/examples.rs` compares the engines.

use std::process::Command;

use asr_testsuite::filetest::run::tool;
use asr_testsuite::proxplc::{examples, finish, proxplc, top};

/// Address space of a child.
const MEMORY_BYTES: u64 = 8 << 30;

/// Standard output of a run that must succeed.
fn output(what: &str, command: &Command) -> Vec<u8> {
    let output = finish(command, MEMORY_BYTES).unwrap_or_else(|error| panic!("{what}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{what}: {errors}");
    output.stdout
}

/// What an example prints when it is run with these options.
fn run(example: &str, options: &[&str]) -> Vec<u8> {
    let file = format!("examples/{example}.prox");
    let args = [&["run"], options, &[file.as_str()]].concat();
    output(&format!("{example} {options:?}"), &proxplc(&args))
}

/// Every example prints with `options` what it prints without.
fn same_bytes(options: &[&str]) {
    for example in examples() {
        let (plain, other) = (run(&example, &[]), run(&example, options));
        assert!(!plain.is_empty(), "{example} prints nothing");
        let (plain, other) = (
            String::from_utf8_lossy(&plain),
            String::from_utf8_lossy(&other),
        );
        assert_eq!(plain, other, "{example} {options:?}");
    }
}

#[test]
fn abi_10_11_force_slow_gives_the_same_bytes() {
    same_bytes(&["--force-slow"]);
}

#[test]
fn abi_1_probes_at_every_guard_give_the_same_bytes() {
    same_bytes(&["--probes", "every"]);
    same_bytes(&["--probes", "off"]);
}

/// The example of the README is a program, and prints what its comment says.
#[test]
fn readme_example_runs() {
    let readme = std::fs::read_to_string(top().join("README.md")).expect("README.md");
    let code = readme.split("```").nth(1).expect("a code block");
    let (_, code) = code.split_once('\n').expect("a language");
    assert!(
        code.lines().count() < 15,
        "the example is too long for a first screen"
    );
    let dir = tool::scratch("readme").expect("a folder");
    let file = dir.join("readme.prox");
    tool::write(&file, code).expect("a file");
    let printed = output("README", &proxplc(&["run", file.to_str().expect("ASCII")]));
    assert_eq!(String::from_utf8_lossy(&printed), "100\n");
    std::fs::remove_dir_all(&dir).expect("the folder was made above");
}
