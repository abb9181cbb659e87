//! AIR, its passes, and the lowering to Cranelift.
