//! Fuzz targets for both parsers and for the verifier against the lowering.
