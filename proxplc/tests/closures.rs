//! Functions that use variables of enclosing functions.

mod common;
use common::check;

#[test]
fn a_variable_is_shared_by_all_who_use_it() {
    check(
        "func counter() { let n = 0; return [func() { n += 1; return n; }, func() { return n; }]; }
         let a = counter(); let b = counter(); a[0](); a[0](); b[0]();
         print a[1](); print b[1]();
         func adder(x) { return func(y) { return x + y; }; } print adder(25)(35);
         func three(a) { return func(b) { return func(c) { a += 1; return a + b + c; }; }; }
         let t = three(1)(10); print t(100); print t(100);
         func swap(a, b) { let f = func() { let c = a; a = b; b = c; }; f(); return [a, b]; }
         let s = swap(1, 2); print s[0]; print s[1];",
        "2\n1\n60\n112\n113\n2\n1\n",
    );
}

#[test]
fn each_run_of_a_declaration_makes_a_variable() {
    check(
        "let fs = []; { let i = 0; while (i < 3) { let k = i * 10; let m = 0; i += 1;
             push(fs, func() { m += 1; return k + m; }); } }
         print fs[0](); print fs[0](); print fs[2]();
         { let gs = []; for (let i = 0; i < 3; i += 1) { push(gs, func() { return i; }); }
           print gs[0](); }
         func fresh() { let x; let f = func() { x = 5; }; print x; f(); return x; }
         print fresh(); print fresh();",
        "1\n2\n21\n3\nnull\n5\nnull\n5\n",
    );
}

#[test]
fn nested_functions_call_each_other_and_themselves() {
    check(
        "func outer(n) { let calls = 0;
             func fact(k) { calls += 1; if (k < 2) return 1; return k * fact(k - 1); }
             func twice(k) { return fact(k) + fact(k); }
             let f = twice; print f(n); return calls; }
         print outer(5);
         func deep(a) { func one() { func two() { func three() { a += 1; return a; }
             return three(); } return two(); } one(); return one(); }
         print deep(1);
         func late() { func odd(n) { if (n == 0) return false; return even(n - 1); }
             func even(n) { if (n == 0) return true; return odd(n - 1); }
             even = even; return 1; }
         func loop() { func self(n) { if (n == 0) return \"end\"; return self(n - 1); }
             let f = self; self = f; return f(3); }
         print loop();
         func same() { let a = 1; func f() { return a; } let g = f; return f == g; }
         print same();",
        "240\n10\n3\nend\ntrue\n",
    );
}

#[test]
fn what_is_captured_keeps_its_type_and_its_failures() {
    check(
        "func sum(list) { let total = 0; func add(x) { total = total + x; }
             for (let i = 0; i < len(list); i += 1) add(list[i]); return total; }
         print sum([1, 2, 3.5]);
         func scale(k) { func by(x) { return x * k; } return by(2) + by(3); } print scale(10);
         func kept() { let seen = \"\"; let f = func(x) { seen = seen + x; throw x; };
             resilient { f(\"a\"); } recovery (e) { let g = func() { return e + seen; };
                 return g(); } }
         print kept();
         const k = 3; { const j = 4; print func() { return k + j; }(); }",
        "6.5\n50\naa\n7\n",
    );
}
