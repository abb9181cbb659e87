//! The verifier. A case is a text in which `; V0008` at the end of a line says that this error,
//! and no other, is reported there.

mod broken;
mod handles;
mod rules;
mod shape;

use asr_codegen::Rows;
use asr_codegen::air::{Module, VERIFY_ERRORS_MAX, parse, verify};
use asr_codegen::pass::check_edges;
use asr_intrinsics::{CORE, SYNC, TASKS, Table};

macro_rules! mask_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// Opens a mask.
        test_mask_enter() -> unit, fails [], does [OpensMask];
        /// Closes a mask.
        test_mask_leave() -> unit, fails [], does [ClosesMask];
        /// May be cancelled, nothing else.
        test_wait() -> i64, fails [CANCELLED], does [CancelPoint];
        /// Takes one of each.
        test_types(a: u32, b: f64, c: bool, d: ptr, e: value) -> f64, fails [], does [];
    } };
}

const TABLES: [&Table; 4] = [&CORE, &TEST, &TASKS, &SYNC];

const TEST: Table = mask_table!(asr_intrinsics::rows, "test");

/// The errors as `line: code`, and as sentences.
fn report(module: &Module, spans: &asr_codegen::air::Spans, edges: bool) -> (Vec<String>, String) {
    let mut errors = verify(module, &TABLES).err().unwrap_or_default();
    if edges && errors.is_empty() {
        let rows = Rows::imported(module, &TABLES).expect("tables that there are");
        errors = check_edges(module, &rows);
    }
    let short = errors
        .iter()
        .map(|e| format!("{}: {}", spans.of(e.place).line, e.code));
    let long: Vec<_> = errors.iter().map(ToString::to_string).collect();
    (short.collect(), long.join("\n"))
}

fn check_module(text: &str) {
    check_text(text, false);
}

/// With `edges`, as after the passes: what a failure leaves has its edge.
fn check_text(text: &str, edges: bool) {
    let parsed = parse(text.as_bytes()).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
    let (mut found, sentences) = report(&parsed.module, &parsed.spans, edges);
    let expected: Vec<_> = text
        .lines()
        .enumerate()
        .flat_map(|(n, line)| {
            let codes = line.split_once("; V").map_or("", |(_, codes)| codes);
            let codes = codes
                .split_whitespace()
                .map(|code| code.trim_start_matches('V'));
            codes
                .map(move |code| format!("{}: V{code}", n + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    found.sort_by_key(|e| e.split(':').next().and_then(|n| n.parse::<usize>().ok()));
    assert_eq!(found, expected, "{text}\n{sentences}");
}

/// Checks a function `@f` with these lines, of type `signature`.
fn check(signature: &str, lines: &str) {
    check_module(&in_function(signature, lines));
}

/// The same with the check of the edges.
fn check_edged(signature: &str, lines: &str) {
    check_text(&in_function(signature, lines), true);
}

fn in_function(signature: &str, lines: &str) -> String {
    format!(
        "module \"m\" unit 1\nuse core\nuse test\nfile \"a\"\ndata @d = \"x\"\n\
         global @g: i32 = 0\nextern fn @c(i64) -> i64\n\
         fn @thrower() throws {{\nentry:\n  throw 0\n}}\n\
         fn @quiet() -> i64 {{\nentry:\n  return 0\n}}\n\
         fn @f{signature} {{\n  local %i: i64\n  local %w: i32\n  local %s: i16\n  local %b: i8\n  \
         local %x: f64\n  local %y: f32\n  local %t: bool\n  local %p: ptr\n  local %v: value\n  \
         local %st: i64\n  slot $m 8 align 8\nentry:\n{lines}\n}}\n"
    )
}

#[test]
fn an_error_names_function_block_and_instruction() {
    let text = "module \"m\" unit 1\nfn @f() {\ne:\n  jump g\ng:\n  return\n}\n\
                fn @h() {\ne:\n  jump b\nb:\n  probe.loop\n  throw 1.5 !9:7\n}";
    let parsed = parse(text.replace("throw 1.5", "throw 1").as_bytes()).expect("good text");
    let errors = verify(&parsed.module, &[]).expect_err("uncaught");
    let shown = errors[0].to_string();
    assert!(
        shown.starts_with("function `h`, block `b`, instruction 1: V0017: a failure"),
        "{shown}"
    );
    assert_eq!((errors[0].loc.line, errors[0].loc.col), (9, 7));
}

#[test]
fn errors_are_bounded() {
    let many = "  %i = copy.i64 %w\n".repeat(10_000);
    let text = format!(
        "module \"m\" unit 1\nfn @f() {{\n  local %i: i64\n  local %w: i32\ne:\n{many}  return\n}}"
    );
    let parsed = parse(text.as_bytes()).expect("good text");
    let errors = verify(&parsed.module, &[]).expect_err("wrong types");
    assert_eq!(errors.len(), VERIFY_ERRORS_MAX);
}
