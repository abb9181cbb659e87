//! The conformance table (rules OBL-24 to OBL-26).

use super::program::program;
use asr_codegen::pass::obligation::bounds::{Bound, check};

/// Programs with their reports, as `line kind bound`.
const TABLE: &[(&str, &str)] = &[
    // Straight.
    ("", ""),
    ("+a -a", ""),
    ("+a ~a", ""),
    ("+a", "2 a 1"),
    ("+a +a -a", "4 a 1"),
    ("+a +a -a -a", ""),
    ("+a +a", "3 a 2"),
    ("+a +a +a", "4 a many"),
    ("+a +a +a -a -a -a", "7 a many"),
    ("+a +b -a", "4 b 1"),
    ("+a +b -b -a", ""),
    ("+a +b", "3 a 1, 3 b 1"),
    ("-a", ""),
    ("-a +a", "3 a 1"),
    // Branches.
    ("+a if{ -a }", "3 a 1"),
    ("+a if{ -a }else{ ~a }", ""),
    ("+a if{ -a ret }else{ ~a ret }", ""),
    ("if{ +a }", "2 a 1"),
    ("if{ +a }else{ +b }", "3 a 1, 3 b 1"),
    ("if{ +a -a }", ""),
    ("+a if{ ret } -a", "2 a 1"),
    ("+a if{ -a ret } -a", ""),
    ("if{ +a } if{ -a }", "3 a 1"),
    ("+a if{ +a }else{ -a } -a", "5 a 1"),
    // Loops.
    ("loop{ +a -a }", ""),
    ("loop{ +a }", "2 a many"),
    ("+a loop{ -a }", "3 a 1"),
    ("+a loop{ -a +a } -a", ""),
    ("loop{ +a if{ -a } }", "3 a many"),
    ("loop{ +a if{ -a ret } -a }", ""),
    ("loop{ loop{ +a } -a }", "3 a many"),
    ("+a loop{ +b -b } -a", ""),
    // Scopes.
    ("+a exit -a", "2 a 1"),
    ("+a -a exit", ""),
    ("loop{ +a exit -a }", "2 a 1"),
    // Calls.
    ("@1 | +a", "2 a 1, 102 a 1"),
    ("@1 -a | +a", "102 a 1"),
    ("+a @1 | -a", ""),
    ("@1 | +a -a", ""),
    ("+a @? -a", ""),
    ("@1 | @2 | +a", "2 a 1, 102 a 1, 202 a 1"),
    ("@1 | if{ +a @1 }", "2 a many, 103 a many"),
    ("@1 | if{ +a @1 -a }", ""),
    ("@1 | @0", ""),
];

fn shown(text: &str, unknown: Bound) -> String {
    let found = check(&program(text, unknown));
    let lines = found
        .reports
        .iter()
        .map(|r| format!("{} {} {}", r.line, r.kind, r.bound));
    lines.collect::<Vec<_>>().join(", ")
}

#[test]
fn obl_24_conformance_table() {
    assert!(TABLE.len() >= 40);
    for (text, expected) in TABLE {
        assert_eq!(shown(text, Bound::NONE), *expected, "{text}");
    }
}

/// A call that is not known adds what is declared for it.
#[test]
fn obl_24_unknown_calls_are_conservative() {
    assert_eq!(shown("@?", Bound::NONE), "");
    assert_eq!(shown("@?", Bound::ALL[1]), "2 a 1, 2 b 1, 2 c 1");
    assert_eq!(shown("+a @? -a -b -c", Bound::ALL[1]), "6 a 1");
    assert_eq!(
        shown("@? -a -b -c", Bound::MANY),
        "5 a many, 5 b many, 5 c many"
    );
}

#[test]
fn obl_25_reports_where_something_is_held_and_nothing_else() {
    // The two examples of the rule.
    assert_eq!(shown("+a if{ -a } ret", Bound::NONE).split(", ").count(), 1);
    assert_eq!(shown("+a if{ -a }else{ ~a } ret", Bound::NONE), "");
}

#[test]
fn obl_26_loops_settle_soon_and_reports_are_stable() {
    let loops = "loop{ +a loop{ +b loop{ +c loop{ @1 } } } } | loop{ +a if{ @0 } }";
    let texts = TABLE.iter().map(|(text, _)| *text).chain([loops]);
    for text in texts {
        let program = program(text, Bound::ALL[1]);
        let first = check(&program);
        assert!(
            first.passes <= 3 * program.kinds.len() + 1,
            "{text}: {}",
            first.passes
        );
        assert!(first.reports.is_sorted(), "{text}");
        let bytes = |found: &asr_codegen::pass::obligation::bounds::Found| {
            found
                .reports
                .iter()
                .map(|r| format!("{r}\n"))
                .collect::<String>()
        };
        for _ in 0..100 {
            assert_eq!(bytes(&check(&program)), bytes(&first), "{text}");
        }
    }
}
