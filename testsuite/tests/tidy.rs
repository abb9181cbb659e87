//! The tree itself: arrows, unsafe code, form. Each check passes on the checkout and turns red
//! on a small tree with a planted violation.

use std::path::Path;

use asr_testsuite::tidy::{Tree, ambient, arrows, form, locks, unsafety};

fn checkout() -> Tree {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    Tree::checkout(own.parent().expect("testsuite lies in the workspace"))
}

fn clean(findings: Vec<String>) {
    assert!(
        findings.is_empty(),
        "{} findings:\n  {}",
        findings.len(),
        findings.join("\n  ")
    );
}

/// `check` finds exactly one thing in a tree of `files`, and its text holds `expected`.
fn red(check: fn(&Tree) -> Vec<String>, files: &[(&str, &str)], expected: &str) {
    let findings = check(&Tree::of(files));
    assert!(
        findings.len() == 1 && findings[0].contains(expected),
        "expected one finding with `{expected}`: {findings:?}"
    );
}

#[test]
fn arrows_point_one_way() {
    clean(arrows::check(&checkout()));
    let planted = |name: &str, line: &str| {
        let manifest = format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n{line}\n");
        let files = [
            ("Cargo.toml", "[workspace]\nmembers = [\"x\"]\n"),
            ("x/Cargo.toml", &manifest),
        ];
        arrows::check(&Tree::of(&files))
    };
    for (name, line, expected) in [
        (
            "asr-codegen",
            "[dependencies]\nasr-rt.workspace = true",
            "must not see `asr-rt`",
        ),
        (
            "asr-codegen",
            "[dev-dependencies]\nasr-rt.workspace = true",
            "must not see `asr-rt`",
        ),
        (
            "asr-rt",
            "[dev-dependencies]\nasr-codegen = { path = \"c\" }",
            "see `asr-codegen`",
        ),
        (
            "asr-kernel",
            "[dependencies.asr-heal]\npath = \"h\"",
            "must not see `asr-heal`",
        ),
        (
            "asr-abi",
            "[build-dependencies]\nasr-intrinsics = \"1\"",
            "see `asr-intrinsics`",
        ),
        (
            "asr-value",
            "[dependencies]\nx = { package = \"asr-codegen\" }",
            "see `asr-codegen`",
        ),
        (
            "proxplc",
            "[dependencies]\nasr-testsuite.workspace = true",
            "see `asr-testsuite`",
        ),
        ("asr-new", "", "no line in the table of arrows"),
    ] {
        let findings = planted(name, line);
        assert!(
            findings.len() == 1 && findings[0].contains(expected),
            "{line}: {findings:?}"
        );
    }
    clean(planted(
        "asr-codegen",
        "[dependencies]\nasr-abi.workspace = true\nlibc = \"1\"",
    ));
    let member = "[package]\nname = \"asr-abi\"\n[lints]\nworkspace = true\n";
    red(arrows::check, &[("y/Cargo.toml", member)], "not a member");
    let lintless = "[package]\nname = \"asr-abi\"\n";
    let root = ("Cargo.toml", "[workspace]\nmembers = [\"y\"]\n");
    red(
        arrows::check,
        &[root, ("y/Cargo.toml", lintless)],
        "lint table",
    );
}

#[test]
fn cap_3_time_and_randomness_come_from_the_context() {
    clean(ambient::check(&checkout()));
    let planted = |path: &str, line: &str| ambient::check_with(&Tree::of(&[(path, line)]), &[]);
    for (line, expected) in [
        ("let now = std::time::Instant::now();", "`Instant`"),
        ("    use std::time::{Duration, SystemTime};", "`SystemTime`"),
        (
            "let seed = RandomState::new().hash_one(0);",
            "`RandomState`",
        ),
        (
            "let table: HashMap<u32, u32> = Default::default();",
            "`HashMap`",
        ),
        ("let die = rand::random::<u8>() % 6;", "`rand`"),
        (
            "unsafe { libc::clock_gettime(id, &mut time) };",
            "`clock_gettime`",
        ),
    ] {
        for path in ["rt/lab/src/run.rs", "rt/src/lib.rs", "stdlib/io/src/a/b.rs"] {
            let text = format!("//! A file.\n\n{line}\n");
            let findings = planted(path, &text);
            let at = format!("{path}:3");
            assert!(
                findings.len() == 1 && findings[0].contains(expected) && findings[0].contains(&at),
                "{line}: {findings:?}"
            );
        }
        clean(planted("rt/lab/tests/run.rs", line));
        clean(planted("xtask/src/main.rs", line));
    }
    clean(planted(
        "rt/a/src/b.rs",
        "// An Instant. \nlet random = \"Instant\"; Instantly();",
    ));
    let excused = [("rt/a/src/b.rs", "the driver")];
    let asks = Tree::of(&[("rt/a/src/b.rs", "Instant::now()")]);
    clean(ambient::check_with(&asks, &excused));
    let stale = ambient::check_with(&Tree::of(&[("rt/a/src/b.rs", "")]), &excused);
    assert!(
        stale.len() == 1 && stale[0].contains("asks for nothing"),
        "{stale:?}"
    );
}

#[test]
fn sch_35_every_lock_of_the_runtime_has_a_rank() {
    clean(locks::check(&checkout()));
    let planted = |path: &str, text: &str| locks::check_with(&Tree::of(&[(path, text)]), &[]);
    for text in [
        "use parking_lot::RwLock;",
        "static ONE: std::sync::Mutex<u32> = std::sync::Mutex::new(0);",
        "use std::sync::{\n    Arc, Mutex,\n};",
    ] {
        let findings = planted("rt/a/src/b.rs", text);
        assert!(
            findings.len() == 1 && findings[0].contains("without rank"),
            "{text}: {findings:?}"
        );
        clean(planted("rt/a/tests/b.rs", text));
        clean(planted("xtask/src/b.rs", text));
    }
    let ranked = "use std::sync::Arc;\n// parking_lot\nstatic ONE: Mutex<u32, rank::Pool>;";
    clean(planted("rt/a/src/b.rs", ranked));
    let excused = [("rt/a/src/b.rs", "why")];
    let stale = locks::check_with(&Tree::of(&[("rt/a/src/b.rs", ranked)]), &excused);
    assert!(
        stale.len() == 1 && stale[0].contains("has no such lock"),
        "{stale:?}"
    );
}

#[test]
fn no_second_runtime_in_the_lock_file() {
    clean(arrows::foreign_runtimes(&checkout()));
    let lock = [("Cargo.lock", "[[package]]\nname = \"tokio\"\n")];
    red(arrows::foreign_runtimes, &lock, "tokio");
}

#[test]
fn unsafe_blocks_have_arguments() {
    clean(unsafety::arguments(&checkout()));
    let keyword = "unsafe";
    let bare = format!("fn f() {{\n    let x =\n        {keyword} {{ g() }};\n}}\n");
    red(unsafety::arguments, &[("a.rs", &bare)], "a.rs:3");
    let far = format!("// SAFETY: no.\nfn g() {{}}\nfn f() {{\n    {keyword} {{ g() }}\n}}\n");
    red(unsafety::arguments, &[("a.rs", &far)], "a.rs:4");
    let bare_impl = format!("struct S;\n{keyword} impl Send for S {{}}\n");
    red(unsafety::arguments, &[("a.rs", &bare_impl)], "a.rs:2");
    let argued = format!(
        "fn f() {{\n    // SAFETY: g asks for nothing,\n    // ever.\n    let x =\n        \
         {keyword} {{ g() }};\n    // \"{keyword} {{ }}\"\n    let s = \"{keyword} {{\";\n}}\n"
    );
    clean(unsafety::arguments(&Tree::of(&[("a.rs", &argued)])));
}

#[test]
fn unsafe_code_stands_in_listed_files_only() {
    clean(unsafety::files(&checkout()));
    let code = format!("{} fn f() {{}}\n", "unsafe");
    red(unsafety::files, &[("a.rs", &code)], "not listed");
    let stale = [
        ("a.rs", "fn f() {}\n"),
        (unsafety::LIST, "a.rs | because\n"),
    ];
    red(unsafety::files, &stale, "holds no unsafe code");
    red(
        unsafety::files,
        &[(unsafety::LIST, "a.rs |\n")],
        "no reason",
    );
    clean(unsafety::files(&Tree::of(&[
        ("a.rs", &code),
        (unsafety::LIST, "a.rs | because\n"),
    ])));
}

#[test]
fn files_have_a_header() {
    clean(form::headers(&checkout()));
    red(form::headers, &[("a.rs", "fn f() {}\n")], "a.rs:1");
}

#[test]
fn lines_and_files_are_short() {
    clean(form::lengths(&checkout()));
    red(form::lengths, &[("a.rs", &"x".repeat(101))], "101 columns");
    red(form::lengths, &[("a.rs", &"x\n".repeat(400))], "400 lines");
    clean(form::lengths(&Tree::of(&[(
        "a.rs",
        &format!("{}\n", "é".repeat(100)),
    )])));
}

#[test]
fn nothing_is_left_behind() {
    clean(form::leftovers(&checkout()));
    for word in [
        concat!("to", "do!()"),
        concat!("FIX", "ME"),
        concat!("#[ign", "ore]"),
    ] {
        red(form::leftovers, &[("a.rs", word)], "a.rs:1");
    }
    clean(form::leftovers(&Tree::of(&[(
        "a.rs",
        "#[ignore = \"ten minutes\"]",
    )])));
}

#[test]
fn the_root_holds_what_it_should() {
    clean(form::root(&checkout()));
    let mut files: Vec<_> = checkout()
        .files
        .iter()
        .map(|file| file.path.clone())
        .collect();
    files.push("notes.txt".into());
    let tree = Tree::of(
        &files
            .iter()
            .map(|path| (path.as_str(), ""))
            .collect::<Vec<_>>(),
    );
    let findings = form::root(&tree);
    assert!(
        findings.len() == 1 && findings[0].contains("notes.txt"),
        "{findings:?}"
    );
}
