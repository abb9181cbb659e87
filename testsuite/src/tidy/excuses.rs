//! Sources that do what only excused ones may, and excuses that nobody needs.

use super::{File, Tree};

/// Findings: each use in a source that is not excused, by line and words; each excuse of a file
/// without any, which `has_none` says.
pub(super) fn check(
    tree: &Tree,
    excused: &[(&str, &str)],
    is_source: impl Fn(&str) -> bool,
    uses: impl Fn(&File) -> Vec<(usize, String)>,
    has_none: &str,
) -> Vec<String> {
    let mut findings = Vec::new();
    let is_excused = |path: &str| excused.iter().any(|(excused, _)| *excused == path);
    for file in tree.ending(".rs").filter(|file| is_source(&file.path)) {
        if !is_excused(&file.path) {
            let path = &file.path;
            let found = uses(file).into_iter();
            findings.extend(found.map(|(line, what)| format!("{path}:{line}: {what}")));
        }
    }
    for (path, _) in excused {
        if tree.get(path).is_none_or(|file| uses(file).is_empty()) {
            findings.push(format!("{path}: excused, but {has_none}"));
        }
    }
    findings
}
