//! The text form of AIR: canonical text survives, bad text is refused where it is bad.

use asr_codegen::air::{ERRORS_MAX, Place, TextError, parse, print};

const EVERY_OP: &str = include_str!("air/every_op.air");

fn errors(text: impl AsRef<[u8]>) -> Vec<TextError> {
    parse(text.as_ref()).expect_err("the text is bad")
}

/// The first error as `line:column: code: start of the message`.
fn first(text: impl AsRef<[u8]>) -> String {
    errors(text)[0].to_string()
}

/// A module around instructions, the first of which stands on line 4.
fn body(insts: &str) -> String {
    format!(
        "module \"m\" unit 1\nfn @f(%a: i64) -> i64 throws {{\nentry:\n{insts}\n  return 0\n}}\n"
    )
}

#[test]
fn canonical_text_survives() {
    let parsed = parse(EVERY_OP.as_bytes()).unwrap_or_else(|e| panic!("{}", e[0]));
    let printed = print(&parsed.module);
    for (line, expected) in printed.lines().zip(EVERY_OP.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(printed.len(), EVERY_OP.len());
    let again = parse(print(&parsed.module).as_bytes()).expect("canonical");
    assert_eq!(again, parsed);
}

/// Found by fuzzing: the printed keys were integers, which a float's parser took for other keys.
#[test]
fn the_keys_of_a_switch_come_back_in_any_type() {
    let keys = [
        ("i8", "-1"),
        ("i64", "7"),
        ("bool", "1"),
        ("f64", "0x3ff8000000000000"),
        ("f32", "0x7f800000"),
        ("value", "5"),
    ];
    for (ty, key) in keys {
        let body = format!("entry:\n  switch.{ty} %a, [{key}: entry], entry\n");
        let text = format!("module \"m\" unit 1\n\nfn @f(%a: {ty}) {{\n{body}}}\n");
        let module = parse(text.as_bytes()).expect(&text).module;
        assert_eq!(print(&module), text);
    }
}

#[test]
fn layout_and_comments_do_not_matter() {
    let one_line = EVERY_OP.replace('\n', " ");
    let spread = EVERY_OP.replace(", ", " ; comment\n , ");
    let module = parse(EVERY_OP.as_bytes()).expect("canonical").module;
    assert_eq!(parse(one_line.as_bytes()).expect("one line").module, module);
    // Strings that hold a comma are cut by the replacement, so only the bodies are compared.
    assert_eq!(parse(spread.as_bytes()).expect("spread").module, module);
}

#[test]
fn declared_signatures_keep_their_order() {
    let text = "module \"m\" unit 1\nsig (i64)\nsig () -> f64 throws\n";
    let module = parse(text.as_bytes()).expect("good").module;
    assert_eq!(module.sigs.len(), 2);
    assert_eq!(print(&module), text);
}

#[test]
fn spans_lead_back_to_the_text() {
    let parsed = parse(body("  %a = add.i64 %a, 1").as_bytes()).expect("good");
    let func = asr_codegen::air::FuncId(0);
    let block = asr_codegen::air::BlockId(0);
    let line = |place| parsed.spans.of(place).line;
    assert_eq!(line(Place::Module), 1);
    assert_eq!(line(Place::Func(func)), 2);
    assert_eq!(line(Place::Block(func, block)), 3);
    assert_eq!(line(Place::Inst(func, block, 0)), 4);
    assert_eq!(line(Place::Inst(func, block, 1)), 5);
    assert_eq!(parsed.spans.of(Place::Inst(func, block, 0)).col, 3);
    // What is not there falls back on its function.
    assert_eq!(line(Place::Inst(func, block, 99)), 2);
}

#[test]
fn every_kind_of_error_has_its_place() {
    let cases = [
        (
            "  %a = add.i65 %a, 1",
            "4:8: E0802: no instruction is called `add.i65`",
        ),
        (
            "  %a = add.i64 %a 1",
            "4:19: E0802: expected `,`, found `1`",
        ),
        ("  %a = add.i64 %a,", "5:3: E0802: expected a local"),
        ("  %b = copy.i64 1", "4:3: E0803: no local `%b`"),
        (
            "  jump nowhere",
            "4:8: E0803: no block of this function is called `nowhere`",
        ),
        ("  call @g()", "4:8: E0803: the module has no function `@g`"),
        (
            "  %a = global.get @g",
            "4:19: E0803: the module has no global `@g`",
        ),
        ("  %a = addr.slot $s", "4:18: E0803: no slot `$s`"),
        (
            "  %a = copy.i64 18446744073709551616",
            "4:17: E0804: `18446744073709551616` is no i64",
        ),
        ("  %a = copy.i8 300", "4:16: E0804: `300` is no i8"),
        (
            "  add.i64 %a, 1",
            "4:3: E0802: this instruction has one result",
        ),
        (
            "  %a = probe.loop",
            "4:3: E0802: this instruction has no result",
        ),
        (
            "  %a = sadd_overflow.i64 1, 1",
            "4:3: E0802: this instruction has two results",
        ),
        (
            "  %a = jump entry",
            "4:3: E0802: this instruction has no result",
        ),
        ("  %a = a.b.c.d.e.f 1", "4:8: E0802: no instruction"),
        ("  %a = copy.i64 1 !0:3", "4:20: E0804: lines count from 1"),
        ("  return 1\n  return 2", "5:3: E0802: expected a label"),
        (
            "  %a = load.i64 1 + 2147483648",
            "4:21: E0804: an offset is a whole number",
        ),
        ("  ?", "4:3: E0802: expected an instruction"),
        ("  %a = copy.i64 é", "4:17: E0802"),
        ("next:", "4:1: E0802: block `entry` does not end"),
    ];
    let mut wrong = Vec::new();
    for (insts, expected) in cases {
        let got = first(body(insts));
        wrong.extend((!got.starts_with(expected)).then(|| format!("{insts}\n{got}\n{expected}")));
    }
    let heads = [
        ("", "1:1: E0802: expected `module"),
        ("module \"m\" unit 65536", "1:17: E0804: a unit"),
        (
            "module \"m\" unit 1\nfoo",
            "2:1: E0802: expected a declaration",
        ),
        (
            "module \"m\" unit 1\ndata @x = \"\\zz\"",
            "2:11: E0802: an escape is",
        ),
        (
            "module \"m\" unit 1\ndata @x = \"abc",
            "2:11: E0802: expected bytes",
        ),
        ("module \"m\\ff\" unit 1", "1:8: E0801"),
        (
            "module \"m\" unit 1\nhandler 1 @f slow",
            "2:1: E0803: no function `@f`",
        ),
        (
            "module \"m\" unit 1\nhandler 1 @f sloth",
            "2:14: E0802: expected `fast`",
        ),
        (
            "module \"m\" unit 1\nfn @f() {\nentry:\n  return",
            "2:1: E0802: this function does not end",
        ),
        (
            "module \"m\" unit 1\nfn @f() {\nfn @g() {\n}",
            "2:1: E0802: this function does not end",
        ),
        (
            "module \"m\" unit 1\nfn @f() {\n}\n}",
            "4:1: E0802: expected a declaration",
        ),
        (
            "module \"m\" unit 1\nextern @f()",
            "2:8: E0802: expected `fn`",
        ),
        (
            "module \"m\" unit 1\nglobal @g: i128 = 0",
            "2:12: E0802: expected a type",
        ),
        ("module \"m\" unit 1\nexport fn: @g", "2:8: E0802"),
    ];
    for (text, expected) in heads {
        let got = first(text);
        wrong.extend((!got.starts_with(expected)).then(|| format!("{text}\n{got}\n{expected}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn invalid_utf8_is_located() {
    assert!(first(b"module \"m\" unit 1\n ; \xff").starts_with("2:4: E0801: byte 0xff"));
}

#[test]
fn errors_go_on_at_the_next_line_and_are_bounded() {
    let two = errors(body("  foo\n  %a = copy.i64 1\n  bar"));
    assert_eq!(two.iter().map(|e| e.span.line).collect::<Vec<_>>(), [4, 6]);
    let heads = errors("module \"m\" unit 1\nuse 1\nuse core\nfile 2\n");
    assert_eq!(
        heads.iter().map(|e| e.span.line).collect::<Vec<_>>(),
        [2, 4]
    );
    assert_eq!(errors(body(&"  foo\n".repeat(1000))).len(), ERRORS_MAX);
    let functions = "fn @f() {\nentry:\n  foo\n  return\n}\n".repeat(1000);
    assert_eq!(
        errors(format!("module \"m\" unit 1\n{functions}")).len(),
        ERRORS_MAX
    );
}

#[test]
fn long_lines_take_linear_time() {
    let start = std::time::Instant::now();
    let inst = "%a = add.i64 %a, 1 ";
    let good = body(&inst.repeat(3_000_000 / inst.len()));
    let parsed = parse(good.as_bytes()).expect("good");
    assert_eq!(
        parsed.module.funcs[0].blocks[0].insts.len(),
        3_000_000 / inst.len()
    );
    for unit in [
        "(",
        "%",
        "\"",
        "\\",
        "-",
        "fn ",
        "fn @f() {",
        "a:",
        "!",
        "1:",
        "e-",
        "x ",
    ] {
        let bad = unit.repeat(200_000 / unit.len());
        assert!(!errors(format!("module \"m\" unit 1\n{bad}")).is_empty());
        assert!(!errors(body(&bad)).is_empty());
    }
    // A watchdog against quadratic time, with room for a slow machine.
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
}

#[test]
fn every_prefix_and_every_changed_byte_is_survived() {
    let text = EVERY_OP.as_bytes();
    for end in 0..text.len() {
        let _ = parse(&text[..end]);
    }
    for at in (0..text.len()).step_by(2) {
        for byte in *b"\"%:},\n" {
            let mut changed = text.to_vec();
            changed[at] = byte;
            if let Ok(parsed) = parse(&changed) {
                let printed = print(&parsed.module);
                let again = parse(printed.as_bytes()).expect("what was printed can be read");
                assert_eq!(print(&again.module), printed, "byte {at}");
            }
        }
    }
}
