//! The ProXPL compiler: check, run, build, emit.
