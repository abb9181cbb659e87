//! The files that a check reads: those of the checkout, or a few planted ones.

use std::path::Path;
use std::process::Command;

/// One text file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path below the top, with `/`.
    pub path: String,
    /// The whole text; empty for a file that is not UTF-8.
    pub text: String,
}

/// A set of files.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// In order of their paths.
    pub files: Vec<File>,
}

impl Tree {
    /// A tree of these (path, text) pairs.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let file = |&(path, text): &(&str, &str)| File {
            path: path.into(),
            text: text.into(),
        };
        Tree {
            files: files.iter().map(file).collect(),
        }
    }

    /// The files of the checkout at `top`: what git tracks or would track, else a walk that leaves
    /// out build output.
    pub fn checkout(top: &Path) -> Tree {
        let mut paths = tracked(top).unwrap_or_else(|| walked(top));
        paths.sort();
        paths.dedup();
        let file = |path: String| {
            let bytes = std::fs::read(top.join(&path)).ok()?;
            Some(File {
                path,
                text: String::from_utf8(bytes).unwrap_or_default(),
            })
        };
        Tree {
            files: paths.into_iter().filter_map(file).collect(),
        }
    }

    /// Files whose name ends in `ending`.
    pub fn ending(&self, ending: &str) -> impl Iterator<Item = &File> {
        let ending = ending.to_owned();
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(&ending))
    }

    /// The file of this path.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn tracked(top: &Path) -> Option<Vec<String>> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git")
        .args(list)
        .current_dir(top)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.is_empty()).then(|| text.lines().map(str::to_owned).collect())
}

fn walked(top: &Path) -> Vec<String> {
    let (mut paths, mut dirs) = (Vec::new(), vec![top.to_path_buf()]);
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if name == "target" || name == ".git" {
                continue;
            }
            if path.is_dir() {
                dirs.push(path);
            } else if let Ok(below) = path.strip_prefix(top) {
                paths.push(below.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    paths
}
