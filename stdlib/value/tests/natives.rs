//! Natives: results and fallbacks of the language's table; nothing that a program passes panics.

mod common;

use asr_value::natives::{self, TABLE};
use asr_value::object::{Dict, List, Native, Record};
use asr_value::text::{self as texts, Style};
use asr_value::{Heap, Value};
use common::{config, cx, heap, native, string, text};
use proptest::prelude::*;

/// Calls a native with arguments written as in a program; the result as `print` shows it.
fn says(cx: &natives::Cx<'_>, name: &str, args: &[&str]) -> String {
    let args: Vec<Value> = args
        .iter()
        .map(|arg| match *arg {
            "null" => Value::NULL,
            "true" => Value::TRUE,
            "false" => Value::FALSE,
            "list" => List::make(cx.heap, 0).unwrap(),
            other => match other.parse::<f64>() {
                Ok(x) => Value::number(x),
                Err(_) => string(cx, other.trim_matches('"')),
            },
        })
        .collect();
    String::from_utf8(texts::of(native(cx, name, &args), Style::ToString)).unwrap()
}

#[test]
fn strings() {
    let cx = cx();
    for (name, args, result) in [
        ("substr", &["hello", "1", "3"][..], "ell"),
        ("substr", &["hello", "3", "99"], "lo"),
        ("substr", &["hello", "5", "1"], ""),
        ("substr", &["hello", "-1", "1"], ""),
        ("substr", &["hello", "1", "-1"], ""),
        ("substr", &["hello", "1"], "null"),
        ("char_at", &["abc", "1.9"], "b"),
        ("char_at", &["abc", "3"], "null"),
        ("char_at", &["abc", "-1"], "null"),
        ("upper", &["aBc1"], "ABC1"),
        ("lower", &["ABc"], "abc"),
        ("lower", &["1"], "null"),
        ("trim", &["\" \t x \n\""], "x"),
        ("trim_left", &["\"  x \""], "x "),
        ("trim_right", &["\"  x \""], "  x"),
        ("replace", &["aXbX", "X", "-"], "a-bX"),
        ("replace", &["ab", "\"\"", "-"], "ab"),
        ("replace", &["7", "a", "b"], "7"),
        ("contains", &["abc", "\"\""], "true"),
        ("contains", &["abc", "c"], "true"),
        ("contains", &["null", "c"], "false"),
        ("startswith", &["abc", "ab"], "true"),
        ("endswith", &["abc", "ab"], "false"),
        ("repeat", &["ab", "3"], "ababab"),
        ("repeat", &["ab", "-3"], ""),
        ("repeat", &["ab"], "null"),
        ("pad_left", &["x", "3", "\"0*\""], "00x"),
        ("pad_right", &["x", "3"], "x  "),
        ("pad_right", &["xyz", "2"], "xyz"),
        ("count_occurrences", &["aaaa", "aa"], "2"),
        ("count_occurrences", &["aaaa", "\"\""], "0"),
        ("str_reverse", &["abc"], "cba"),
        ("index_of", &["hello", "l"], "2"),
        ("index_of", &["hello", "l", "3"], "3"),
        ("index_of", &["\"\"", "\"\""], "-1"),
        ("index_of", &["hello", "z"], "-1"),
        ("index_of", &["hello", "l", "99"], "-1"),
        ("len", &["hello"], "5"),
        ("len", &["null"], "0"),
        ("len", &[], "0"),
    ] {
        assert_eq!(says(&cx, name, args), result, "{name}{args:?}");
    }
    for (s, separator, count) in [("a,b,,c", ",", 4), ("\"\"", ",", 1), ("abc", "\"\"", 3)] {
        let s = string(&cx, s.trim_matches('"'));
        let parts = native(&cx, "split", &[s, string(&cx, separator.trim_matches('"'))]);
        assert_eq!(parts.as_list().unwrap().len(), count);
    }
}

#[test]
fn numbers() {
    let cx = cx();
    for (name, args, result) in [
        ("to_int", &["42abc"][..], "42"),
        ("to_int", &["\" -7\""], "-7"),
        ("to_int", &["3e9"], "-2147483648"),
        ("to_int", &["true"], "1"),
        ("to_int", &["null"], "0"),
        ("to_float", &["\"2.5x\""], "2.5"),
        ("to_float", &["\"1e3\""], "1000"),
        ("to_float", &["\"1e\""], "1"),
        ("to_float", &["x"], "0"),
        ("to_bool", &["\"\""], "false"),
        ("to_bool", &["0"], "false"),
        ("to_bool", &["null"], "false"),
        ("to_bool", &["\"0 \""], "true"),
        ("to_bool", &["list"], "true"),
        ("to_hex", &["255"], "0xff"),
        ("to_hex", &["-1"], "0xffffffff"),
        ("to_hex", &["null"], "0x0"),
        ("to_bin", &["5"], "0b101"),
        ("abs", &["-3"], "3"),
        ("abs", &["x"], "x"),
        ("round", &["2.5"], "3"),
        ("round", &["-2.5"], "-3"),
        ("round", &["3.14159", "2"], "3.14"),
        ("max", &["1", "5", "3"], "5"),
        ("max", &["x", "-1"], "0"),
        ("max", &[], "null"),
        ("min", &["4", "null", "2"], "2"),
        ("pow", &["2", "8"], "256"),
        ("log", &["2.718"], "0.999896315728952"),
        ("log", &["8", "2"], "3"),
        ("exp", &["1"], "2.71828182845905"),
        ("sqrt", &["x"], "0"),
        ("sqrt", &["-1"], "nan"),
        ("floor", &["-1.2"], "-2"),
        ("ceil", &["1.2"], "2"),
        ("randint", &["x"], "0"),
        ("to_string", &[], ""),
        ("to_string", &["list"], "<object>"),
    ] {
        assert_eq!(says(&cx, name, args), result, "{name}{args:?}");
    }
    for _ in 0..1000 {
        let x = native(&cx, "random", &[]).as_number().unwrap();
        assert!((0.0..1.0).contains(&x));
        let die = native(&cx, "randint", &[Value::int(6), Value::int(1)]);
        assert!((1.0..=6.0).contains(&die.as_number().unwrap()));
        native(&cx, "random", &[Value::int(i32::MIN), Value::int(i32::MAX)]);
    }
    let again = || {
        native(&cx, "seed", &[Value::int(7)]);
        native(&cx, "random", &[])
    };
    assert_eq!(again(), again());
    assert!(native(&cx, "clock", &[]).as_number().unwrap() > 0.0);
}

/// The numbers are those that glibc's `srand` and `rand` give.
#[allow(unsafe_code, reason = "asks the C library for the same numbers")]
#[test]
fn random_numbers_are_those_of_the_c_library() {
    let cx = cx();
    for seed in [0, 1, 42, 2026, i32::MIN, -1] {
        native(&cx, "seed", &[Value::int(seed)]);
        // SAFETY: no other test of this process uses the generator.
        unsafe { libc::srand(seed as u32) };
        for n in 0..1000 {
            let most = Value::int(i32::MAX);
            let random = native(&cx, "random", &[most]).as_number();
            // SAFETY: as above.
            let expected = unsafe { libc::rand() };
            assert_eq!(random, Some(f64::from(expected)), "seed {seed}, number {n}");
        }
    }
}

#[test]
fn the_library() {
    let cx = cx();
    for (arg, kind) in [
        ("1", "number"),
        ("x", "string"),
        ("null", "nil"),
        ("true", "bool"),
        ("list", "object"),
    ] {
        assert_eq!(says(&cx, "std.core.typeOf", &[arg]), kind);
    }
    let id = natives::by_name("len").unwrap();
    let value = Native::make(cx.heap, id).unwrap();
    assert_eq!(text(native(&cx, "std.core.typeOf", &[value])), "native");
    let path = std::env::temp_dir().join(format!("asr-value-{}", std::process::id()));
    let file = path.to_str().unwrap();
    assert_eq!(says(&cx, "std.fs.write_file", &[file, "one"]), "true");
    assert_eq!(says(&cx, "std.fs.append_file", &[file, "two"]), "true");
    assert_eq!(says(&cx, "std.fs.read_file", &[file]), "onetwo");
    assert_eq!(says(&cx, "std.fs.exists", &[file]), "true");
    assert_eq!(says(&cx, "std.fs.remove", &[file]), "true");
    assert_eq!(says(&cx, "std.fs.exists", &[file]), "false");
    assert_eq!(says(&cx, "std.fs.read_file", &[file]), "null");
    assert_eq!(says(&cx, "std.fs.read_file", &["1"]), "null");
    assert_eq!(says(&cx, "std.sys.env", &["\"A=\""]), "null");
    assert_eq!(says(&cx, "std.core.assert", &["true"]), "null");
    *cx.heap.args.borrow_mut() = vec![b"prog".to_vec(), b"x".to_vec()].into();
    let args = native(&cx, "std.sys.args", &[]);
    assert_eq!(text(args.as_list().unwrap().get(1).unwrap()), "x");
    cx.heap.output().take();
    native(&cx, "std.io.write", &[Value::number(1e6)]);
    native(&cx, "println", &[]);
    native(&cx, "std.io.print", &[Value::NULL]);
    assert_eq!(cx.heap.output().take(), b"1e+06\nnull\n");
}

#[test]
fn names_are_unique() {
    for (at, native) in TABLE.iter().enumerate() {
        assert_eq!(
            natives::by_name(native.name),
            Some(at as u32),
            "{}",
            native.name
        );
    }
    assert_eq!(natives::by_name("nope"), None);
    let cx = cx();
    assert!(natives::call(&cx, u32::MAX, &[]).is_err());
}

/// These end the process, wait for input or change the world outside.
const NOT_HERE: &[&str] = &[
    "std.sys.exit",
    "std.core.assert",
    "std.core.unwrap",
    "input",
    "std.io.input",
    "std.io.input_raw",
    "std.fs.write_file",
    "std.fs.append_file",
    "std.fs.remove",
    "std.fs.read_file",
    "std.io.eprint_raw",
    "asr.handler",
];

fn argument() -> impl Strategy<Value = u32> {
    any::<u32>()
}

/// A value of any kind from a number.
fn value(cx: &natives::Cx<'_>, n: u32) -> Value {
    let doubles = [
        0.5,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        -f64::INFINITY,
        1e300,
        -1e300,
        5e-324,
    ];
    match n % 11 {
        0 => Value::NULL,
        1 => Value::bool(n & 16 != 0),
        2 => Value::UNDEFINED,
        3 => Value::int((n >> 4) as i32 % 100 - 20),
        4 => Value::double(doubles[(n >> 4) as usize % doubles.len()]),
        5 => Value::int(if n & 16 == 0 { i32::MIN } else { i32::MAX }),
        6 => string(
            cx,
            ["", "a", "abcabc", " 12x", "-", "1e", "ab\u{fffd}"][(n >> 4) as usize % 7],
        ),
        7 => List::of(cx.heap, &[Value::NULL]).unwrap(),
        8 => Dict::make(cx.heap).unwrap(),
        9 => Native::make(cx.heap, n >> 4).unwrap(),
        _ => {
            let dict = Dict::make(cx.heap).unwrap();
            Record::make(cx.heap, 0x7e57, Value::NULL, dict.as_dict().unwrap()).unwrap()
        }
    }
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn nothing_that_a_program_passes_panics(
        which in 0..TABLE.len(), args in prop::collection::vec(argument(), 0..5), small: bool,
    ) {
        let native = &TABLE[which];
        if !NOT_HERE.contains(&native.name) {
            let cx = heap(if small { 64 << 10 } else { 4 << 20 });
            let args: Vec<Value> = args.iter().map(|n| value(&cx, *n)).collect();
            let (Ok(v) | Err(asr_value::Thrown(v))) = (native.run)(&cx, &args);
            texts::of(v, Style::Print);
            #[allow(unsafe_code, reason = "frees what the case used")]
            // SAFETY: no value is used again; no handler was registered, and a record that was
            // reported has none, so it is in quarantine and in no queue.
            unsafe { Heap::detach(cx.th) };
        }
    }
}
