//! Lists, dictionaries, natives, members of `std`.

mod common;
use common::{check, check_refused};

#[test]
fn lists() {
    check(
        "let l = [1, \"two\", null, [3]]; print len(l); print l[1]; print l[3][0]; l[0] = 9;
         print l[0];
         push(l, 5); print l[4]; print pop(l); print len(l); let m = l; m[0] = 1; print l[0];
         print [];
         print l[1.9]; print pop([]); let e = []; push(e, e); print len(e[0]); print [1, 2][1];",
        "4\ntwo\n3\n9\n5\n5\n4\n1\n[list]\ntwo\nnull\n1\n2\n",
    );
}

#[test]
fn dictionaries() {
    check(
        "let d = {\"a\": 1, \"b\": [2], \"a\": 3}; print d[\"a\"]; print d[\"b\"][0];
         print d[\"zz\"]; d[\"c\"] = 4; print len(d);
         print d; let k = \"x\"; d[k + 1] = true; print d[\"x1\"]; print {}; d[\"a\"] += 5;
         print d[\"a\"];
         for (let i = 0; i < 100; i += 1) d[\"k\" + i] = i; print d[\"k57\"]; print len(d);",
        "1\n2\nnull\n3\n{dictionary}\ntrue\n{dictionary}\n6\n57\n104\n",
    );
}

#[test]
fn string_natives() {
    check(
        "print len(\"abc\"); print substr(\"hello\", 1, 3); print char_at(\"abc\", 1);
         print upper(\"aBc\"); print lower(\"ABc\");
         print trim(\"  x \") + \"|\"; let p = split(\"a,b,,c\", \",\"); print len(p);
         print p[2] == \"\"; print replace(\"aXbX\", \"X\", \"-\");
         print contains(\"hello\", \"ell\"); print startswith(\"hello\", \"he\");
         print endswith(\"hello\", \"lo\"); print repeat(\"ab\", 3);
         print pad_left(\"7\", 3, \"0\"); print pad_right(\"7\", 3) + \"|\";
         print count_occurrences(\"aaaa\", \"aa\"); print str_reverse(\"abc\");
         print index_of(\"hello\", \"l\"); print index_of(\"hello\", \"l\", 3);
         print index_of(\"a\", \"z\"); print substr(\"abc\", 5, 1) == \"\";",
        "3\nell\nb\nABC\nabc\nx|\n4\ntrue\na-bX\ntrue\ntrue\ntrue\nababab\n007\n7  |\n2\ncba\n2\n\
        3\n-1\ntrue\n",
    );
}

#[test]
fn number_natives() {
    check(
        "print to_int(\"42abc\"); print to_int(3.9); print to_float(\"2.5\");
         print to_string(7) + \"!\"; print to_bool(\"\"); print to_hex(255);
         print to_bin(5); print abs(-3); print ceil(1.2); print floor(-1.2); print sqrt(2);
         print round(2.5); print round(3.14159, 2);
         print max(1, 5, 3); print min(4, 2); print pow(2, 8); print log(1); print sin(0);
         print sqrt(\"x\"); print len(5);
         let x = \"9\"; print sqrt(to_int(x)); print floor(to_float(\"7.7\")); print abs(\"s\");
         print to_bool(0);",
        "42\n3\n2.5\n7!\nfalse\n0xff\n0b101\n3\n2\n-2\n1.41421\n3\n3.14\n5\n2\n256\n0\n0\n0\n0\n\
        3\n7\ns\nfalse\n",
    );
}

#[test]
fn members_of_std() {
    check(
        "use std.core; use std.io, std.fs; print std.core.typeOf(1);
         print std.core.typeOf(\"s\"); print std.core.typeOf(null);
         print std.core.typeOf(true); print std.core.typeOf([]); std.io.println(\"p\");
         std.io.print_raw(\"a\"); std.io.print_raw(\"b\"); println();
         println(1.5); print std.fs.read_file(\"/nonexistent\"); print std.sys.OS_NAME;
         print len(std.sys.args()) > 0;
         print std.hash.md5(\"abc\"); std.core.assert(true); print std.fs.exists(\"/\");",
        "number\nstring\nnil\nbool\nobject\np\nab\n1.5\nnull\nLinux/Unix\ntrue\n\
         900150983cd24fb0d6963f7d28e17f72\ntrue\n",
    );
    check_refused("print std.math.abs(1);", &[("E0225", 1, 7)]);
    check_refused("let m = std;", &[("E0225", 1, 9)]);
}

#[test]
fn repairable_records() {
    check(
        "asr.handler(\"t\", func(r) { r[\"v\"] = 1; }); let r = asr.object(\"t\", {\"v\": 5});
         print r[\"v\"];
         r[\"v\"] = -1; asr.report(83886081, r); print r[\"v\"]; asr.check(r);
         let s = asr.stats(); print s[\"reported\"]; print s[\"inline_repaired\"];
         asr.handler(\"t\", func(r) { throw \"broken\"; }); resilient { asr.report(83886081, r);
         } recovery (e) { print e; }
         resilient { asr.check(r); print \"healthy\"; } recovery { print \"not healthy\"; }",
        "5\n1\n1\n1\nnot healthy\n",
    );
}
