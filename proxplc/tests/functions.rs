//! Functions: recursion, values, redefinition, scopes.

mod common;
use common::{check, check_uncaught};

#[test]
fn recursion_and_forward_references() {
    check(
        "print fib(20); func fib(n) { if (n < 2) return n; return fib(n - 1) + fib(n - 2); }
         func even(n) { return n == 0 ? true : odd(n - 1); }
         func odd(n) { return n == 0 ? false : even(n - 1); }
         print even(10); print odd(10); func nothing() { } print nothing();
         func deep(n) { if (n == 0) return 0; return 1 + deep(n - 1); }
         print deep(1000);",
        "6765\ntrue\nfalse\nnull\n1000\n",
    );
}

#[test]
fn functions_are_values() {
    check(
        "func twice(f, x) { return f(f(x)); } func inc(x) { return x + 1; } print twice(inc, 5);
         let g = inc; print g(1); print g; print inc; print twice(func(x) { return x * x; }, 3);
         let table = [inc, func(a) { return -a; }]; print table[1](4); print func() { return 7; }();
         let d = {\"f\": inc}; print d[\"f\"](1); print std.core.typeOf(inc); print sqrt;
         let s = sqrt; print s(16);
         print std.core.typeOf(s); func fact(n) { return n < 2 ? 1 : n * fact(n - 1); }
         let h = fact; print h(10);",
        "7\n2\n<fn inc>\n<fn inc>\n81\n-4\n7\n2\nfunction\n<native fn>\n4\nnative\n3.6288e+06\n",
    );
}

/// A function value gets anything; what it returns is a number where an operator has proven it.
#[test]
fn results_of_function_values_are_what_was_returned() {
    check(
        "func fib(n) { if (n < 2) return n; return fib(n - 1) + fib(n - 2); }
         let f = fib; print f(20); print f(len([1])); print f(-0.5); print fib(10);
         func first(n) { if (n - 0 > 5) return n; return \"small\"; }
         let g = first; print g(7); print g(1);
         func yes(n) { return n > 2; } let h = yes; print h(3); print h(1);
         func count() { return len([1, 2, 3]); } let c = count; print c(); print c() + 1;
         func id(n) { return n; } let i = id; print i(\"s\"); print i(null); print i(true);",
        "6765\n1\n-0.5\n55\n7\nsmall\ntrue\nfalse\n3\n4\ns\nnull\ntrue\n",
    );
}

/// What only skipped code, or code that threw, could have proven is not taken for a number.
#[test]
fn skipped_operators_prove_nothing() {
    check(
        "func arm(n, c) { if (c) { let x = n - 1; } return n; }
         let a = arm; print a(\"a\", false); print a(2, true);
         func later(n, c) { if (c) return 1; else if (n < 2) return 2; return n; }
         let b = later; print b(\"b\", true); print b(3, false);
         func logic(n, c) { let x = c and n > 1; return n; }
         let d = logic; print d(\"d\", false); print d(5, true);
         func choice(n, c) { let x = c ? n * 2 : 0; return n; }
         let e = choice; print e(\"e\", false); print e(6, true);
         func round(n, c) { while (c) { c = false; let x = n - 1; } return n; }
         let g = round; print g(\"g\", false); print g(7, true);
         func caught(n) { resilient { let x = n - 1; } recovery { return n; } return n; }
         let h = caught; print h(\"h\"); print h(8);
         func equal(n) { let x = n == 1; let y = n + 1; return n; }
         let i = equal; print i(\"i\"); print i(9);
         func changed(n) { let x = n - 1; n = \"c\"; return n; }
         let j = changed; print j(1);",
        "a\n2\n1\n3\nd\n5\ne\n6\ng\n7\nh\n8\ni\n9\nc\n",
    );
}

#[test]
fn functions_can_be_redefined() {
    check(
        "func f() { return 1; } print f(); func f() { return 2; } print f();
         func g(x) { return x; } print g(3); g = func(x) { return x * 2; }; print g(3);
         func call() { return f() + g(1); } print call(); func f() { return 10; } print call();",
        "1\n2\n3\n6\n4\n12\n",
    );
}

#[test]
fn local_functions_do_not_need_the_locals_around_them() {
    check(
        "func outer(n) { func inner(k) { if (k == 0) return 0; return 1 + inner(k - 1); }
         return inner(n) + 1; }
         print outer(3); { func blocked() { return \"b\"; } print blocked(); }
         let top = 5; func uses() { func nested() { return top; } return nested(); } print uses();",
        "4\nb\n5\n",
    );
}

#[test]
fn top_level_variables_are_shared() {
    check(
        "let n = 0; func bump() { n += 1; return n; } bump(); bump(); print n;
         let list = []; func add(x) { push(list, x); } add(1); add(2); print len(list);
         let late; func get() { return late; } print get(); late = \"x\"; print get();
         let flag = false; func flip() { flag = !flag; } flip(); print flag; let n = 10;
         print bump();",
        "2\n2\nnull\nx\ntrue\n11\n",
    );
}

#[test]
fn undefined_names_are_errors_at_run_time() {
    check(
        "resilient { print nope; } recovery (e) { print e; }
         resilient { nope = 1; } recovery (e) { print e; }
         resilient { nope(); } recovery (e) { print e; }
         resilient { print early; } recovery (e) { print e; } let early = 1;
         func uses() { return later; } resilient { uses(); } recovery (e) { print e; }
         let later = 2; print uses(); if (false) print nope;",
        "Undefined variable 'nope'.\nUndefined variable 'nope'.\nUndefined variable 'nope'.\n\
         Undefined variable 'early'.\nUndefined variable 'later'.\n2\n",
    );
}

#[test]
fn the_number_of_arguments_is_checked() {
    check(
        "func f(a, b) { return a; } resilient { f(1); } recovery (e) { print e; }
         let g = f; resilient { g(1, 2, 3); } recovery (e) { print e; }
         resilient { f(print_it(), 2, 3); } recovery (e) { print e; }
         func print_it() { print \"it\"; }
         resilient { 5(); } recovery (e) { print e; } resilient { \"x\"(1); }
         recovery (e) { print e; }",
        "Expected 2 arguments but got 1.\nExpected 2 arguments but got 3.\nit\n\
         Expected 2 arguments but got 3.\n\
         Can only call functions, classes, and foreign functions.\n\
         Can only call functions, classes, and foreign functions.\n",
    );
}

#[test]
fn abi_45_part_endless_recursion_is_an_error() {
    check(
        "func f(n) { return 1 + f(n + 1); } resilient { f(0); } recovery (e) { print \"caught\"; }
         func g(x) { return h(x); } func h(x) { return g([x]); } resilient { g(0); }
         recovery { print \"again\"; }
         let k = func(s) { return s(s); }; resilient { k(k); } recovery { print \"value\"; }",
        "caught\nagain\nvalue\n",
    );
    check_uncaught(
        "func f() { return f() + 1; } f();",
        "",
        &["Stack overflow."],
    );
}
