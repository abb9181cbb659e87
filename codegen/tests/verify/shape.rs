//! Names, types, calls, ends, edges.

use super::{check, check_module};

#[test]
fn declarations() {
    check_module("module \"m\" unit 0 ; V0004");
    check_module("module \"m\" unit 1\nuse core\nuse core ; V0001\nuse cores ; V0003");
    check_module("module \"m\" unit 1\nsig (i64)\nsig (i64) ; V0001");
    check_module("module \"m\" unit 1\ndata @a = \"\"\ndata @a = \"x\" ; V0001\nglobal @a: i8 = 0");
    check_module("module \"m\" unit 1\nglobal @\"\": i8 = 0 ; V0004");
    check_module("module \"m\" unit 1\nextern fn @a() throws ; V0004\nextern fn @a() ; V0001");
    check_module("module \"m\" unit 1\nextern fn @asr_i_fault(i64) ; V0004");
    check_module("module \"m\" unit 1\nexport fn @asr_x() { ; V0004\na:\n  return\n}");
    check_module("module \"m\" unit 1\nextern fn @a()\nfn @a() { ; V0001\na:\n  return\n}");
    check_module("module \"m\" unit 1\nextern fn @a() !1:2:3 ; V0002");
    check_module(
        "module \"m\" unit 1\nfn @a() {\n}"
            .replace("{", "{ ; V0005")
            .as_str(),
    );
    let handler = "fn @h(%o: ptr, %c: ptr) {\na:\n  return\n}\nfn @i() {\na:\n  return\n}";
    check_module(&format!(
        "module \"m\" unit 1\nhandler 1 @h slow\nhandler 1 @h fast 5 ; V0001\n\
         handler 2 @i slow ; V0010\n{handler}"
    ));
}

#[test]
fn names_slots_and_blocks() {
    let head = "module \"m\" unit 1\n";
    check_module(&format!(
        "{head}fn @f(%a: i64) {{\n  local %a: i8 ; V0001\ne:\n  return\n}}"
    ));
    check_module(&format!(
        "{head}fn @f() {{\n  slot $a 8 align 8\n  slot $a 8 align 8 ; V0001\n  \
         slot $b 0 align 8 ; V0004\n  slot $c 4097 align 8 ; V0004\n  \
         slot $d 8 align 3 ; V0004\n  slot $e 8 align 32 ; V0004\ne:\n  return\n}}"
    ));
    check("()", "  return\nentry: ; V0001 V0006\n  return");
    check(
        "()",
        "  return\nlost: ; V0006\n  jump lost2\nlost2: ; V0006\n  return",
    );
    check("()", "  jump entry ; V0007");
    check("()", "  jump next !1:1:1 ; V0002\nnext:\n  return");
}

#[test]
fn operators_take_their_types() {
    check(
        "()",
        "  %i = copy.i64 %w ; V0008
  %w = copy.i64 1 ; V0008
  %w = copy.i32 %w
  %x = neg.f64 %x ; V0008
  %t = not.bool %t
  %p = not.ptr %p ; V0008
  %i = fneg.i64 %i ; V0008
  %t = add.bool %t, %t ; V0008
  %t = xor.bool %t, true
  %v = and.value %v, %v ; V0008
  %y = fadd.f32 %y, 0.5
  %y = fadd.f64 %x, 0.5 ; V0008
  %i, %t = sadd_overflow.i64 %i, 1
  %i, %i = sadd_overflow.i64 %i, 1 ; V0008
  %t = cmp.eq.value %v, 0
  %t = cmp.ult.ptr %p, 0
  %t = cmp.slt.ptr %p, 0 ; V0008
  %t = cmp.eq.f64 %x, 0.0 ; V0008
  %t = cmp.flt.i64 %i, 0 ; V0008
  %i = select.i64 %i, 0, 1 ; V0008
  %i = convert.sext.i32.i64 %w
  %w = convert.sext.i32.i32 %w ; V0008
  %i = convert.sext.bool.i64 %t ; V0008
  %b = convert.zext.bool.i8 %t
  %b = convert.trunc.i64.i8 %i
  %y = convert.promote.f32.f32 %y ; V0008
  %v = convert.bitcast.f64.value %x
  %t = convert.bitcast.i8.bool %b ; V0008
  %i = convert.bitcast.f32.i64 %y ; V0008
  %i = load.i64 %i ; V0008
  store.i64 %w, %p ; V0008
  %i = global.get @g ; V0008
  global.set @g, %i ; V0008
  %i = addr.data @d ; V0008
  %i = addr.func @f ; V0008
  %i = addr.slot $m ; V0008
  %w = chunk.i32 %w, 7, 0, 1 ; V0009
  %w = chunk.i32 %w, 7, 1, 0 ; V0009
  %w = chunk.i32 %w, 7, 2147483648, 1 ; V0009
  %x = chunk.f64 %x, 7.0, 1, 1 ; V0008
  return",
    );
    check(
        "() throws",
        "  check.bounds.f64 %x, 1.0 ; V0008\n  check.null %i ; V0008\n  return",
    );
}

#[test]
fn calls_returns_and_ends() {
    check(
        "() -> i64",
        "  %i = call @quiet(1) ; V0010
  %w = call @quiet() ; V0008
  call @quiet()
  %i = call.extern @c(%w) ; V0008
  %i = call.extern @c() ; V0010
  %i = call.indirect (i64), %p(1) ; V0010
  call.indirect (i64), %i(1) ; V0008
  switch.f64 %x, [], end ; V0008
end:
  switch.i8 %b, [1: a, 1: b, 127: c], a ; V0012
a:
  return ; V0011
b:
  return %w ; V0008
c:
  branch %i, a, b ; V0008",
    );
    check("()", "  return 1 ; V0011");
    check("() throws", "  throw %x ; V0008");
    check("() throws", "  throw %v");
    check("() throws", "  raise %v, %v ; V0008");
}

#[test]
fn edges_stand_on_what_may_fail() {
    check(
        "() throws",
        "  %i = add.i64 %i, 1 recover r(%v) ; V0013
  %i = sdiv.i64 %i, 2 recover r(%v) ; V0013
  %i = sdiv.i64 %i, %st recover r(%v)
  %i = call.extern @c(1) recover r(%v) ; V0013
  intrinsic taint_add(1) recover r(%v) ; V0013
  call @quiet() cleanup c(%v, %i)
  call @quiet() recover r(%x) ; V0008
  call @quiet() cleanup c(%i, %i) ; V0008
  call @quiet() cleanup c(%v, %v) ; V0008 V0008
  return
r:
  return
c:
  return",
    );
}
