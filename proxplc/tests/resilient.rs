//! Protected blocks: recovery, restart, nesting, what variables hold afterwards.

mod common;
use common::{check, check_uncaught};

#[test]
fn recovery_binds_what_was_thrown() {
    check(
        "resilient { throw \"a\"; print 1; } recovery (e) { print e; }
         resilient { throw 42; } recovery (e) { print e + 1; }
         resilient { throw {\"k\": 7}; } recovery (e) { print e[\"k\"]; }
         resilient { throw null; } recovery (e) { print e; }
         resilient { print \"fine\"; } recovery (e) { print 2; }
         resilient { throw 1; } recovery { print \"unbound\"; } resilient { throw 1; }
         print \"after\";",
        "a\n43\n7\nnull\nfine\nunbound\nafter\n",
    );
}

#[test]
fn errors_come_through_calls_and_nested_blocks() {
    check(
        "func deep(n) { if (n == 0) throw \"deep\"; deep(n - 1); }
         resilient { deep(50); } recovery (e) { print e; }
         resilient { resilient { throw \"in\"; } recovery (e) { print e; throw \"out\"; } }
         recovery (e) { print e; }
         resilient { resilient { throw \"x\"; } print \"swallowed\"; throw \"y\"; }
         recovery (e) { print e; }
         func safe() { resilient { return deep(1); } recovery (e) { return \"r \" + e; } }
         print safe();",
        "deep\nin\nout\nswallowed\ny\nr deep\n",
    );
}

#[test]
fn abi_22_variables_keep_the_last_assignment_before_the_failure() {
    check(
        "func fail() { throw 1; } func f() { let a = 1; let s = \"x\"; let d = 0.5;
         resilient { a = 2; s += \"y\"; fail(); a = 3; } recovery { d += 1; } print a; print s;
         print d;
         let l = [1]; resilient { a = 5; a = l[9]; a = 6; } recovery { } print a;
         resilient { a = 7; a = 1 / (a - 7); } recovery { } return a; } print f();
         for (let i = 0; i < 3; i += 1) { let before = i; resilient { before += 10; throw i; }
         recovery (e) { print before + e; } }
         let g = 1; func h() { g = 2; throw 0; } resilient { h(); } recovery { print g; }",
        "2\nxy\n1.5\n5\n7\n10\n12\n14\n2\n",
    );
}

#[test]
fn abi_44_part_restart_runs_the_body_again() {
    check(
        "let runs = 0; resilient(strategy=restart, retries=3) { runs += 1; throw runs; }
         recovery (e) { print e; } print runs;
         runs = 0; resilient(strategy=\"restart\", retries=5) { runs += 1; if (runs < 3) throw 0;
         } recovery { print \"no\"; } print runs;
         runs = 0; resilient(retries=2) { runs += 1; throw 0; } print runs;
         runs = 0; resilient(strategy=restart, retries=0) { runs += 1; throw 0; } print runs;
         let n = 1 + 1; runs = 0; resilient(retries=n) { runs += 1; throw 0; } recovery { }
         print runs;
         resilient(strategy=recover) { throw 9; } recovery (e) { print e; }",
        "4\n4\n3\n3\n1\n3\n9\n",
    );
}

#[test]
fn break_continue_and_return_leave_a_block() {
    check(
        "for (let i = 0; i < 5; i += 1) { resilient { if (i == 1) continue; if (i == 3) break;
         print i; } recovery { } }
         func f() { resilient { return 1; } recovery { return 2; } return 3; } print f();
         func g() { resilient { throw 0; } recovery { return 2; } return 3; } print g();
         for (let i = 0; i < 3; i += 1) { resilient { throw i; }
         recovery (e) { if (e == 1) break; print e; } }",
        "0\n2\n1\n2\n0\n",
    );
}

#[test]
fn uncaught_errors_tell_where() {
    check_uncaught(
        "print 1;\nthrow \"boom\";",
        "1\n",
        &["boom", "[line 2] in script"],
    );
    let source = "func inner(x) {\n  return x / 0;\n}\nfunc outer(x) {\n  return inner(x) + 1;\n\
    }\nouter(1);";
    check_uncaught(
        source,
        "",
        &[
            "Division by zero.",
            "[line 2] in inner()",
            "[line 5] in outer()",
            "[line 7] in script",
        ],
    );
}

#[test]
fn abi_24_part_faults_are_caught() {
    check(
        "let l = [1, 2]; func at(i) { return l[i]; }
         resilient { at(5); } recovery (e) { print e; } resilient { at(-1); }
         recovery (e) { print e; }
         resilient { l[2] = 1; } recovery (e) { print e; } resilient { at(\"x\"); }
         recovery (e) { print e; }
         resilient { null[0]; } recovery (e) { print e; } resilient { ({})[1]; }
         recovery (e) { print e; }
         resilient { print 1 / (len(l) - 2); } recovery (e) { print e; } resilient { 5 % 0; }
         recovery (e) { print e; }
         resilient { l.x; } recovery (e) { print e; } resilient { l.x = 1; }
         recovery (e) { print e; }",
        "List index out of bounds.\nList index out of bounds.\nList index out of bounds.\n\
         List index must be a number.\nCan only index lists and dictionaries.\n\
         Dictionary key must be a string.\n\
         Division by zero.\nModulo by zero.\nOnly instances and modules have properties.\n\
         Only instances have fields.\n",
    );
}
