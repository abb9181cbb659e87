//! The arrows of the house: `abi <- intrinsics <- {codegen, rt}`, `rt <- stdlib`, and nothing but
//! `proxplc` and the test crates sees both the compiler and the runtime.
//!
//! Invariants
//! 1. A crate depends only on what its line in [`ARROWS`] names; dev-dependencies count, because a
//!    test that needs the other side belongs into `testsuite`.
//! 2. A crate without a line is a finding: a new room says first which arrows it has.
//! 3. Every manifest in the tree is a member, and every member uses the one lint table.

use super::{Tree, manifest};

/// Each crate and what it may see.
const ARROWS: &[(&str, &[&str])] = &[
    ("asr-abi", &[]),
    ("asr-intrinsics", &["asr-abi"]),
    ("asr-codegen", &["asr-abi", "asr-intrinsics"]),
    ("asr-base", &["asr-abi"]),
    ("asr-lock", &[]),
    ("asr-trace", &["asr-abi", "asr-base", "asr-lock"]),
    (
        "asr-kernel",
        &["asr-abi", "asr-base", "asr-lock", "asr-trace"],
    ),
    (
        "asr-sync",
        &["asr-abi", "asr-base", "asr-lock", "asr-trace", "asr-kernel"],
    ),
    (
        "asr-heal",
        &["asr-abi", "asr-base", "asr-lock", "asr-trace", "asr-kernel"],
    ),
    ("asr-lab-macros", &[]),
    (
        "asr-lab",
        &[
            "asr-abi",
            "asr-base",
            "asr-lock",
            "asr-trace",
            "asr-kernel",
            "asr-lab-macros",
        ],
    ),
    ("asr-rt-macros", &[]),
    (
        "asr-rt",
        &[
            "asr-rt-macros",
            "asr-abi",
            "asr-intrinsics",
            "asr-base",
            "asr-lock",
            "asr-trace",
            "asr-kernel",
            "asr-sync",
            "asr-heal",
            "asr-lab",
        ],
    ),
    (
        "asr-value",
        &[
            "asr-abi",
            "asr-intrinsics",
            "asr-kernel",
            "asr-heal",
            "asr-rt",
        ],
    ),
    ("asr-archive", &["asr-abi", "asr-rt", "asr-value"]),
    ("xtask", &["asr-abi", "asr-intrinsics", "asr-value"]),
    (
        "proxplc",
        &[
            "asr-abi",
            "asr-intrinsics",
            "asr-codegen",
            "asr-kernel",
            "asr-heal",
            "asr-rt",
            "asr-value",
            "asr-archive",
        ],
    ),
    (
        "asr-bench",
        &[
            "asr-base",
            "asr-codegen",
            "asr-intrinsics",
            "asr-kernel",
            "asr-rt",
            "asr-sync",
        ],
    ),
    ("asr-testsuite", ALL),
    ("asr-fuzz", FUZZ),
];

/// What the test crates may see: everything but `xtask`.
const ALL: &[&str] = &[
    "asr-abi",
    "asr-intrinsics",
    "asr-codegen",
    "asr-base",
    "asr-lock",
    "asr-trace",
    "asr-kernel",
    "asr-sync",
    "asr-heal",
    "asr-lab",
    "asr-rt",
    "asr-value",
    "asr-archive",
    "proxplc",
];

/// What the fuzz targets may see: also the filetest runner, which makes their calls.
const FUZZ: &[&str] = &[
    "asr-abi",
    "asr-intrinsics",
    "asr-codegen",
    "asr-base",
    "asr-kernel",
    "asr-sync",
    "asr-lab",
    "asr-rt",
    "asr-value",
    "proxplc",
    "asr-testsuite",
];

/// The manifest outside the workspace: cargo-fuzz brings its own profile and sanitizer flags.
const OUTSIDE: &[&str] = &["testsuite/fuzz/cargo-fuzz/Cargo.toml"];

/// Dependencies against an arrow, unknown crates, manifests outside the workspace.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let root = tree
        .get("Cargo.toml")
        .map(|file| manifest::read(&file.text))
        .unwrap_or_default();
    let ours = |name: &&String| ARROWS.iter().any(|(own, _)| own == name) || is_ours(name);
    for file in tree.ending("/Cargo.toml") {
        let path = &file.path;
        if OUTSIDE.contains(&path.as_str()) {
            continue;
        }
        let manifest = manifest::read(&file.text);
        let dir = path.trim_end_matches("/Cargo.toml");
        if !root.members.iter().any(|member| member == dir) {
            findings.push(format!("{path}: not a member of the workspace"));
        }
        if !manifest.workspace_lints {
            findings.push(format!(
                "{path}: does not use the lint table of the workspace"
            ));
        }
        let name = manifest.name.unwrap_or_default();
        let Some((_, allowed)) = ARROWS.iter().find(|(own, _)| *own == name) else {
            findings.push(format!(
                "{path}: crate `{name}` has no line in the table of arrows"
            ));
            continue;
        };
        for dependency in manifest.dependencies.iter().filter(ours) {
            if !allowed.contains(&dependency.as_str()) {
                findings.push(format!("{path}: `{name}` must not see `{dependency}`"));
            }
        }
    }
    findings
}

fn is_ours(name: &str) -> bool {
    name.starts_with("asr-") || name == "proxplc" || name == "xtask"
}

/// Runtimes of other projects in the lock file: I/O goes through our own executor, and a library
/// that brings a second one has no place here.
pub fn foreign_runtimes(tree: &Tree) -> Vec<String> {
    let lock = tree
        .get("Cargo.lock")
        .map(|file| file.text.as_str())
        .unwrap_or_default();
    let banned = ["tokio", "async-std", "smol"];
    let found = |name: &&&str| lock.contains(&format!("name = \"{name}\""));
    banned
        .iter()
        .filter(found)
        .map(|name| format!("Cargo.lock: {name}"))
        .collect()
}
