//! The archive that executables link: where it is, and whether it is of this build.
//!
//! Order: `ASR_LIB_DIR`; beside this executable, or one folder up (tests); in a checkout, what
//! `cargo build -p asr-archive` makes, with its progress shown. The archive of another build is
//! refused, because compiled code and runtime agree on layouts only by being of one build; a stale
//! one beside the executable is built anew first, if this is a checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The identity of this build; the archive carries it too.
const BUILD_ID: &str = env!("ASR_BUILD_ID");
/// What stands before the identity in the archive.
const MARK: &[u8] = b"asr-build-id:";
const FILE_NAME: &str = "libasr_archive.a";

/// Find the archive of this build.
///
/// # Errors
/// A sentence that says what is missing or wrong, and what to do.
pub(super) fn find() -> Result<PathBuf, String> {
    if let Some(dir) = std::env::var_os("ASR_LIB_DIR") {
        let path = PathBuf::from(dir).join(FILE_NAME);
        return check(&path).map(|()| path);
    }
    let exe = std::env::current_exe().map_err(|e| format!("cannot find this executable: {e}"))?;
    let near = exe
        .ancestors()
        .skip(1)
        .take(2)
        .map(|dir| dir.join(FILE_NAME))
        .find(|p| p.is_file());
    let problem = match near {
        Some(path) => match check(&path) {
            Ok(()) => return Ok(path),
            Err(problem) => problem,
        },
        None => format!("there is no {FILE_NAME} beside {}", exe.display()),
    };
    let Some(workspace) = checkout() else {
        return Err(format!(
            "{problem}; set ASR_LIB_DIR to the folder that holds it"
        ));
    };
    let path = build(&workspace, &exe)?;
    // The archive is fresh; if it still differs, it is the compiler that is old.
    let again = |problem| format!("{problem}; the sources have changed, build proxplc again");
    check(&path).map(|()| path).map_err(again)
}

/// Whether the archive at `path` is of this build.
fn check(path: &Path) -> Result<(), String> {
    let bytes =
        std::fs::read(path).map_err(|e| format!("cannot read '{}': {e}", path.display()))?;
    let found = position(&bytes, MARK).map(|at| at + MARK.len());
    match found.and_then(|at| bytes.get(at..at + BUILD_ID.len())) {
        Some(id) if id == BUILD_ID.as_bytes() => Ok(()),
        Some(id) => Err(format!(
            "'{}' is of build {}, this compiler of build {BUILD_ID}",
            path.display(),
            String::from_utf8_lossy(id)
        )),
        None => Err(format!(
            "'{}' is no archive of this runtime",
            path.display()
        )),
    }
}

/// Where `what` first stands in `bytes`; Horspool's search, because an archive with debug
/// information has a hundred megabytes.
fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let last = what.len().checked_sub(1)?;
    let mut shift = [what.len(); 256];
    for (at, byte) in what[..last].iter().enumerate() {
        shift[*byte as usize] = last - at;
    }
    let mut at = 0;
    while let Some(window) = bytes.get(at..at + what.len()) {
        if window == what {
            return Some(at);
        }
        at += shift[window[last] as usize];
    }
    None
}

/// The workspace that this compiler was built in, if it is still there.
fn checkout() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    workspace
        .join("Cargo.toml")
        .is_file()
        .then(|| workspace.to_path_buf())
}

/// Build the archive in the profile and folder of this executable.
fn build(workspace: &Path, exe: &Path) -> Result<PathBuf, String> {
    let mut dir = exe.parent().unwrap_or(Path::new("."));
    if dir.ends_with("deps") {
        dir = dir.parent().unwrap_or(dir);
    }
    eprintln!("building the runtime archive, once for this build ...");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo
        .current_dir(workspace)
        .args(["build", "-p", "asr-archive"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    if let Some(target) = dir.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let status = cargo.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(dir.join(FILE_NAME)),
        Ok(status) => Err(format!("'cargo build -p asr-archive' ended with {status}")),
        Err(error) => Err(format!("cannot run cargo: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_it_first_stands() {
        assert_eq!(position(b"abcabcd", b"abcd"), Some(3));
        assert_eq!(position(b"aaaab", b"aab"), Some(2));
        assert_eq!(position(b"abc", b"abcd"), None);
        assert_eq!(position(b"", b"a"), None);
    }

    #[test]
    fn an_archive_of_another_build_is_refused() {
        let dir = std::env::temp_dir().join(format!("asr-archive-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a temporary folder");
        let path = dir.join(FILE_NAME);
        let write = |text: &str| std::fs::write(&path, text).expect("it can be written");
        write(&format!("!<arch> asr-build-id:{BUILD_ID} more"));
        assert_eq!(check(&path), Ok(()));
        write(&format!(
            "!<arch> asr-build-id:{} more",
            "0".repeat(BUILD_ID.len())
        ));
        assert!(check(&path).is_err_and(|e| e.contains("is of build 000")));
        write("!<arch>");
        assert!(check(&path).is_err_and(|e| e.contains("no archive")));
        assert!(check(&dir.join("none")).is_err_and(|e| e.contains("cannot read")));
        std::fs::remove_dir_all(dir).expect("it can be removed");
    }
}
