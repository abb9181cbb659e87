//! `cargo xtask test`: everything that must hold before a change is merged.
//!
//! Invariants
//! 1. The first step that fails ends the run, and its error says what to do.
//! 2. The last line is `N passed, M failed`, the sum over all test programs.
//! 3. The workspace is built once: every step uses the dev profile and the whole workspace, so
//!    features are unified in the same way; only loom, which changes `cfg`, has its own target
//!    directory, and the tests of the features `hwloc` and `lock-metrics` build the kernel again.

use std::path::Path;

use crate::step::{Steps, cargo};
use crate::{Failure, root, setup};

/// Crates whose loom tests run, found by their `tests/loom*.rs`.
struct Loom {
    package: String,
    test: String,
}

/// `cargo xtask test [--full] [FILTER]`.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (mut full, mut filter) = (false, None);
    for arg in args {
        match arg.as_str() {
            "--full" => full = true,
            option if option.starts_with('-') => {
                return Err(Failure::Misuse(format!("`test` has no option `{option}`")));
            }
            name if filter.is_none() => filter = Some(name),
            more => {
                return Err(Failure::Misuse(format!(
                    "one filter at most, got `{more}` too"
                )));
            }
        }
    }
    let mut steps = Steps::new();
    let done = all(&mut steps, full, filter);
    steps.close();
    done
}

fn all(steps: &mut Steps, full: bool, filter: Option<&str>) -> Result<(), Failure> {
    setup::ensure()?;
    if filter.is_none() {
        steps.run(
            "fmt",
            "run `cargo fmt --all`",
            &mut cargo(&["fmt", "--all", "--check"]),
        )?;
        let mut clippy = cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]);
        steps.run("clippy", "mend what clippy names above", &mut clippy)?;
    }
    let mut build = cargo(&["test", "--workspace", "--no-run"]);
    steps.run("build", "mend the errors above", &mut build)?;
    // What `proxplc build` links; the tests ask for the same build, so they find it done.
    let mut archive = cargo(&["build", "-p", "proxplc", "-p", "asr-archive"]);
    steps.run("archive", "mend the errors above", &mut archive)?;

    let again = "run it alone with `cargo xtask test NAME`";
    let mut tests = cargo(&[
        "test",
        "--workspace",
        "--lib",
        "--bins",
        "--tests",
        "--examples",
    ]);
    tests.arg("--no-fail-fast");
    steps.run("tests", again, passed_on(&mut tests, full, filter))?;
    let mut hwloc = cargo(&["test", "-p", "asr-kernel", "--features", "hwloc"]);
    hwloc.args(["--test", "topology"]);
    steps.run("hwloc", again, passed_on(&mut hwloc, full, filter))?;
    let mut metrics = cargo(&["test", "-p", "asr-lock", "-p", "asr-kernel"]);
    metrics.args(["--features", "lock-metrics"]);
    for test in ["order", "build", "metrics", "lock_metrics"] {
        metrics.args(["--test", test]);
    }
    steps.run("lock-metrics", again, passed_on(&mut metrics, full, filter))?;
    for Loom { package, test } in loom_tests(&root::dir()) {
        let mut loom = cargo(&["test", "-p", &package, "--test", &test]);
        loom.args(["--target-dir", "target/loom"])
            .env("RUSTFLAGS", "--cfg loom")
            // Models run their code a million times; assertions stay.
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "2");
        steps.run(
            &format!("loom {package}"),
            again,
            passed_on(&mut loom, full, filter),
        )?;
    }
    let mut doctests = cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]);
    steps.run("doc tests", again, passed_on(&mut doctests, full, filter))?;
    if filter.is_none() {
        let mut doc = cargo(&[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ]);
        // Private items are documented too, so links to them lead somewhere.
        doc.env(
            "RUSTDOCFLAGS",
            "-D warnings -A rustdoc::private-intra-doc-links",
        );
        steps.run("docs", "mend the links that rustdoc names above", &mut doc)?;
    }
    Ok(())
}

/// What every test program is told: the filter, and in a full run the ignored tests too.
fn passed_on<'c>(
    command: &'c mut std::process::Command,
    full: bool,
    filter: Option<&str>,
) -> &'c mut std::process::Command {
    command.arg("--").args(filter);
    if full {
        command.arg("--include-ignored").env("ASR_FULL", "1");
    }
    command
}

fn loom_tests(top: &Path) -> Vec<Loom> {
    let mut found = Vec::new();
    for path in root::files(top, &[".rs"]) {
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        let Some(tests) = path.parent().filter(|dir| dir.ends_with("tests")) else {
            continue;
        };
        if !stem.starts_with("loom") {
            continue;
        }
        let manifest = tests
            .parent()
            .map(|dir| dir.join("Cargo.toml"))
            .unwrap_or_default();
        let Ok(manifest) = std::fs::read_to_string(manifest) else {
            continue;
        };
        let name = manifest
            .lines()
            .find_map(|line| line.strip_prefix("name = \""));
        if let Some(package) = name.and_then(|rest| rest.strip_suffix('"')) {
            found.push(Loom {
                package: package.to_owned(),
                test: stem.to_owned(),
            });
        }
    }
    found
}
