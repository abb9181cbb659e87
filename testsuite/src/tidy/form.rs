//! The form of files: headers, lengths, leftovers, and what lies in the root.

use super::Tree;

/// Longest line of source, in characters.
const COLUMNS_MAX: usize = 100;

/// Longest source file, in lines. A longer one usually holds two ideas.
const LINES_MAX: usize = 400;

/// Files that may be longer, each with the reason.
const LONG: &[(&str, &str)] = &[];

/// Files whose lines may be longer, each with the reason.
const WIDE: &[(&str, &str)] = &[("abi/src/codes/", "a row of the table is one line")];

/// What may lie in the root: each entry means something to a reader or to a tool.
const ROOT: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "abi",
    "codegen",
    "examples",
    "intrinsics",
    "proxplc",
    "rt",
    "rust-toolchain.toml",
    "stdlib",
    "testsuite",
    "xtask",
];

/// Source files without a `//!` header in their first line.
pub fn headers(tree: &Tree) -> Vec<String> {
    let bare = tree
        .ending(".rs")
        .filter(|file| !file.text.starts_with("//!"));
    bare.map(|file| format!("{}:1: no `//!` header", file.path))
        .collect()
}

/// Lines and files that are too long.
pub fn lengths(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let endings = [".rs", ".c", ".cpp", ".h", ".air", ".prox"];
    let files = tree
        .files
        .iter()
        .filter(|file| endings.iter().any(|e| file.path.ends_with(e)));
    // Inputs of fuzzing and of bad-input tests are not for reading.
    for file in files.filter(|file| !file.path.contains("/corpus/")) {
        for (index, line) in file.text.lines().enumerate() {
            let columns = line.chars().count();
            let excused = WIDE.iter().any(|(path, _)| file.path.starts_with(path));
            if columns > COLUMNS_MAX && !excused {
                findings.push(format!("{}:{}: {columns} columns", file.path, index + 1));
            }
        }
        let lines = file.text.lines().count();
        let excused = LONG.iter().any(|(path, _)| *path == file.path);
        if file.path.ends_with(".rs") && lines >= LINES_MAX && !excused {
            findings.push(format!("{}: {lines} lines, two ideas?", file.path));
        }
    }
    for (path, _) in LONG {
        let short = |text: &str| text.lines().count() < LINES_MAX;
        if tree.get(path).is_none_or(|file| short(&file.text)) {
            findings.push(format!("{path}: excused as long, but it is not"));
        }
    }
    findings
}

/// Work left behind: words that mark unfinished code, and tests switched off without a reason.
pub fn leftovers(tree: &Tree) -> Vec<String> {
    // Written in two parts, so that this file does not find itself.
    let words = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("HA", "CK:"),
        concat!("#[ign", "ore]"),
        concat!("db", "g!("),
    ];
    let mut findings = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|file| !file.path.contains("/corpus/"))
    {
        for (index, line) in file.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                findings.push(format!("{}:{}: `{word}`", file.path, index + 1));
            }
        }
    }
    findings
}

/// Entries of the root that are not in the list, and entries of the list that are gone.
pub fn root(tree: &Tree) -> Vec<String> {
    let first = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let mut entries: Vec<String> = tree.files.iter().map(|file| first(&file.path)).collect();
    entries.dedup();
    let unknown = entries
        .iter()
        .filter(|entry| !ROOT.contains(&entry.as_str()));
    let mut findings: Vec<String> = unknown
        .map(|entry| format!("{entry}: not an entry of the root"))
        .collect();
    let gone = ROOT
        .iter()
        .filter(|name| !entries.iter().any(|entry| entry == *name));
    findings.extend(gone.map(|name| format!("{name}: listed for the root, but missing")));
    findings
}
