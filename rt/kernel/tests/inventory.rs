//! The public functions of the kernel, read from its sources: which need no context (CAP-1), and
//! that each operation has its row in the table of classes (CAP-16).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use asr_kernel::cx::classes::{Class, OPERATIONS, Polls};

/// A public function.
#[derive(Debug)]
struct Function {
    /// The module's path.
    module: String,
    /// Type, or the module's path for a free one.
    owner: String,
    name: String,
    /// From the name to the body, in one line.
    signature: String,
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The type of `impl<...> Trait for Type<...> {`, or of `impl<...> Type<...> {`.
fn type_of(header: &str) -> Option<String> {
    let mut rest = header.strip_prefix("impl")?;
    if rest.starts_with('<') {
        let mut depth = 0;
        let end = rest.char_indices().find(|&(at, c)| {
            depth += i32::from(c == '<') - i32::from(c == '>' && !rest[..at].ends_with('-'));
            depth == 0
        })?;
        rest = &rest[end.0 + 1..];
    }
    let own = rest
        .rsplit_once(" for ")
        .map_or(rest, |(_, own)| own)
        .trim();
    let end = own.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let path = &own[..end.unwrap_or(own.len())];
    path.rsplit("::").next().map(str::to_owned)
}

/// The public functions, with the type in whose `impl` each stands. The sources are formatted, so
/// an `impl` begins in the first column and a method in the fifth.
fn functions() -> Vec<Function> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("readable");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let module = path.strip_prefix(&src).expect("below").with_extension("");
        let module = module.to_string_lossy().replace('/', "::");
        let mut owner = module.clone();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if line.starts_with("impl") {
                owner = type_of(line).expect("an impl has a type");
            } else if *line == "}" {
                owner = module.clone();
            }
            let code = line.trim_start();
            let words = [
                "pub fn ",
                "pub const fn ",
                "pub unsafe fn ",
                "pub async fn ",
            ];
            let Some(rest) = words.iter().find_map(|words| code.strip_prefix(words)) else {
                continue;
            };
            let end = rest.find(['(', '<']).expect("a parameter list");
            let body = lines[at..]
                .iter()
                .position(|line| line.ends_with(['{', ';']));
            let signature = lines[at..=at + body.expect("a body")].join(" ");
            all.push(Function {
                module: module.clone(),
                owner: owner.clone(),
                name: rest[..end].to_owned(),
                signature,
            });
        }
    }
    all
}

/// Who has authority: a context, what it hands out, and what only the owner of a runtime has.
const AUTHORITY: &[&str] = &[
    "Cx",
    "Scope",
    "RegionHandle",
    "OpenRegion",
    "Spawner",
    "JoinHandle",
    "Obligation",
    "Waiter",
    "Hold",
    "Holder",
    "Home",
    "Lodging",
    "Sleep",
    "Kernel",
    "Local",
    "Workers",
    "Registry",
    "Task",
    "Region",
    "Runnable",
];

/// Who has none, each with the reason why nothing of it is an effect.
const PURE: &[(&str, &str)] = &[
    ("Caps", "a set of bits"),
    ("RegionConfig", "a value"),
    ("Escalation", "a value"),
    ("Spawn", "a value"),
    ("SpawnError", "a value"),
    ("Word", "the state of a record, which needs the record"),
    ("Snapshot", "a reading of it"),
    ("Summons", "a reading of the task behind a waker"),
    ("Refs", "the count of a record, which needs the record"),
    ("Injection", "a value"),
    ("Counter", "a reading of a counter"),
    ("Counts", "a value"),
    ("Marking", "a value"),
    ("AbortCause", "a value"),
    ("KindInfo", "a value"),
    ("Kind", "a number"),
    ("driver", "arithmetic"),
    ("simulation", "says in which world this is"),
    ("Simulation", "the same"),
    ("sync", "takes a lock that the caller has"),
    ("obligation::cause", "says why something is dropped"),
    (
        "sched::park",
        "tells the system how exact the sleeps of a driver are",
    ),
    ("PoolConfig", "a value"),
    ("Slices", "a value"),
    ("Limits", "a value"),
    ("Waiting", "a value"),
    ("Source", "a value"),
    ("Advice", "a value"),
    ("GovernorConfig", "a value"),
    (
        "Governing",
        "when to ask, for drivers; advice names no task",
    ),
    ("Choice", "arithmetic on what a driver tells it"),
    (
        "Ring",
        "a queue for drivers; what it holds came from a kernel",
    ),
    ("Owner", "the worker's side of a ring"),
    ("Injector", "as `Ring`"),
    ("Pinned", "as `Ring`"),
    ("Urgent", "as `Ring`"),
    (
        "Lanes",
        "a queue for drivers; what it holds came from a kernel",
    ),
    (
        "Job",
        "for drivers: work that a context asked for, and nobody else makes",
    ),
    ("Pool", "threads for drivers; they run jobs only"),
    ("Topology", "a value; it describes the machine to drivers"),
    ("Placement", "a value"),
    ("Duty", "says which worker has the timers"),
    ("Idle", "counts who sleeps, for drivers"),
    ("Precision", "says what an id says"),
    ("Parker", "lets a driver's thread sleep"),
    ("EventFd", "the same"),
    ("WorkersConfig", "a value"),
    ("WorkerStats", "readings of counters"),
    ("Own", "a reading of a counter"),
    ("MonitorConfig", "a value"),
    ("FuturelockConfig", "a value"),
    ("Contended", "names of who holds and who waits"),
    ("Cleanups", "counts; who is told of a time is its caller"),
    ("Watcher", "told what time it is and who is there"),
    ("Turns", "ordered maps, told what time it is"),
    ("Wheel", "an ordered map, told what time it is"),
];

/// Modules beneath all contexts: the thread state is what compiled code has for a context, and its
/// records are told to the process once.
const COMPILED: &[&str] = &["code::", "thread::", "compiled"];

/// Rust sees to it that what needs a context gets one; this sees to it that nothing needs none. The
/// contexts of compiled code wait for the lowering of tasks.
#[test]
fn cap_1_part_without_a_context_only_pure_functions_are_usable() {
    let all = functions();
    assert!(all.len() > 200, "the scan found {} functions", all.len());
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    for function in &all {
        let names = |text: &str, name: &str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| word == name)
        };
        let authority = |name: &&&str| {
            let parameters = function.signature.split("->").next().unwrap_or_default();
            function.owner == **name || names(parameters, name)
        };
        if AUTHORITY.iter().any(|name| authority(&name)) {
            continue;
        }
        if COMPILED
            .iter()
            .any(|prefix| function.module.starts_with(prefix))
        {
            continue;
        }
        match PURE.iter().find(|(name, _)| *name == function.owner) {
            Some((name, _)) => drop(used.insert(*name)),
            None => found.push(format!("{}::{}", function.owner, function.name)),
        }
    }
    assert!(found.is_empty(), "usable without a context: {found:#?}");
    let stale: Vec<_> = PURE
        .iter()
        .filter(|(name, _)| !used.contains(name))
        .collect();
    assert!(stale.is_empty(), "not found: {stale:?}");
}

/// Types whose methods are operations.
const TABLED: &[&str] = &[
    "Cx",
    "Scope",
    "RegionHandle",
    "OpenRegion",
    "Spawner",
    "JoinHandle",
    "Obligation",
    "Waiter",
    "Hold",
    "Holder",
    "Home",
    "Lodging",
    "Sleep",
];

#[test]
fn cap_16_each_operation_has_its_row() {
    let tabled = |function: &Function| {
        TABLED.contains(&function.owner.as_str()).then(|| {
            let Function { owner, name, .. } = function;
            format!("{owner}::{name}")
        })
    };
    let there: BTreeSet<String> = functions().iter().filter_map(tabled).collect();
    let rows: BTreeSet<String> = OPERATIONS.iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(rows.len(), OPERATIONS.len(), "one row each");
    let missing: Vec<_> = there.difference(&rows).collect();
    let stale: Vec<_> = rows.difference(&there).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "rows of cx/classes.rs: missing {missing:?}, stale {stale:?}"
    );
    for row in OPERATIONS {
        // What never waits needs nobody, and what waits has a bound.
        let waits = row.c != Polls::Exactly(0);
        assert!(!row.relies.fairness || waits, "{row}");
        let cancel_point = matches!(row.class, Class::Checkpointing | Class::Conditional);
        assert!(
            !cancel_point || matches!(row.c, Polls::Exactly(0 | 1)),
            "{row}"
        );
        assert!(
            row.class != Class::Commit || !waits,
            "a commit never waits: {row}"
        );
    }
}

#[test]
fn cap_16_the_table_is_what_the_rows_say() {
    let mut text = String::from(
        "# Operations of the kernel\n\n\
         Generated from `src/cx/classes.rs`: `ASR_BLESS=1 cargo test -p asr-kernel --test \
         inventory`.\n\
         C: most polls between two cancel points. M: masks. F: polls of finalization. A bound is \
         the caller's;\nthat of a region follows from its escalation mode.\n\n\
         | operation | cancel point | relies on | C | M | F | obligations resolved |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for row in OPERATIONS {
        text.push_str(&format!("{row}\n"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("operations.md");
    if std::env::var_os("ASR_BLESS").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "operations.md is stale; see its second line"
    );
}
