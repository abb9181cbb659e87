//! C11 and C++17 programs against the headers and the static library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The static library, built by cargo with the profile of this test.
fn archive() -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "-p", "asr-rt", "--lib"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success());
        // target/<profile>/deps/<this test>
        let test = std::env::current_exe().expect("this test has a path");
        test.ancestors()
            .nth(2)
            .expect("target/<profile>")
            .join("libasr_rt.a")
    })
}

/// Compiles a program of `tests/c` with warnings as errors, runs it and compares its last line.
fn run(compiler: &str, flags: &[&str], source: &str, expected: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stem = format!("{source}-{compiler}-{}", flags.concat()).replace(['/', '.', '='], "_");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(stem);
    let built = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Werror", "-g"])
        .args(flags)
        .arg("-I")
        .arg(here.join("../abi/include"))
        .args(if compiler == "g++" {
            ["-x", "c++"]
        } else {
            ["-x", "c"]
        })
        .arg(here.join("tests/c").join(source))
        .args(["-x", "none"])
        .arg(archive())
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program)
        .output()
        .unwrap_or_else(|error| panic!("{compiler} is needed for this test: {error}"));
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let ran = Command::new(&program).output().expect("the program runs");
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{source}: {}\n{out}{err}", ran.status);
    assert_eq!(out.trim_end(), expected);
}

#[test]
fn abi_12_three_functions_in_c11_and_cpp17() {
    run(
        "gcc",
        &["-std=c11", "-pedantic"],
        "only_three.c",
        "only three: ok",
    );
    run(
        "g++",
        &["-std=c++17", "-pedantic"],
        "only_three.c",
        "only three: ok",
    );
}

#[test]
fn abi_13_abi_15_heal_1_a_c_program_heals() {
    run("gcc", &["-std=gnu11"], "healing.c", "healing: ok");
}

#[test]
fn abi_41_abi_42_abi_43_a_cpp_program_heals() {
    run("g++", &["-std=gnu++17"], "healing.c", "healing: ok");
}

#[test]
fn abi_34_part_a_c_program_runs_tasks_and_ends_as_it_was() {
    run("gcc", &["-std=gnu11"], "tasks.c", "tasks: ok");
}

#[test]
fn heal_38_retire_under_the_address_sanitizer() {
    run(
        "gcc",
        &["-std=gnu11", "-fsanitize=address"],
        "retire.c",
        "retire: ok",
    );
}
