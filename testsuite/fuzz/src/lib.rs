//! Fuzz targets for both parsers, for the verifier against the lowering, and for channels and locks
//! against models.
//!
//! Each target is a function of bytes that panics when an invariant is broken; `tests/smoke.rs`
//! runs each for a moment, `cargo-fuzz/run` runs them under libFuzzer.

mod channels;
mod engines;
pub mod mutate;
pub mod random;
mod tasks;

pub use channels::{Fault, channels, channels_with};
pub use engines::engines;
pub use tasks::tasks;

use asr_codegen::air;
use proxplc::diag::SourceFile;

/// The AIR parser takes any bytes; what it accepts, printing and parsing brings back.
pub fn air_text(data: &[u8]) {
    let Ok(parsed) = air::parse(data) else { return };
    let text = air::print(&parsed.module);
    let Ok(again) = air::parse(text.as_bytes()) else {
        // A module that makes no sense need not come back: its printed form shows what is wrong.
        return;
    };
    assert_eq!(air::print(&again.module), text, "the printed form changes");
}

/// The front end takes any bytes; it accepts, or it has at least one finding.
pub fn prox_text(data: &[u8]) {
    let file = SourceFile::new("fuzz.prox", data.to_vec());
    if let Err(findings) = proxplc::compile::compile(&file, 1) {
        assert!(!findings.is_empty(), "refused without a finding");
    }
}
