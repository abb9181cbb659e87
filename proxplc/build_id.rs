//! The identity of a build of compiler and runtime: one number for all sources that compiled code
//! and the runtime must agree on, the profile and the compiler. Included by two build scripts, that
//! of `proxplc` and that of the archive, so that both come to the same number.

use std::path::{Path, PathBuf};

/// What counts, relative to the root of the workspace.
const ROOTS: &[&str] = &[
    "Cargo.lock",
    "abi",
    "intrinsics",
    "codegen/src",
    "rt",
    "stdlib",
    "proxplc/archive",
];

/// Compute the number and hand it to the crate as `ASR_BUILD_ID`.
pub(crate) fn emit_build_id(workspace: &Path) {
    let mut files = Vec::new();
    for root in ROOTS {
        let path = workspace.join(root);
        println!("cargo::rerun-if-changed={}", path.display());
        collect(&path, &mut files);
    }
    files.sort();
    let mut hash = Fnv([0xcbf2_9ce4_8422_2325, 0x8422_2325_cbf2_9ce4]);
    for file in &files {
        let name = file.strip_prefix(workspace).unwrap_or(file);
        hash.add(name.to_string_lossy().as_bytes());
        hash.add(&std::fs::read(file).unwrap_or_default());
    }
    for variable in ["PROFILE", "TARGET", "CARGO_PKG_VERSION"] {
        hash.add(std::env::var(variable).unwrap_or_default().as_bytes());
    }
    println!(
        "cargo::rustc-env=ASR_BUILD_ID={:016x}{:016x}",
        hash.0[0], hash.0[1]
    );
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        let counts = ["rs", "toml", "lock", "h", "c"];
        if path
            .extension()
            .is_some_and(|e| counts.iter().any(|c| e == *c))
        {
            files.push(path.to_path_buf());
        }
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name() != "target" {
            collect(&entry.path(), files);
        }
    }
}

/// FNV-1a, twice with different beginnings.
struct Fnv([u64; 2]);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for hash in &mut self.0 {
            for byte in bytes.iter().copied().chain([0xff]) {
                *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
}
