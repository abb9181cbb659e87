//! Deferred statements: on every way out of their block, the last one first.

mod common;
use common::{check, check_uncaught};

#[test]
fn it_runs_at_the_end_of_its_block() {
    check(
        "{ defer print \"1\"; defer { print \"2\"; print \"3\"; } print \"body\"; } print \"after\";
         func f() { defer print \"f\"; print \"in\"; } f();
         for (let i = 0; i < 3; i += 1) { defer print `end ${i}`; if (i == 1) continue;
             print i; if (i == 2) break; }
         let x = 1; { defer print x; x = 2; }
         if (x == 2) { defer print \"then\"; } else { defer print \"else\"; }
         switch (x) { case 2: defer print \"case end\"; print \"case\"; default: print \"no\"; }",
        "body\n2\n3\n1\nafter\nin\nf\n0\nend 0\nend 1\n2\nend 2\n2\nthen\ncase\ncase end\n",
    );
}

#[test]
fn it_runs_when_the_function_returns_and_after_the_value_is_known() {
    check(
        "func f(n) { let x = n; defer x = 0; defer print `leave ${x}`;
             if (n > 5) { defer print \"big\"; return x; } return x + 1; }
         print f(3); print f(7);
         func g() { let l = []; { defer push(l, 2); push(l, 1); } return l; } print len(g());
         func h() { while (true) { defer print \"loop\"; { defer print \"inner\"; return 1; } } }
         print h();
         func k() { let f; { defer { f = func() { return x; }; } let y = 1; } let x = 9; return 1; }
         let x = 4; print k(); defer print \"last\"; print \"end\";",
        "leave 3\n4\nbig\nleave 7\n7\n2\ninner\nloop\n1\n1\nend\nlast\n",
    );
}

#[test]
fn it_runs_when_something_fails_and_the_first_failure_goes_on() {
    check(
        "func bad() { throw \"bad\"; }
         func f() { defer print \"f\"; { defer print \"inner\"; bad(); } print \"never\"; }
         resilient { f(); } recovery (e) { print e; }
         resilient { defer print \"first\"; resilient { defer bad(); throw \"inside\"; }
             recovery (e) { print e; } throw \"out\"; } recovery (e) { print e; }
         resilient { { defer bad(); } print \"never\"; } recovery (e) { print `late ${e}`; }
         resilient { throw \"early\"; defer print \"never\"; } recovery (e) { print e; }
         let n = 0; resilient(strategy=restart, retries=2) { defer n += 1; bad(); }
         recovery (e) { print n; }
         func zero(a) { defer print \"zero\"; return 1 / a; }
         resilient { zero(0); } recovery (e) { print e; } print zero(2);",
        "inner\nf\nbad\ninside\nfirst\nout\nlate bad\nearly\n3\nzero\nDivision by zero.\n\
         zero\n0.5\n",
    );
    check_uncaught(
        "func f() { defer print \"cleaned\"; let l = [1]; return l[5]; }
         f();",
        "cleaned\n",
        &["List index out of bounds.", "in f()", "in script"],
    );
}
