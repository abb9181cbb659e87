//! Handle locals (rule OBL-34, letter m of ABI-30): one accepted and one rejected program for each
//! clause, and the way that a finding tells.

use super::{check_module, check_text};
use asr_codegen::air::{Severity, VerifyError, parse, verify, verify_with};
use asr_intrinsics::{CORE, SYNC, TASKS};

/// A module around functions; the first is `@f` with these lines.
fn module(signature: &str, lines: &str) -> String {
    format!(
        "module \"m\" unit 1\nuse core\nuse tasks\nuse sync\nfile \"a\"\n\
         async fn @f{signature} {{\n  local %p: permit\n  local %q: permit\n  local %r: region\n  \
         local %t: task\n  local %c: bool\n  local %n: i64\n  local %v: value\n  local %st: i64\n  \
         local %a: ptr\nentry:\n{lines}\n}}\n\
         fn @ends(%x: permit) throws {{\ne:\n  intrinsic commit(%x)\n  return\n}}\n\
         fn @makes() -> permit throws {{\n  local %x: permit\ne:\n  \
         %x = intrinsic reserve(1)\n  return %x\n}}\n\
         async fn @runs(%n: i64) {{\ne:\n  return\n}}\n\
         async fn @waits(%x: permit) throws {{\ne:\n  intrinsic commit(%x)\n  return\n}}\n"
    )
}

/// Both must be as their comments say.
fn check(lines: &str) {
    check_module(&module("() throws", lines));
}

/// `reserve` into `%p`.
const P: &str = "  %p = intrinsic reserve(1)\n";

#[test]
fn obl_34_a_handle_is_used_up_before_a_return() {
    check(&format!("{P}  intrinsic commit(%p)\n  return"));
    check(&format!("{P}  return ; V0026"));
    check_module(&module(
        "(%x: permit) throws",
        "  intrinsic abort(%x)\n  return",
    ));
    check_module(&module("(%x: permit) throws", "  return ; V0026"));
    check_module(&module("(%x: permit) -> permit throws", "  return %x"));
    check("  intrinsic reserve(1) ; V0026\n  return");
    check("  call @makes() ; V0026\n  return");
}

#[test]
fn obl_34_a_handle_is_used_once() {
    check(&format!("{P}  call @ends(%p)\n  return"));
    check(&format!(
        "{P}  call @ends(%p)\n  intrinsic commit(%p) ; V0027\n  return"
    ));
    check("  intrinsic commit(%p) ; V0027\n  return");
    check(&format!(
        "{P}  await @waits(%p)\n  await @waits(%p) ; V0027\n  return"
    ));
    // A lent handle is held as before, and must be held.
    check(
        "  %r = intrinsic region_open()\n  intrinsic region_cancel(%r)\n  \
           %n = intrinsic region_close(%r)\n  return",
    );
    check(
        "  %r = intrinsic region_open()\n  %n = intrinsic region_close(%r)\n  \
           intrinsic region_cancel(%r) ; V0027\n  return",
    );
    check(
        "  %r = intrinsic region_open()\n  %t = spawn @runs(1) in %r\n  \
           intrinsic task_detach(%t)\n  %n = intrinsic region_close(%r)\n  return",
    );
    check("  %t = spawn @runs(1) in %r ; V0027\n  intrinsic task_detach(%t)\n  return");
}

#[test]
fn obl_34_a_live_local_is_never_overwritten() {
    check(&format!(
        "{P}  intrinsic commit(%p)\n{P}  intrinsic commit(%p)\n  return"
    ));
    check(&format!(
        "{P}  %p = intrinsic reserve(2) ; V0026\n  intrinsic commit(%p)\n  return"
    ));
    check(&format!(
        "{P}  %q = copy.permit %p\n  intrinsic commit(%q)\n  return"
    ));
    check(&format!(
        "{P}  %q = copy.permit %p\n  intrinsic commit(%p) ; V0027\n  intrinsic commit(%q)\n  return"
    ));
    check(&format!(
        "{P}  %q = call @makes()\n  %p = copy.permit %q ; V0026\n  intrinsic commit(%p)\n  return"
    ));
}

#[test]
fn obl_34_maybe_at_a_join_is_an_error() {
    let body = |one: &str, other: &str, mark: &str| {
        check(&format!(
            "{P}  branch %c, a, b\na:\n{one}  jump j\nb:\n{other}  jump j{mark}\nj:\n  return"
        ));
    };
    body("  intrinsic commit(%p)\n", "  intrinsic abort(%p)\n", "");
    check(&format!(
        "{P}  branch %c, a, j\na:\n  intrinsic commit(%p)\n  jump j ; V0028\nj:\n  \
         intrinsic abort(%p)\n  return"
    ));
    // In a loop: made in each trip.
    check(&format!(
        "  jump l\nl:\n{P}  intrinsic commit(%p)\n  branch %c, l, o\no:\n  return"
    ));
    check(&format!(
        "  jump l\nl:\n{P}  branch %c, l, o ; V0028\no:\n  intrinsic commit(%p)\n  \
                    return"
    ));
    // Two places that make it are one state.
    check(&format!(
        "  branch %c, a, b\na:\n{P}  jump j\nb:\n  %p = call @makes()\n  jump j\nj:\n  \
         intrinsic commit(%p)\n  return"
    ));
}

#[test]
fn obl_34_a_result_is_live_on_the_ok_path_only() {
    check(
        "  %p = intrinsic chan_try_reserve(%n) recover full\n  intrinsic abort(%p)\n  return\n\
           full:\n  return",
    );
    check(
        "  %p = intrinsic chan_try_reserve(%n) recover full\n  intrinsic abort(%p)\n  return\n\
           full:\n  intrinsic abort(%p) ; V0027\n  return",
    );
    // What a call takes is used up on its error edge too.
    check(&format!(
        "{P}  call @ends(%p) recover bad\n  return\nbad:\n  return"
    ));
    check(&format!(
        "{P}  call @ends(%p) recover bad\n  return\nbad:\n  intrinsic abort(%p) ; V0027\n  return"
    ));
}

#[test]
fn obl_34_an_edge_gives_up_what_is_held() {
    let edge = |lines: &str| {
        check(&format!(
            "{P}  await @runs(1) cleanup c(%v, %st)\n  intrinsic commit(%p)\n  return\nc:\n{lines}"
        ));
    };
    edge("  intrinsic abort(%p)\n  raise %v, %st");
    edge("  raise %v, %st ; V0026");
    // Without an edge the compiler makes one.
    check(&format!(
        "{P}  await @runs(1)\n  intrinsic commit(%p)\n  return"
    ));
    check(&format!("{P}  throw %v"));
    // As after the passes, the edge must be there.
    let edged = |lines: &str| check_text(&module("() throws", lines), true);
    edged(&format!(
        "{P}  await @runs(1) ; V0018\n  intrinsic commit(%p)\n  return"
    ));
    edged(&format!("{P}  throw %v ; V0018"));
    // Only where something can give it up: in a function that never waits, nothing closes a region.
    let sync = |mark: &str, lines: &str| {
        let text = module("() throws", lines).replace("async fn @f", "fn @f");
        check_module(&text.replace("MARK", mark));
    };
    sync(
        "",
        "  %r = intrinsic region_open()\n  call @ends(%p) ; V0027 V0018\n  return ; V0026",
    );
}

#[test]
fn obl_34_a_handle_goes_nowhere_but_into_locals() {
    check("  store.permit %p, %a ; V0025\n  return");
    check("  %p = load.permit %a ; V0025\n  return");
    check("  %p = select.permit %c, %p, %q ; V0025\n  return");
    check("  %c = cmp.eq.permit %p, %q ; V0008\n  return");
    check("  %n = convert.bitcast.permit.i64 %p ; V0025\n  return");
    check("  %v = convert.bitcast.permit.value %p ; V0025\n  return");
    check("  %p = convert.bitcast.i64.permit %n ; V0025\n  return");
    check("  intrinsic commit(7) ; V0025\n  return");
    check("  call @ends(0) ; V0025\n  return");
    check(&format!(
        "{P}  %t = spawn @waits(%p) ; V0025\n  intrinsic task_detach(%t)\n  return"
    ));
    let head = "module \"m\" unit 1\n";
    check_module(&format!("{head}global @g: permit = 0 ; V0025"));
    check_module(&format!("{head}extern fn @c(permit) ; V0025"));
    check_module(&format!("{head}extern fn @c(i64) -> task ; V0025"));
}

fn errors(lines: &str) -> (Vec<VerifyError>, String) {
    let text = module("() throws", lines);
    let parsed = parse(text.as_bytes()).expect("good text");
    let tables = [&CORE, &TASKS, &SYNC];
    let errors = verify(&parsed.module, &tables).expect_err("an error");
    let line = |place| parsed.spans.of(place).line as usize - 1;
    let path = errors.iter().flat_map(|error| {
        let notes = error.notes.iter().map(|note| (note.place, &note.message));
        notes.chain([(error.place, &error.message)])
    });
    let shown = path.map(|(place, message)| {
        let line = text.lines().nth(line(place)).unwrap_or_default();
        format!("{} | {message}\n", line.trim())
    });
    let shown = shown.collect();
    (errors, shown)
}

#[test]
fn obl_34_a_finding_tells_its_path() {
    let (_, path) = errors(&format!(
        "{P}  branch %c, a, b\na:\n  intrinsic commit(%p)\n  jump j\nb:\n  jump j\nj:\n  return"
    ));
    assert_eq!(
        path,
        "%p = intrinsic reserve(1) | it is held from here\n\
         branch %c, a, b | control goes to `a`\n\
         intrinsic commit(%p) | on that way it is used up here\n\
         jump j | the permit `%p` is held where `j` is entered from elsewhere, and not from here; \
         use it up on both ways or on none\n"
    );
    let (_, path) = errors(&format!(
        "{P}  branch %c, a, b\na:\n  await @runs(1) recover c\n  jump b2\nb:\n  jump b2\n\
         b2:\n  intrinsic abort(%p)\n  return\nc:\n  return"
    ));
    assert_eq!(
        path,
        "%p = intrinsic reserve(1) | it is held from here\n\
         branch %c, a, b | control goes to `a`\n\
         await @runs(1) recover c | this fails, and control goes to `c`\n\
         return | the permit `%p` is still held where this returns; use it up first, or return it\n"
    );
    let (_, path) = errors(&format!(
        "{P}  intrinsic commit(%p)\n  branch %c, a, b\na:\n  return\nb:\n  intrinsic abort(%p)\n  \
         return"
    ));
    assert_eq!(
        path,
        "intrinsic commit(%p) | it is used up here\n\
         intrinsic abort(%p) | the permit `%p` was used up before; use it once\n"
    );
}

#[test]
fn obl_28_the_caller_chooses_the_severity() {
    let text = module("() throws", &format!("{P}  return"));
    let parsed = parse(text.as_bytes()).expect("good text");
    let tables = [&CORE, &TASKS, &SYNC];
    let errors = verify(&parsed.module, &tables).expect_err("a leak");
    let allowed = Severity { allow_leaks: true };
    let verified = verify_with(&parsed.module, &tables, allowed).expect("a warning");
    assert_eq!(verified.warnings(), errors);
    // A handle that is used twice is no leak.
    let text = module("() throws", "  intrinsic commit(%p)\n  return");
    let parsed = parse(text.as_bytes()).expect("good text");
    assert!(verify_with(&parsed.module, &tables, allowed).is_err());
}
