//! Unsafe code: each use has its argument, and only listed files hold any.
//!
//! Invariants
//! 1. Above each unsafe block and unsafe impl stands a comment with `SAFETY:`. Clippy checks that
//!    too, but not inside macro definitions.
//! 2. `testsuite/unsafe.txt` lists exactly the files that use the keyword, each with a reason, so
//!    that a new unsafe file is a visible line of a change and a stale line is a finding.

use super::Tree;

/// Path of the list.
pub const LIST: &str = "testsuite/unsafe.txt";

/// Unsafe blocks and impls without an argument.
pub fn arguments(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree.ending(".rs") {
        let lines: Vec<&str> = file.text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let code = code_of(line);
            let used = code.contains("unsafe {") || code.contains("unsafe impl");
            if used && !line.contains("SAFETY:") && !argued_above(&lines[..index]) {
                findings.push(format!(
                    "{}:{}: unsafe without SAFETY",
                    file.path,
                    index + 1
                ));
            }
        }
    }
    findings
}

/// Whether the comment directly above the statement that ends `lines` holds an argument.
fn argued_above(lines: &[&str]) -> bool {
    let mut in_comment = false;
    for line in lines.iter().rev().map(|line| line.trim()) {
        if line.starts_with("//") {
            in_comment = true;
            if line.contains("SAFETY:") {
                return true;
            }
        } else if in_comment || line.is_empty() || line.ends_with([';', '}', '{']) {
            return false;
        }
    }
    false
}

/// Files that use the keyword without a line in the list, and lines without such a file.
pub fn files(tree: &Tree) -> Vec<String> {
    let list = tree
        .get(LIST)
        .map(|file| file.text.as_str())
        .unwrap_or_default();
    let (mut findings, mut listed) = (Vec::new(), Vec::new());
    for line in list
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
    {
        match line.split_once('|') {
            Some((path, reason)) if !reason.trim().is_empty() => listed.push(path.trim()),
            _ => findings.push(format!("{LIST}: no reason in: {line}")),
        }
    }
    let using = |file: &&super::File| file.text.lines().any(uses_unsafe);
    let used: Vec<&str> = tree
        .ending(".rs")
        .filter(using)
        .map(|file| file.path.as_str())
        .collect();
    for path in used.iter().filter(|path| !listed.contains(path)) {
        findings.push(format!("{path}: unsafe code, but not listed in {LIST}"));
    }
    for path in listed.iter().filter(|path| !used.contains(path)) {
        findings.push(format!("{LIST}: `{path}` holds no unsafe code"));
    }
    findings
}

fn uses_unsafe(line: &str) -> bool {
    // A type of function pointers (`unsafe extern "C" fn(...)`) does nothing by itself; string
    // literals are gone from `code`.
    let code = code_of(line)
        .replace("unsafe extern  fn(", "")
        .replace("unsafe fn(", "");
    let kinds = [
        "unsafe {",
        "unsafe impl",
        "unsafe fn",
        "unsafe extern",
        "#[unsafe(",
    ];
    kinds.iter().any(|kind| code.contains(kind)) || code.trim_end().ends_with("unsafe")
}

/// The line without its comment and without what stands in string literals.
pub(super) fn code_of(line: &str) -> String {
    let (mut code, mut in_string, mut last) = (String::new(), false, ' ');
    for c in line.chars() {
        match c {
            '"' if last != '\\' && last != '\'' => in_string = !in_string,
            '/' if last == '/' && !in_string => {
                code.pop();
                break;
            }
            _ if !in_string => code.push(c),
            _ => {}
        }
        last = c;
    }
    code
}
