//! Fuzz targets for both parsers and for the verifier against the lowering.

pub mod bytes;
pub mod generate;
pub mod mutate;
