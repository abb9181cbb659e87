//! Every lock of the runtime has a rank (SCH-35): sources of it take theirs from `asr-lock`, or
//! from `asr_kernel::sync`, which swaps it for that of loom.
//!
//! Invariants
//! 1. A source below `rt/` names neither `parking_lot` nor a lock of the standard library. Tests
//!    and benches lock as they like.
//! 2. Each excused file has its reason, and still needs it.

use super::unsafety::code_of;
use super::{File, Tree, excuses};

/// The locks of the standard library; what is under `std::sync` besides is no lock.
const STD: &[&str] = &["Mutex", "RwLock", "Condvar", "ReentrantLock", "Barrier"];

/// The files that may, each with the reason.
const EXCUSED: &[(&str, &str)] = &[
    ("rt/lock/src/condvar.rs", "what a rank is put on"),
    ("rt/lock/src/mutex.rs", "what a rank is put on"),
    ("rt/lock/src/rwlock.rs", "what a rank is put on"),
    (
        "rt/sync/src/contended.rs",
        "a lock of programs, which the runtime never takes",
    ),
];

/// Sources with a lock that has no rank, and excuses that nobody needs.
pub fn check(tree: &Tree) -> Vec<String> {
    check_with(tree, EXCUSED)
}

/// The same with other excuses.
pub fn check_with(tree: &Tree, excused: &[(&str, &str)]) -> Vec<String> {
    let said = |line| {
        (
            line,
            "a lock without rank; take one of `asr_lock`".to_owned(),
        )
    };
    let uses = |file: &File| uses(file).map(said).collect();
    excuses::check(tree, excused, is_source, uses, "has no such lock")
}

fn is_source(path: &str) -> bool {
    path.starts_with("rt/") && path.contains("/src/")
}

/// Lines that name such a lock. A list of imports counts to its end.
fn uses(file: &File) -> impl Iterator<Item = usize> {
    let mut of_std = false;
    let lines = file.text.lines().enumerate();
    let named = lines.filter(move |(_, line)| {
        let code = code_of(line);
        of_std |= code.contains("std::sync");
        let mut names = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        let named = names.any(|name| name == "parking_lot" || of_std && STD.contains(&name));
        of_std &= !code.contains(';');
        named
    });
    named.map(|(index, _)| index + 1)
}
