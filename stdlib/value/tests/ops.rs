//! Operators: results, coercions, every message.

mod common;

use asr_value::object::{Dict, List};
use asr_value::ops::arith::{self, Binary, to_i32};
use asr_value::ops::{compare, index};
use asr_value::{Res, Value};
use common::{cx, message, string, text};

fn n(x: f64) -> Value {
    Value::number(x)
}

#[test]
fn sums_and_joins() {
    let cx = cx();
    let add = |a, b| arith::add(cx.heap, a, b);
    let s = |t: &str| string(&cx, t);
    assert_eq!(add(n(2.0), n(3.0)), Ok(Value::int(5)));
    assert_eq!(add(n(0.5), n(1.0)), Ok(Value::double(1.5)));
    let big = Value::int(i32::MAX);
    assert_eq!(
        add(big, Value::int(1)).unwrap().as_number(),
        Some(2_147_483_648.0)
    );
    let list = List::make(cx.heap, 0).unwrap();
    for (a, b, joined) in [
        (s("a"), s("b"), "ab"),
        (s("n="), n(1.0 / 3.0), "n=0.33333333333333"),
        (n(1e6), s("!"), "1000000!"),
        (s(""), Value::NULL, "null"),
        (Value::TRUE, s("?"), "true?"),
        (s("x"), list, "x<object>"),
        (s(""), s("same"), "same"),
        (s("same"), s(""), "same"),
    ] {
        assert_eq!(text(add(a, b).unwrap()), joined);
    }
    for (a, b) in [(n(1.0), Value::NULL), (list, list), (Value::TRUE, n(1.0))] {
        assert_eq!(message(add(a, b)), "Operands must be numbers or strings.");
    }
}

#[test]
fn numbers_alone() {
    let cx = cx();
    let op = |op, a: f64, b: f64| arith::binary(cx.heap, op, n(a), n(b)).map(|v| v.as_number());
    let yes = |x: f64| Ok(Some(x));
    assert_eq!(op(Binary::Sub, 1.0, 2.5), yes(-1.5));
    assert_eq!(op(Binary::Mul, 1e5, 1e5), yes(1e10));
    assert_eq!(op(Binary::Div, 1.0, 4.0), yes(0.25));
    assert_eq!(op(Binary::Rem, -7.0, 3.0), yes(-1.0));
    assert_eq!(op(Binary::Pow, 2.0, 10.0), yes(1024.0));
    assert_eq!(op(Binary::And, 12.0, 10.0), yes(8.0));
    assert_eq!(op(Binary::Or, 12.9, 10.0), yes(14.0));
    assert_eq!(op(Binary::Xor, -1.0, 1.0), yes(-2.0));
    assert_eq!(op(Binary::And, 3e9, -1.0), yes(-2147483648.0));
    assert_eq!(op(Binary::Shl, 1.0, 31.0), yes(2147483648.0));
    assert_eq!(op(Binary::Shr, -16.0, 2.0), yes(1073741820.0));
    assert_eq!(op(Binary::Shl, 1.0, 0.9), yes(1.0));
    for count in [32.0, -1.0, f64::NAN, 1e20] {
        let text = "Shift amount must be between 0 and 31.";
        assert_eq!(message(op(Binary::Shl, 1.0, count)), text);
        assert_eq!(message(op(Binary::Shr, 1.0, count)), text);
    }
    for zero in [0.0, -0.0] {
        assert_eq!(message(op(Binary::Div, 1.0, zero)), "Division by zero.");
        assert_eq!(message(op(Binary::Rem, 1.0, zero)), "Modulo by zero.");
    }
    let s = string(&cx, "1");
    for name in [Binary::Sub, Binary::Div, Binary::And, Binary::Shl] {
        let wrong = arith::binary(cx.heap, name, s, n(0.0));
        assert_eq!(message(wrong), "Operands must be numbers.");
    }
    assert_eq!(
        arith::neg(cx.heap, n(0.0))
            .unwrap()
            .as_number()
            .map(f64::to_bits),
        Some(1 << 63)
    );
    assert_eq!(
        arith::neg(cx.heap, Value::int(i32::MIN))
            .unwrap()
            .as_number(),
        Some(2147483648.0)
    );
    let text = "Operand must be a number or implement operator-.";
    assert_eq!(message(arith::neg(cx.heap, s)), text);
    assert_eq!(arith::bit_not(cx.heap, n(0.0)), Ok(Value::int(-1)));
    assert_eq!(
        message(arith::bit_not(cx.heap, s)),
        "Operand must be a number."
    );
}

#[test]
fn casts_are_those_of_c_on_x86() {
    for (x, i) in [
        (2.9, 2),
        (-2.9, -2),
        (2147483647.9, i32::MAX),
        (2147483648.0, i32::MIN),
        (-2147483648.9, i32::MIN),
        (-2147483649.0, i32::MIN),
        (f64::INFINITY, i32::MIN),
        (f64::NAN, i32::MIN),
    ] {
        assert_eq!(to_i32(x), i, "{x}");
    }
}

#[test]
fn equality_and_order() {
    let cx = cx();
    let (a, b) = (string(&cx, "abc"), string(&cx, "abc"));
    let (l, m) = (
        List::make(cx.heap, 0).unwrap(),
        List::make(cx.heap, 0).unwrap(),
    );
    assert!(compare::equal(a, b) && compare::equal(l, l) && !compare::equal(l, m));
    assert!(compare::equal(Value::int(1), Value::double(1.0)));
    assert!(compare::equal(Value::int(0), Value::double(-0.0)));
    assert!(!compare::equal(
        Value::double(f64::NAN),
        Value::double(f64::NAN)
    ));
    assert!(!compare::equal(Value::int(0), Value::FALSE));
    assert!(!compare::equal(Value::NULL, Value::FALSE));
    assert!(!compare::equal(a, Value::int(1)) && !compare::equal(a, string(&cx, "abd")));
    assert_eq!(compare::less(cx.heap, n(1.0), n(1.5)), Ok(true));
    assert_eq!(compare::less(cx.heap, n(f64::NAN), n(1.0)), Ok(false));
    assert_eq!(
        message(compare::less(cx.heap, a, b)),
        "Operands must be numbers."
    );
}

#[test]
fn elements_and_members() {
    let cx = cx();
    let list = List::of(cx.heap, &[n(1.0), n(2.0)]).unwrap();
    let dict = Dict::make(cx.heap).unwrap();
    let key = string(&cx, "k");
    let get = |o, i| index::get(cx.heap, o, i);
    let set = |o, i, v| index::set(cx.heap, o, i, v);
    assert_eq!(get(list, n(1.9)), Ok(Value::int(2)));
    assert_eq!(get(list, n(-0.9)), Ok(Value::int(1)));
    assert_eq!(set(list, n(0.0), key), Ok(()));
    assert_eq!(get(list, n(0.0)), Ok(key));
    for i in [2.0, -1.0, 1e300, f64::NAN, f64::INFINITY] {
        assert_eq!(message(get(list, n(i))), "List index out of bounds.", "{i}");
        assert_eq!(
            message(set(list, n(i), key)),
            "List index out of bounds.",
            "{i}"
        );
    }
    assert_eq!(message(get(list, key)), "List index must be a number.");
    assert_eq!(
        message(set(list, Value::NULL, key)),
        "List index must be a number."
    );
    assert_eq!(get(dict, key), Ok(Value::NULL));
    assert_eq!(set(dict, key, list), Ok(()));
    assert_eq!(get(dict, string(&cx, "k")), Ok(list));
    assert_eq!(
        message(get(dict, n(1.0))),
        "Dictionary key must be a string."
    );
    assert_eq!(
        message(set(dict, list, key)),
        "Dictionary key must be a string."
    );
    for o in [key, n(1.0), Value::NULL, Value::UNDEFINED] {
        assert_eq!(
            message(get(o, n(0.0))),
            "Can only index lists and dictionaries."
        );
        assert_eq!(
            message(set(o, n(0.0), o)),
            "Can only index lists and dictionaries."
        );
        let member: Res = index::member(cx.heap, o, key);
        assert_eq!(
            message(member),
            "Only instances and modules have properties."
        );
        let set = index::set_member(cx.heap, o, key, o);
        assert_eq!(message(set), "Only instances have fields.");
    }
    assert_eq!(index::init(cx.heap, dict, key, n(9.0)), Ok(()));
    assert_eq!(get(dict, key), Ok(list), "the first of equal keys wins");
    let wrong = index::init(cx.heap, dict, n(1.0), key);
    assert_eq!(message(wrong), "Dictionary key must be a string.");
}
