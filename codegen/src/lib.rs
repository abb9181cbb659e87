//! AIR, its passes, and the lowering to Cranelift.

pub mod air;
