//! `cargo xtask rules`: the rules of this milestone and the tests that bear their ids.
//!
//! A test belongs to a rule by its name alone (`abi_41_prefix_offsets`, `heal_2_part_coalesced`,
//! filetest `abi_30_a_reject.air`), so there is no list to keep. `_part_` in the name says that
//! only a part of the rule's check can run now; the doc comment of the test says what waits.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Failure, root};

/// Families of rules; a name part `abi_41` means ABI-41.
const FAMILIES: &[&str] = &[
    "abi", "can", "cap", "chn", "cmb", "heal", "lab", "obl", "reg", "sch", "trc", "tsk", "val",
];

/// A test found in the tree.
#[derive(Debug, PartialEq, Eq)]
struct Test {
    name: String,
    file: String,
    /// For a test with `_part_` in its name: its doc comment, else empty.
    waits: String,
}

/// `cargo xtask rules [--missing]`.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let only_missing = match args {
        [] => false,
        [one] if one == "--missing" => true,
        _ => {
            return Err(Failure::Misuse(
                "`rules` takes `--missing` or nothing".into(),
            ));
        }
    };
    let top = root::dir();
    let list = std::fs::read_to_string(top.join("testsuite/rules.txt"))
        .map_err(|error| Failure::Step(format!("testsuite/rules.txt: {error}")))?;
    let rules = rules(&list).map_err(Failure::Step)?;
    let tests = tests(&top);
    let (mut missing, mut partial) = (Vec::new(), 0);
    for (id, title) in &rules {
        let own: Vec<&Test> = tests
            .get(id)
            .map(|own| own.iter().collect())
            .unwrap_or_default();
        if own.is_empty() {
            missing.push(id.as_str());
        }
        partial += usize::from(!own.is_empty() && own.iter().all(|test| is_part(&test.name)));
        if !only_missing {
            print_rule(id, title, &own);
        }
    }
    say!(
        "{} rules, {partial} only in part, {} without test",
        rules.len(),
        missing.len()
    );
    for id in missing {
        say!("  no test: {id}");
    }
    Ok(())
}

fn print_rule(id: &str, title: &str, tests: &[&Test]) {
    say!("{id}  {title}");
    for test in tests {
        let mark = if is_part(&test.name) { "part" } else { "    " };
        say!("  {mark} {}  {}", test.name, test.file);
        if !test.waits.is_empty() {
            say!("       {}", test.waits);
        }
    }
}

fn is_part(name: &str) -> bool {
    name.contains("_part_") || name.ends_with("_part")
}

/// Id and title of each rule in the list.
fn rules(list: &str) -> Result<Vec<(String, String)>, String> {
    let lines = list
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| match line.split_once('|') {
            Some((id, title)) => Ok((id.trim().to_owned(), title.trim().to_owned())),
            None => Err(format!("testsuite/rules.txt: no `|` in: {line}")),
        })
        .collect()
}

/// Every test of the tree under each rule that its name bears.
fn tests(top: &Path) -> BTreeMap<String, Vec<Test>> {
    let mut by_rule: BTreeMap<String, Vec<Test>> = BTreeMap::new();
    for path in root::files(top, &[".rs", ".air"]) {
        let file = path
            .strip_prefix(top)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        let found = if file.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            tests_of(&text, &file)
        } else {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            vec![Test {
                name,
                file,
                waits: String::new(),
            }]
        };
        for test in found {
            for id in ids(&test.name) {
                let Test { name, file, waits } = &test;
                let copy = Test {
                    name: name.clone(),
                    file: file.clone(),
                    waits: waits.clone(),
                };
                by_rule.entry(id).or_default().push(copy);
            }
        }
    }
    by_rule
}

/// Test functions of one source file: a `fn` below a line `#[test]`, or its like for the lab.
fn tests_of(text: &str, file: &str) -> Vec<Test> {
    let mut found = Vec::new();
    let (mut doc, mut marked) = (String::new(), false);
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            doc.push_str(words);
        } else if line.starts_with("#[") || line.ends_with(']') {
            marked |= line == "#[test]" || line.starts_with("#[asr_lab::test");
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked) {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
            let waits = if is_part(&name) {
                doc.trim().to_owned()
            } else {
                String::new()
            };
            found.push(Test {
                name,
                file: file.to_owned(),
                waits,
            });
            (doc, marked) = (String::new(), false);
        } else {
            (doc, marked) = (String::new(), false);
        }
    }
    found
}

/// Rules that a test's name bears: `abi_16_val_33_numbers` gives ABI-16 and VAL-33.
fn ids(name: &str) -> Vec<String> {
    let parts: Vec<&str> = name.split('_').collect();
    let pairs = parts.windows(2).filter(|pair| FAMILIES.contains(&pair[0]));
    pairs
        .filter_map(|pair| {
            let number: u32 = pair[1].parse().ok()?;
            Some(format!("{}-{number}", pair[0].to_uppercase()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Test, ids, rules, tests_of};

    #[test]
    fn names_bear_rules() {
        assert_eq!(ids("abi_41_prefix_offsets"), ["ABI-41"]);
        assert_eq!(ids("abi_16_val_33_numbers"), ["ABI-16", "VAL-33"]);
        assert_eq!(ids("heal_02_part_x"), ["HEAL-2"]);
        assert!(ids("verbal_3_abi_x").is_empty());
    }

    #[test]
    fn only_functions_marked_as_tests_count_and_parts_say_what_waits() {
        for mark in ["#[test]\n", "#[asr_lab::test(seeds = 9)]\nasync "] {
            let text =
                format!("/// Waits.\n{mark}fn heal_7_part_once() {{}}\nfn abi_1_helper() {{}}\n");
            let expected = Test {
                name: "heal_7_part_once".into(),
                file: "f.rs".into(),
                waits: "Waits.".into(),
            };
            assert_eq!(tests_of(&text, "f.rs"), [expected]);
        }
    }

    #[test]
    fn a_line_without_bar_is_an_error() {
        assert_eq!(
            rules("# c\nABI-1 | t\n").unwrap(),
            [("ABI-1".into(), "t".into())]
        );
        assert!(rules("ABI-1 t").is_err());
    }
}
