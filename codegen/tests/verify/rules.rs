//! The letters of rule ABI-30 that are checked on AIR.

use super::{check, check_edged, check_module};

#[test]
fn abi_30_g_intrinsics_are_rows_of_imported_tables() {
    check("()", "  intrinsic taint_add(1)\n  return");
    check("()", "  intrinsic taint_ad(1) ; V0014\n  return");
    check_module(
        "module \"m\" unit 1\nfn @f() {\ne:\n  intrinsic taint_add(1) ; V0014\n  return\n}",
    );
    check(
        "()",
        "  intrinsic taint_add() ; V0015
  intrinsic taint_add(1, 2) ; V0015
  intrinsic taint_add(%i) ; V0015
  intrinsic taint_add(4294967296) ; V0015
  intrinsic taint_add(4294967295)
  intrinsic taint_add(-1)
  %i = intrinsic taint_add(1) ; V0015
  %x = intrinsic test_types(%w, %x, %t, %p, %v)
  intrinsic test_types(1, 2.5, true, 0, 0xfffb000000000000)
  %i = intrinsic test_types(1, 2.5, true, 0, 0) ; V0015
  %x = intrinsic test_types(1, 2.5, 2, 0, 0) ; V0015
  return",
    );
}

#[test]
fn abi_30_f_intents_and_masks_are_closed_innermost_first_on_every_path() {
    // Accepted: once on every path, in a loop, on the error edges.
    check(
        "() throws",
        "  intrinsic intent_push(7)
  branch %t, a, b
a:
  jump join
b:
  call @thrower() recover r cleanup c(%v, %st)
  jump join
join:
  intrinsic intent_pop()
  jump loop
loop:
  intrinsic test_mask_enter()
  intrinsic intent_push(8) cleanup m(%v, %st)
  intrinsic intent_pop()
  intrinsic test_mask_leave()
  branch %t, loop, out
out:
  return
r:
  intrinsic intent_pop()
  return
c:
  intrinsic intent_pop()
  raise %v, %st
m:
  intrinsic test_mask_leave()
  raise %v, %st",
    );
    check("() throws", "  intrinsic intent_push(7)\n  return ; V0016");
    check("()", "  intrinsic intent_pop() ; V0016\n  return");
    check(
        "()",
        "  intrinsic test_mask_enter()\n  intrinsic intent_pop() ; V0016\n  return",
    );
    // Open on one path only.
    check(
        "() throws",
        "  branch %t, a, b\na:\n  intrinsic intent_push(7)\n  jump b ; V0016\nb:\n  return",
    );
    // Opened once more in each trip.
    check(
        "() throws",
        "  jump l\nl:\n  intrinsic intent_push(7)\n  jump l ; V0016",
    );
    // Closed on the normal path, left open by the error edge.
    check(
        "() throws",
        "  intrinsic intent_push(7)
  call @thrower() recover r cleanup c(%v, %st)
  intrinsic intent_pop()
  return
r:
  return ; V0016
c:
  raise %v, %st ; V0016",
    );
    // A push that fails has opened nothing.
    check(
        "()",
        "  intrinsic intent_push(7) recover r
  intrinsic intent_pop()
  return
r:
  intrinsic intent_pop() ; V0016
  return",
    );
    // Innermost first.
    check(
        "() throws",
        "  intrinsic intent_push(7)
  intrinsic test_mask_enter()
  intrinsic intent_pop() ; V0016
  intrinsic test_mask_leave() ; V0016
  return",
    );
}

#[test]
fn abi_30_h_what_leaves_a_function_is_declared_or_caught() {
    for (line, code) in [
        ("call @thrower()", "; V0017"),
        ("call.indirect () throws, %p()", "; V0017"),
        ("%i = sdiv.i64 1, %i", "; V0017"),
        ("%i = convert.ftos.f64.i64 %x", "; V0017"),
        ("check.null %p", "; V0017"),
        ("check.bounds.i64 %i, 3", "; V0017"),
        (
            "intrinsic intent_push(1)\n  intrinsic intent_pop()",
            "; V0017",
        ),
        ("call @quiet()", ""),
        ("call.indirect (), %p()", ""),
        ("probe.explicit", ""),
        ("check.stack", ""),
        ("%i = intrinsic test_wait()", ""),
        ("%i = sdiv.i64 1, 3", ""),
    ] {
        let (first, rest) = line.split_once('\n').unwrap_or((line, ""));
        check("()", &format!("  {first} {code}\n{rest}\n  return"));
        check("() throws", &format!("  {first}\n{rest}\n  return"));
        if !code.is_empty() {
            check(
                "()",
                &format!("  {first} recover r\n{rest}\n  return\nr:\n  return"),
            );
            check(
                "()",
                &format!("  {first} cleanup r(%v, %st)\n{rest}\n  return\nr:\n  return"),
            );
        }
    }
    check("()", "  throw %v ; V0017");
    check("()", "  unreachable ; V0017");
    check("()", "  throw %v recover r\nr:\n  return");
    // Only a cancellation may go on.
    let tail = "  return\nr:\n  return\nc:\n  raise %v, %st";
    check(
        "()",
        &format!("  call @thrower() recover r cleanup c(%v, %st)\n{tail}"),
    );
    check(
        "()",
        &format!("  call @thrower() cleanup c(%v, %st)\n  branch %t, r, r\n{tail} ; V0017")
            .replace("  return\nr:", "r:"),
    );
    check(
        "()",
        &format!(
            "  %st = copy.i64 2\n  call @thrower() recover r cleanup c(%v, %st)\n{tail} ; V0017"
        ),
    );
    check("()", "  raise 0, 3");
    check("()", "  raise 0, 2 ; V0017");
    check("(%q: i64)", "  raise 0, %q ; V0017");
}

#[test]
fn abi_30_h_a_failure_leaves_no_intent_open() {
    let intent = |line: &str| {
        check_edged(
            "() throws",
            &format!(
                "  intrinsic intent_push(7)\n  {line}\n  intrinsic intent_pop()\n  return\n\
                 r:\n  intrinsic intent_pop()\n  return\n\
                 c:\n  intrinsic intent_pop()\n  raise %v, %st"
            )
            .replace(
                if line.contains("recover") {
                    "\0"
                } else {
                    "r:\n  intrinsic intent_pop()\n  return\n"
                },
                "",
            )
            .replace(
                if line.contains("cleanup") {
                    "\0"
                } else {
                    "c:\n  intrinsic intent_pop()\n  raise %v, %st"
                },
                "",
            ),
        );
    };
    intent("call @quiet() cleanup c(%v, %st)");
    intent("call @quiet() ; V0018");
    intent("call @quiet() recover r ; V0018");
    intent("probe.explicit ; V0018");
    intent("probe.explicit cleanup c(%v, %st)");
    intent("%i = intrinsic test_wait() recover r ; V0018");
    intent("check.null %p recover r");
    intent("check.null %p cleanup c(%v, %st)");
    intent("check.null %p ; V0018");
    intent("%i = add.i64 %i, 1");
    check_edged(
        "() throws",
        "  intrinsic intent_push(7)\n  throw %v ; V0018",
    );
}
