//! The static library that executables link: runtime and library parts in use.
//!
//! It carries the identity of its build, as text, which `proxplc build` compares with its own
//! before it links: compiled code and runtime agree on layouts by being of one build.

#![allow(unsafe_code, reason = "an exported symbol that the linker must keep")]

// Naming the crates is what puts their exported functions into the archive.
pub use {asr_rt, asr_value};

/// The identity of this build, behind a mark that is found by searching the archive.
// SAFETY: the name begins with the prefix of this project; no other symbol has it.
#[unsafe(no_mangle)]
#[used]
pub static ASR_BUILD_ID: [u8; 45] = *mark();

const fn mark() -> &'static [u8; 45] {
    match concat!("asr-build-id:", env!("ASR_BUILD_ID"))
        .as_bytes()
        .as_array()
    {
        Some(mark) => mark,
        None => panic!("the identity has 32 digits"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_mark_is_complete() {
        assert!(super::ASR_BUILD_ID.starts_with(b"asr-build-id:"));
    }
}
