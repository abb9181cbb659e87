//! Numbers as text, held against the C library's `printf` on arbitrary doubles.
#![allow(unsafe_code, reason = "calls snprintf")]

use asr_value::text::{Style, number};
use proptest::prelude::*;

/// What C's `%.{digits}g` gives.
fn percent_g(x: f64, digits: i32) -> Vec<u8> {
    let mut buffer = [0u8; 64];
    // SAFETY: an int and a double, as the format says; at most 64 bytes are written.
    let len = unsafe {
        let format = c"%.*g".as_ptr();
        libc::snprintf(
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            format,
            digits,
            x.abs(),
        )
    };
    let sign: &[u8] = if x.is_sign_negative() { b"-" } else { b"" };
    [sign, &buffer[..len as usize]].concat()
}

/// C's `x == (double)(int64_t)x` on x86, where a cast that does not fit gives the least integer.
fn is_integer(x: f64) -> bool {
    let fits = (-9223372036854775808.0..9223372036854775808.0).contains(&x);
    fits && x.trunc() == x
}

fn check(x: f64) {
    assert_eq!(number(x, Style::Print), percent_g(x, 6), "{x:e}");
    for (style, digits) in [(Style::Join, 14), (Style::ToString, 15)] {
        let expected = if is_integer(x) {
            format!("{}", x as i128).into_bytes()
        } else {
            percent_g(x, digits)
        };
        assert_eq!(number(x, style), expected, "{x:e} {style:?}");
    }
}

#[test]
fn borders() {
    for power in -1074..1024 {
        let x = 2f64.powi(power);
        for x in [x, x.next_up(), x.next_down()] {
            check(x);
            check(-x);
        }
    }
    for power in -30..30 {
        let x = 10f64.powi(power);
        for x in [x, x.next_up(), x.next_down(), x - 0.5, x + 0.5] {
            check(x);
            check(-x);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bits(bits: u64) {
        let x = f64::from_bits(bits);
        prop_assume!(!x.is_nan());
        check(x);
    }

    #[test]
    fn integers_and_short_fractions(n: i32, digits in 0i32..12) {
        check(f64::from(n));
        check(f64::from(n) / 10f64.powi(digits));
    }
}
