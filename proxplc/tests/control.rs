//! Statements: conditions, loops, switch, scopes.

mod common;
use common::{check, check_refused};

#[test]
fn conditions() {
    check(
        "func sign(n) { if (n < 0) return \"-\"; else if (n == 0) return \"0\"; else return \"+\"; }
         print sign(-5) + sign(0) + sign(5); if (null) print 1; if (!null) { print 2; }
         else print 3;
         let a = 1; if (a == 1 && !(a > 2) || false) print \"yes\";",
        "-0+\n2\nyes\n",
    );
}

#[test]
fn loops() {
    check(
        "let s = 0; for (let i = 0; i < 5; i += 1) { if (i == 3) continue; s += i; } print s;
         let n = 0; while (true) { n += 1; if (n > 9) break; } print n;
         for (let i = 10; i > 0; i -= 3) print i;
         let k = 0; for (;;) { k += 1; if (k == 4) break; } print k;
         for (let i = 0; i < 3; i += 1) for (let j = 0; j < 3; j += 1) { if (j == 1) break;
         print i * 10 + j; }
         let list = [1, 2, 3]; for (let i = 0; i < len(list); i += 1) { if (i < 3) push(list, i); }
         print len(list); while (false) print 1; let t = 0.5; while (t < 3) t = t + 1; print t;",
        "7\n10\n10\n7\n4\n1\n4\n0\n10\n20\n6\n3.5\n",
    );
}

#[test]
fn switch_compares_in_order_and_never_falls_through() {
    check(
        "func f(x) { switch (x) { case 1: { return \"one\"; } default: return \"other\";
         case \"a\": return \"A\"; } }
         print f(1); print f(\"a\"); print f(2); print f(null);
         for (let i = 0; i < 5; i += 1) { switch (i) { case 1: continue; case 3: break; } print i; }
         switch (1) { case 2: print 2; } switch (3) { default: print \"d\"; }
         let n = 0; func next() { n += 1; return n; } switch (2) { case next(): print 1;
         case next(): print n; case next(): print 3; }",
        "one\nA\nother\nother\n0\n2\nd\n2\n",
    );
}

#[test]
fn blocks_are_scopes() {
    check(
        "let a = 1; { let a = 2; print a; { let a = 3; print a; } print a; } print a;
         func f(a) { let b = a; { let b = 10; a = b; } return a + b; } print f(1);
         for (let a = 7; a < 8; a += 1) { print a; } print a;
         func g(x) { let x = x; return x; } print g(4); let q = 1; { let q = q + 1; print q; }",
        "2\n3\n2\n1\n11\n7\n1\n4\n2\n",
    );
}

#[test]
fn break_belongs_into_a_loop() {
    check_refused("break;", &[("E0104", 1, 1)]);
    check_refused(
        "while (true) { func f() { continue; } }",
        &[("E0104", 1, 27)],
    );
    check_refused("switch (1) { case 1: break; }", &[("E0104", 1, 22)]);
}

#[test]
fn constants_stay() {
    check(
        "const a = 1; { let a = 2; a = 3; print a; } print a;",
        "3\n1\n",
    );
    check_refused("const a = 1; a = 2;", &[("E0106", 1, 14)]);
    check_refused("const a = 1; func f() { a += 2; }", &[("E0106", 1, 25)]);
    check_refused("func f() { const a = 1; a = 2; }", &[("E0106", 1, 25)]);
    check_refused("const a = 1; let a = 2;", &[("E0106", 1, 18)]);
    check_refused(
        "const a = [1]; a[0] = 2; func g() { const a = 1; } a = 3;",
        &[("E0106", 1, 52)],
    );
}

#[test]
fn return_ends_the_script() {
    check("print 1; if (true) return; print 2;", "1\n");
}
