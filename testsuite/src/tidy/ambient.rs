//! Time and randomness come from a context (CAP-3): sources of the runtime and of the library ask
//! the system for neither, except in the files that are the handler, or stand beneath it.
//!
//! Invariants
//! 1. A source below [`ROOTS`] uses none of [`WORDS`]. Tests and benches measure as they like.
//! 2. Each excused file has its reason, and still needs it.
//!
//! Hash tables of the standard library count as randomness: their order differs from run to run.

use super::unsafety::code_of;
use super::{File, Tree, excuses};

/// Whose sources are held to it.
const ROOTS: &[&str] = &["rt/", "stdlib/"];

/// The ways to the system's clocks and random numbers.
const WORDS: &[&str] = &[
    "Instant",
    "SystemTime",
    "UNIX_EPOCH",
    "clock_gettime",
    "gettimeofday",
    "_rdtsc",
    "RandomState",
    "DefaultHasher",
    "HashMap",
    "HashSet",
    "getrandom",
    "rand",
    "fastrand",
    "thread_rng",
];

/// The files that may, each with the reason.
const EXCUSED: &[(&str, &str)] = &[
    (
        "rt/kernel/src/sched/clock.rs",
        "the production driver: its clock and its seed",
    ),
    (
        "rt/kernel/src/thread/mod.rs",
        "stamps of reports from threads that no task runs on",
    ),
    (
        "rt/kernel/src/thread/ticks.rs",
        "the counter behind bounds of checkpoints; no program sees it",
    ),
    (
        "rt/src/builder/record.rs",
        "where the hybrid clock of a trace begins, before a program runs",
    ),
    (
        "rt/lock/src/metrics.rs",
        "how long threads wait for locks, with `lock-metrics`; no program sees it",
    ),
    (
        "rt/sync/src/contended.rs",
        "how long threads wait for a lock of the runtime; no program sees it",
    ),
    (
        "stdlib/value/src/object/string.rs",
        "seeds the table of strings against chosen keys; no program sees it",
    ),
    (
        "stdlib/value/src/natives/random.rs",
        "the language's own random seed, until its programs run as tasks",
    ),
    (
        "stdlib/value/src/clock.rs",
        "the language's own clock, until its programs run as tasks",
    ),
];

/// Sources that ask the system, and excuses that nobody needs.
pub fn check(tree: &Tree) -> Vec<String> {
    check_with(tree, EXCUSED)
}

/// The same with other excuses.
pub fn check_with(tree: &Tree, excused: &[(&str, &str)]) -> Vec<String> {
    let said = |(line, word)| (line, format!("`{word}`; ask the context or the driver"));
    let uses = |file: &File| uses(file).into_iter().map(said).collect();
    excuses::check(tree, excused, is_source, uses, "asks for nothing")
}

fn is_source(path: &str) -> bool {
    ROOTS.iter().any(|root| path.starts_with(root)) && path.contains("/src/")
}

/// Lines and words.
fn uses(file: &File) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let code = code_of(line);
        let mut names = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        if let Some(word) = names.find_map(|name| WORDS.iter().find(|word| **word == name)) {
            found.push((index + 1, *word));
        }
    }
    found
}
