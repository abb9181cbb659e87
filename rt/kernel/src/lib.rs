//! Thread state, checkpoint and code registry.
