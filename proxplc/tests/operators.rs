//! Numbers, strings, comparisons, logic.

mod common;
use common::{check, check_uncaught};

#[test]
fn arithmetic() {
    check(
        "print 1 + 2 * 3; print (1 + 2) * 3; print 7 / 2; print 7 % 3; print -7 % 3;
         print 2 ** 10; print -2 ** 2; print 2 ** 3 ** 2; print 5.5 % 2; print 0.1 + 0.2;
         print 10 - 2 - 3; print 100 / 10 / 5; let x = 4; print -x; print 6 % 3; print -6 % 3;",
        "7\n9\n3.5\n1\n-1\n1024\n-4\n512\n1.5\n0.3\n5\n2\n-4\n0\n-0\n",
    );
}

#[test]
fn compound_assignment_has_its_mathematical_meaning() {
    check(
        "let x = 10; x += 5; print x; x -= 3; print x; x *= 2; print x; x /= 4; print x;
         x %= 4; print x; x **= 3; print x; x = 6; x &= 3; print x; x |= 8; print x;
         x ^= 1; print x; x <<= 2; print x; x >>= 1; print x;
         let s = \"a\"; s += 1; print s; let l = [1, 2]; l[0] += 10; print l[0];
         let y = x = 3; print y + x; print (x += 2) * 2;",
        "15\n12\n24\n6\n2\n8\n2\n10\n11\n44\n22\na1\n11\n6\n10\n",
    );
}

#[test]
fn numbers_are_printed_in_three_ways() {
    check(
        "let n = 1 / 3; print n; print \"\" + n; print to_string(n);
         n = 1000000; print n; print \"\" + n; n = 1234567; print n; print \"\" + n;
         n = 123456.789; print n; print \"\" + n; print to_string(n);
         n = 1 / 10000000; print n; print \"\" + n; n = 10 ** 20; print n; print \"\" + n;
         n = 0 * -1; print n; print \"\" + n; n = 2 ** 53; print n; print to_string(n);
         print 123456789012.125 + \"\"; print 0.0001234; print 0.00001234;",
        "0.333333\n0.33333333333333\n0.333333333333333\n\
         1e+06\n1000000\n1.23457e+06\n1234567\n\
         123457\n123456.789\n123456.789\n\
         1e-07\n1e-07\n1e+20\n1e+20\n\
         -0\n0\n9.0072e+15\n9007199254740992\n\
         123456789012.12\n0.0001234\n1.234e-05\n",
    );
}

#[test]
fn bits_are_those_of_32_bit_integers() {
    check(
        "print 6 & 3; print 6 | 3; print 6 ^ 3; print ~5; print 1 << 4; print -16 >> 2;
         print 1 << 31; let a = 12; let b = 10; print a & b | 1;",
        "2\n7\n5\n-6\n16\n1.07374e+09\n2.14748e+09\n9\n",
    );
    check_uncaught(
        "print 1 << 32;",
        "",
        &["Shift amount must be between 0 and 31."],
    );
}

#[test]
fn comparison_and_equality() {
    check(
        "print 1 < 2; print 2 <= 2; print 3 > 4; print 4 >= 5; print 1 == 1; print 1 != 1;
         print \"a\" == \"a\"; print \"a\" == \"b\"; print null == null; print null == false;
         print 0 == false; print [] == []; let l = []; print l == l; print \"1\" == 1;
         print true == true; print true != false; func f() {} print f == f; print len == len;",
        "true\ntrue\nfalse\nfalse\ntrue\nfalse\ntrue\nfalse\ntrue\nfalse\nfalse\nfalse\ntrue\n\
         false\ntrue\ntrue\ntrue\ntrue\n",
    );
}

#[test]
fn only_null_and_false_are_false() {
    check(
        "func t(x) { print x ? \"t\" : \"f\"; } t(0); t(\"\"); t([]); t({}); t(null); t(false);
         t(true);
         print !0; print !null; print 1 && 2; print null && 2; print null || 3; print 1 or 4;
         print 0 and 5; print false or null; print true and false;
         let n = 0; func touch() { n += 1; return true; }
         false && touch(); true || touch(); print n; true && touch(); print n;",
        "t\nt\nt\nt\nf\nf\nt\nfalse\ntrue\n2\nnull\n3\n1\n5\nnull\nfalse\n0\n1\n",
    );
}

#[test]
fn strings_and_templates() {
    check(
        "print \"a\" + \"b\"; print \"n=\" + 1.5; print 1 + \"x\"; print \"v \" + null + true;
         print \"raw \\n bytes\"; let w = \"w\"; print `hello ${w}, ${1 + 1}!`; print `${5}`;
         print `tab\\tend`; print `${1}${2}`; print `a${[1]}b`; print \"l: \" + {};",
        "ab\nn=1.5\n1x\nv nulltrue\nraw \\n bytes\nhello w, 2!\n5\ntab\tend\n3\na<object>b\n\
         l: <object>\n",
    );
}

#[test]
fn operands_are_evaluated_from_the_left_before_they_are_checked() {
    check(
        "let log = \"\"; func note(x) { log += x; return x; }
         resilient { note(\"a\") - note(\"b\"); } recovery (e) { print e; } print log;
         let i = 1; print i + (i = 5) + i; let l = [i, i = 7, i]; print l[0] + l[2];
         func f(a, b) { return a * 10 + b; } print f(i, i = 2);",
        "Operands must be numbers.\nab\n11\n12\n72\n",
    );
}

#[test]
fn wrong_operands_are_errors() {
    for (source, message) in [
        ("print 1 - \"a\";", "Operands must be numbers."),
        ("print [] + [];", "Operands must be numbers or strings."),
        ("print null + 1;", "Operands must be numbers or strings."),
        ("print -\"a\";", "Operand must be a number"),
        ("print \"a\" < \"b\";", "Operands must be numbers."),
        ("print true * 2;", "Operands must be numbers."),
        ("print 1 / 0;", "Division by zero."),
        ("let z = 0; print 1 / z;", "Division by zero."),
        ("print 1 % 0;", "Modulo by zero."),
        (
            "func d(a, b) { return a % b; } print d(1, to_int(\"0\"));",
            "Modulo by zero.",
        ),
    ] {
        check_uncaught(source, "", &[message]);
    }
}

/// A number that was looked at once is not looked at again; where it was not, it still is.
#[test]
fn what_is_known_of_a_variable_holds_where_it_was_found() {
    check(
        "func f(a, b) { let r = \"\"; if (b && a - 1 > 0) r += \"big \"; return r + a; }
         let g = f; print g(5, 2); print g(\"x\", false);
         func h(a, n) { for (let i = 0; i < n; i += 1) { a - 1; } return \"v\" + a; }
         let k = h; print k(\"s\", 0); print k(3, 2); resilient { k(\"s\", 1); }
         recovery (e) { print e; }
         func m(a) { switch (a) { case 1: { return a - 1; } case \"z\": return a + a; } return a; }
         let q = m; print q(1); print q(\"z\"); print q(\"y\");
         func w(a) { resilient { throw 1; a - 1; } recovery { } return a + \"!\"; } let ww = w;
         print ww(\"s\");
         func t(a, c) { let x = c ? a - 1 : a; return x; } let tt = t; print tt(\"s\", false);
         print tt(3, true);
         func l(a) { let i = 0; while (i < 2) { let y = a[i]; if (i == 0) y - 1;
         else print \"no \" + y; i += 1; } } let ll = l; ll([1, \"two\"]);
         func o(a, c) { return c && a - 1 || a + \"?\"; } let oo = o; print oo(\"s\", false);
         print oo(3, true);",
        "big 5\nx\nvs\nv3\nOperands must be numbers.\n0\nzz\ny\ns!\ns\n2\nno two\ns?\n2\n",
    );
}
