//! What probes cost, counted by callgrind: exact, so a bound can be a test. The whole table is
//! printed by `cargo xtask bench probes`.

use asr_testsuite::probe_cost::{Cost, kernel, measure};

/// Instructions per iteration that a probe may add to a counted loop of 1024 trips or more.
const COUNTED_MAX: f64 = 0.05;

#[test]
fn abi_2_strip_mined_loops_pay_a_twentieth_of_an_instruction() {
    for name in ["count", "nest"] {
        let kernel = kernel(name).unwrap_or_else(|error| panic!("{error}"));
        let Cost { off, auto } = measure(&kernel).unwrap_or_else(|error| panic!("{error}"));
        assert!(
            auto - off <= COUNTED_MAX,
            "{name}: {off} without probes, {auto} with"
        );
    }
}
