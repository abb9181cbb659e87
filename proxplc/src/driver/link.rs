//! From an object file to an executable: `cc` links it with the archive.

use std::path::Path;
use std::process::{Command, Stdio};

use super::archive;

/// Libraries that the archive needs.
const LIBRARIES: &[&str] = &["-lpthread", "-ldl", "-lm"];

/// Lines of the linker's messages that are shown; the first ones tell what is wrong.
const SAID_LINES_MAX: usize = 12;

/// Link `object` to the executable `output`.
///
/// # Errors
/// The code of the error and a sentence.
pub(super) fn link(object: &[u8], output: &Path) -> Result<(), (&'static str, String)> {
    use crate::diag::code;
    let archive = archive::find().map_err(|problem| (code::ARCHIVE, problem))?;
    let scratch = Scratch::new().map_err(|e| (code::FILE, format!("no temporary folder: {e}")))?;
    let path = scratch.0.join("program.o");
    std::fs::write(&path, object)
        .map_err(|e| (code::FILE, format!("cannot write a temporary file: {e}")))?;
    let mut cc = Command::new(std::env::var_os("CC").unwrap_or("cc".into()));
    cc.arg("-o").arg(output).arg(path).arg(archive);
    cc.args(LIBRARIES)
        .arg("-Wl,--gc-sections")
        .stdin(Stdio::null());
    match cc.output() {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            let said: Vec<&str> = said.lines().take(SAID_LINES_MAX).collect();
            let said = said.join("\n");
            Err((
                code::LINK,
                format!("the linker refused ({}):\n{said}", done.status),
            ))
        }
        Err(error) => Err((
            code::LINK,
            format!("cannot run 'cc': {error}; it is needed to link"),
        )),
    }
}

/// A temporary folder that goes away.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.subsec_nanos());
        let name = format!("proxplc-{}-{nanos}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it; the system cleans up what is left.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
