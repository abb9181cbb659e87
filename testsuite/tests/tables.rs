//! The intrinsic tables of a whole program: the core's and the value library's, with the symbols
//! that runtime and library export. `intrinsics/tests` plants the mistakes that the check finds.

use asr_intrinsics::{CORE, check};

#[test]
fn abi_17_every_row_has_one_name_and_one_symbol() {
    let symbols: Vec<&str> = asr_rt::symbols()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let rows: Vec<&str> = symbols
        .into_iter()
        .filter(|name| name.starts_with("asr_i_"))
        .collect();
    if let Err(errors) = check(&[&CORE], &rows) {
        panic!("{errors:#?}");
    }
}
