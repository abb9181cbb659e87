//! The intrinsic tables of a whole program: the core's and the value library's, with the symbols
//! that runtime and library export. `intrinsics/tests` plants the mistakes that the check finds.

use asr_intrinsics::{CORE, SYNC, TASKS, check};

#[test]
fn abi_17_every_row_has_one_name_and_one_symbol() {
    // What deals with raw frames is no row.
    let frames = asr_rt::frames::symbols().map(|(name, _)| name);
    let all = asr_rt::symbols().into_iter().chain(asr_value::symbols());
    let mut rows: Vec<&str> = all
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("asr_i_") && !frames.contains(name))
        .collect();
    // The library's list holds the core's symbols too.
    rows.sort_unstable();
    rows.dedup();
    if let Err(errors) = check(&[&CORE, &TASKS, &SYNC, &asr_value::TABLE], &rows) {
        panic!("{errors:#?}");
    }
}

#[test]
fn val_34_every_fault_of_the_compiler_has_a_row() {
    use asr_abi::codes::{Series, find};
    use asr_codegen::air::fault::{
        BOUNDS, CONVERSION, DIVISION, NULL, OVERFLOW, RECURSION, UNREACHABLE,
    };
    let names = [
        (DIVISION, "DIVISION_BY_ZERO"),
        (CONVERSION, "CONVERSION"),
        (BOUNDS, "BOUNDS"),
        (NULL, "NULL_ACCESS"),
        (UNREACHABLE, "UNREACHABLE"),
        (RECURSION, "RECURSION_DEPTH"),
        (OVERFLOW, "OVERFLOW"),
    ];
    for (code, name) in names {
        assert_eq!(
            find(Series::A, code).map(|row| row.name),
            Some(name),
            "{code:08x}"
        );
    }
}
