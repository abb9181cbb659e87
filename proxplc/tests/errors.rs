//! What is refused when a program is compiled: by code and place.

mod common;
use common::check_refused;

#[test]
fn errors_are_located() {
    check_refused("let = 1;", &[("E0101", 1, 5)]);
    check_refused(
        "print 1\nprint 2;\nx = ;",
        &[("E0101", 1, 8), ("E0101", 3, 5)],
    );
    check_refused("let a = \"open;\n", &[("E0003", 1, 9)]);
    check_refused("let \u{e4} = 1;", &[("E0002", 1, 5), ("E0101", 1, 8)]);
    check_refused("1 + 2 = 3;", &[("E0105", 1, 1)]);
    check_refused("func f(a, b, a) { }", &[("E0107", 1, 14)]);
    check_refused("let class = 1;", &[("E0108", 1, 5)]);
    check_refused("const a;", &[("E0109", 1, 7)]);
    check_refused("len = 3;", &[("E0105", 1, 1)]);
}

#[test]
fn val_34_part_what_is_not_there_yet_has_a_code_of_its_own() {
    check_refused("class A { init() { } }", &[("E0201", 1, 1)]);
    check_refused("use other.module;", &[("E0204", 1, 5)]);
    check_refused("try { } catch (e) { }", &[("E0212", 1, 1)]);
    check_refused("let x = 1; x++;", &[("E0224", 1, 13)]);
    check_refused("std.time.now();", &[("E0225", 1, 1)]);
}

#[test]
fn what_waits_is_in_async_functions_and_awaited() {
    check_refused(
        "async func f() { }\nfunc g() { await f(); }",
        &[("E0110", 2, 12)],
    );
    check_refused("func g() { scope { } }", &[("E0110", 1, 12)]);
    check_refused(
        "async func f() { let g = func() { return await f(); }; }",
        &[("E0110", 1, 42)],
    );
    check_refused(
        "sleep(1); let s = send;",
        &[("E0112", 1, 1), ("E0112", 1, 19)],
    );
    check_refused("let c = channel(1);\nprint recv(c);", &[("E0112", 2, 7)]);
    check_refused("spawn f;", &[("E0111", 1, 7)]);
}

#[test]
fn a_deferred_statement_does_not_leave_its_block() {
    check_refused("func f() { defer { return 1; } }", &[("E0113", 1, 20)]);
    check_refused("while (true) { defer { break; } }", &[("E0113", 1, 24)]);
    check_refused(
        "for (;;) { defer { if (true) continue; } break; }",
        &[("E0113", 1, 30)],
    );
    check_refused(
        "defer { while (true) { break; } func() { return 1; }; }",
        &[],
    );
    check_refused("defer let x = 1;", &[("E0101", 1, 7)]);
}

#[test]
fn errors_are_bounded_and_in_the_order_of_the_source() {
    let source = "let = 1;\n".repeat(1000);
    let expected: Vec<_> = (1..=20).map(|line| ("E0101", line, 5)).collect();
    check_refused(&source, &expected);
}

#[test]
fn calls_and_functions_have_at_most_255_arguments() {
    let args = |n: usize, arg: &str| vec![arg; n].join(", ");
    check_refused(&format!("max({});", args(255, "1")), &[]);
    check_refused(&format!("max({});", args(256, "1")), &[("E0103", 1, 1)]);
    let params: Vec<String> = (0..256).map(|n| format!("p{n}")).collect();
    let source = format!("func f(\n{}) {{ }}", params.join(",\n"));
    check_refused(&source, &[("E0103", 257, 1)]);
}

#[test]
fn a_function_that_is_too_large_is_refused() {
    let source = format!(
        "let a = 1; func f(b) {{ {} }} f(\"x\");",
        "b = b + a;".repeat(60_000)
    );
    check_refused(&source, &[("E0103", 1, 17)]);
}
