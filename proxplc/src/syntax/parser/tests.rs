//! What the parser accepts, refuses and survives.

use super::*;
use crate::syntax::ast::{BinaryOp, ExprKind, StmtKind};

fn codes(source: impl AsRef<[u8]>) -> Vec<&'static str> {
    let source = source.as_ref();
    crate::deep_stack(|| {
        let mut diags = Diagnostics::default();
        parse(source, &mut Interner::default(), &mut diags);
        diags.list().iter().map(|d| d.code).collect()
    })
}

fn program(source: &str) -> Program {
    let mut diags = Diagnostics::default();
    let program = parse(source.as_bytes(), &mut Interner::default(), &mut diags);
    assert!(diags.is_empty(), "{source}: {:?}", diags.list());
    program
}

fn expr(source: &str) -> ExprKind {
    match program(&format!("{source};")).stmts.remove(0).kind {
        StmtKind::Expr(expr) => expr.kind,
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn the_core_is_accepted() {
    for source in [
        "",
        "use std.core; use std.native.fs, std/io;",
        "let a; var b = 1; const c = \"x\";",
        "func f(a: number, b): list<string> { return a; } func g() -> int { return; }",
        "for (;;) { break; } for (let i = 0; i < 3; i += 1) continue;",
        "if (a) b; else if (c) d; else { e; }",
        "while (a and b or c && d || e) { }",
        "switch (a) { case 1: { b; } default: c; case \"x\": d; e; }",
        "resilient { a; } recovery { b; } resilient { c; }",
        "resilient(strategy=restart, retries=3) { } recovery (e) { print e; }",
        "resilient(strategy=\"restart\", retries=n + 1) { }",
        "throw \"x\"; print a ? b : c;",
        "let f = func(a, b) { return a; }; func(x) { return x; }(1);",
        "a.b.c(1)[2] = {\"k\": [1, 2], \"l\": {}};",
        "print `a${b + 1}c${\"}\"}`; print ``;",
        "a -= 1; a *= 2; a /= 3; a %= 4; a **= 5; a &= 6; a |= 7; a ^= 8; a <<= 9; a >>= 10;",
        "async func f(a) { await g(a); let t = g(a); return await t; } await f(1);",
        "let f = async func(a) { return await a; }; print -await f(1) + await f(2);",
        "scope { f(); defer g(); defer print 1; defer { h(); } } defer f();",
        "let t = spawn f(1, [2]); await t; spawn g.h(); let spawn = 1; print spawn + 1;",
        "let scope = 1; print scope; let c = channel(3); await send(c, channel(0));",
    ] {
        assert_eq!(codes(source), Vec::<&str>::new(), "{source}");
    }
}

#[test]
fn power_has_its_mathematical_place() {
    let ExprKind::Unary(_, operand) = expr("-2 ** 2") else {
        panic!("unary minus is loosest")
    };
    let ExprKind::Chain(_, links) = operand.kind else {
        panic!("then power")
    };
    assert_eq!(links[0].op, BinaryOp::Pow);
    let ExprKind::Chain(_, links) = expr("2 ** 3 ** 2") else {
        panic!("a chain")
    };
    assert!(
        matches!(links[0].right.kind, ExprKind::Chain(..)),
        "groups to the right"
    );
}

#[test]
fn chains_are_flat() {
    let ExprKind::Chain(_, links) = expr("1 + 2 - 3 + 4") else {
        panic!("a chain")
    };
    assert_eq!(links.len(), 3);
    let ExprKind::Logic(_, terms) = expr("a && b and c") else {
        panic!("logic")
    };
    assert_eq!(terms.len(), 3);
}

#[test]
fn what_is_not_there_yet_is_named() {
    for (source, code) in [
        ("class A { }", "E0201"),
        ("actor A { }", "E0203"),
        ("a ! b;", "E0203"),
        ("a ? b;", "E0203"),
        ("use lib.things;", "E0204"),
        ("intent N(a);", "E0206"),
        ("context C { }", "E0207"),
        ("@context(a) func f() { }", "E0208"),
        ("tensor<float, 2> t = 1;", "E0208"),
        ("let a = b @ c;", "E0208"),
        ("quantum { }", "E0209"),
        ("gpu kernel k { }", "E0210"),
        ("model M { }", "E0211"),
        ("try { } catch (e) { }", "E0212"),
        ("let temporal a = 1 decay after 5;", "E0213"),
        ("print sanitize(a);", "E0214"),
        ("node N { }", "E0215"),
        ("extern \"c\" \"abs\" func abs(x);", "E0216"),
        ("type A = B;", "E0217"),
        ("print comptime { };", "E0218"),
        ("verify V { }", "E0219"),
        ("use std.ui;", "E0220"),
        ("Window W { }", "E0220"),
        ("print a?;", "E0221"),
        ("do { } while (a);", "E0222"),
        ("task t { }", "E0226"),
        ("let c = channel;", "E0226"),
        ("resilient(strategy=rollback) { }", "E0223"),
        ("resilient(strategy=\"escalate\") { }", "E0223"),
        ("a++;", "E0224"),
        ("let r = 1..5;", "E0224"),
    ] {
        assert_eq!(codes(source).first(), Some(&code), "{source}");
    }
}

#[test]
fn errors_are_located_and_several_are_found() {
    assert_eq!(
        codes("let = 1; print 2 let x = 3; y = ; print 4;"),
        ["E0101"; 3]
    );
    assert_eq!(
        codes("let class = 1; func if() {} let List = 2;"),
        ["E0108"; 3]
    );
    for source in [
        "f(",
        "(1",
        "[1,",
        "{\"a\"",
        "func f(",
        "if (",
        "`${`",
        "a.",
        "switch (a) {",
    ] {
        assert!(!codes(source).is_empty(), "{source}");
    }
    assert_eq!(codes("spawn f;"), ["E0111"]);
    assert_eq!(codes("defer return 1;"), ["E0101"]);
    assert_eq!(codes("async f() { }"), ["E0101"]);
    assert_eq!(codes("1 = 2;"), ["E0105"]);
    assert_eq!(codes("func f(a, a) { }"), ["E0107"]);
    assert_eq!(codes("const a;"), ["E0109"]);
    assert_eq!(codes("print(1, 2);"), ["E0101"]);
    assert_eq!(codes("}}}"), ["E0101"; 3]);
}

#[test]
fn every_prefix_of_a_program_ends() {
    let source = "func f(a) { if (a) { print `x${[1, {\"k\": a}]}`; } else { throw a; } } \
                  resilient(strategy=restart, retries=2) { f(1 ? 2 : 3); } recovery (e) { }";
    for end in 0..source.len() {
        codes(&source[..end]);
    }
}

#[test]
fn nesting_is_limited() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("!", ""),
        ("f(", ")"),
        ("if (a) ", ""),
    ] {
        let source = format!("{}1{};", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(codes(&source).first(), Some(&"E0102"), "{open}");
    }
    for tail in ["()", ".a", "[0]", " = a", " ** a", " ? b : a"] {
        assert_eq!(
            codes(format!("a{};", tail.repeat(100_000))),
            ["E0102"],
            "{tail}"
        );
    }
    assert!(codes(format!("print {}1{};", "(".repeat(150), ")".repeat(150))).is_empty());
}

#[test]
fn chains_have_no_limit_but_the_size() {
    for op in ["+", "==", "&&", "|| a &&", "<"] {
        assert!(
            codes(format!("a{};", format!(" {op} a").repeat(100_000))).is_empty(),
            "{op}"
        );
    }
    assert!(codes(format!("if (a) b; {}", "else if (a) b; ".repeat(100_000))).is_empty());
    assert_eq!(codes(format!("a{};", "+a".repeat(5_000_000))), ["E0103"]);
}

#[test]
fn garbage_ends_quickly() {
    assert!(codes(vec![b'@'; 10_000_000]).len() <= crate::diag::ERRORS_MAX);
    assert!(codes(vec![0xff; 10_000_000]).len() <= crate::diag::ERRORS_MAX);
    assert!(codes(vec![b'('; 10_000_000]).len() <= crate::diag::ERRORS_MAX);
    assert!(codes(b";".repeat(1_000_000)).len() <= crate::diag::ERRORS_MAX);
    assert!(codes(b"`${".repeat(1_000_000)).len() <= crate::diag::ERRORS_MAX);
    assert!(codes(b"`${`${".repeat(100)).len() <= crate::diag::ERRORS_MAX);
}
