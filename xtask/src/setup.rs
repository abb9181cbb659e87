//! System packages that the tests drive.
//!
//! Tests fail, and do not skip, when a tool is missing; so the tools come first. Where apt may be
//! used (root, or `sudo -n`), missing packages are installed; elsewhere they are named.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;

/// A file or program that must exist, and the Debian package that brings it.
struct Tool {
    package: &'static str,
    /// Program names, or absolute paths; one of them is enough.
    any_of: &'static [&'static str],
    why: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        package: "gcc",
        any_of: &["cc"],
        why: "links what the compiler emits",
    },
    Tool {
        package: "g++",
        any_of: &["c++"],
        why: "compiles the headers as C++17",
    },
    Tool {
        package: "gdb",
        any_of: &["gdb"],
        why: "line tables and unwind information",
    },
    Tool {
        package: "qemu-user",
        any_of: &["qemu-aarch64", "qemu-aarch64-static"],
        why: "runs aarch64 objects",
    },
    Tool {
        package: "gcc-aarch64-linux-gnu",
        any_of: &["aarch64-linux-gnu-gcc"],
        why: "links aarch64 objects",
    },
    Tool {
        package: "libc6-dev-arm64-cross",
        any_of: &["/usr/aarch64-linux-gnu/include/stdio.h"],
        why: "C library of the aarch64 stub",
    },
    Tool {
        package: "valgrind",
        any_of: &["valgrind"],
        why: "counts instructions of probes",
    },
    Tool {
        package: "libhwloc-dev",
        any_of: &["/usr/include/hwloc.h"],
        why: "builds the feature `hwloc`",
    },
];

/// `cargo xtask setup`.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    if let Some(arg) = args.first() {
        return Err(Failure::Misuse(format!(
            "`setup` takes no argument, got `{arg}`"
        )));
    }
    ensure()
}

/// Every tool is present when this returns.
pub(crate) fn ensure() -> Result<(), Failure> {
    let missing = missing();
    if missing.is_empty() {
        say!("== setup: all system packages are present");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    say!("== setup: missing {}", packages.join(" "));
    if !install(&packages) {
        let mut text = String::from("these system packages are missing:\n");
        for tool in &missing {
            text.push_str(&format!("  {:<24} {}\n", tool.package, tool.why));
        }
        text.push_str(&format!(
            "install them, for example: apt install {}",
            packages.join(" ")
        ));
        return Err(Failure::Step(text));
    }
    match self::missing().first() {
        None => Ok(()),
        Some(tool) => Err(Failure::Step(format!(
            "apt installed {}, but none of {:?} is there",
            tool.package, tool.any_of
        ))),
    }
}

fn missing() -> Vec<&'static Tool> {
    TOOLS
        .iter()
        .filter(|tool| !tool.any_of.iter().any(|name| exists(name)))
        .collect()
}

fn exists(name: &str) -> bool {
    if name.starts_with('/') {
        return Path::new(name).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir: PathBuf| dir.join(name).is_file())
}

/// Install with apt, as root or through `sudo -n`; false where that is not allowed or fails.
fn install(packages: &[&str]) -> bool {
    if !exists("apt-get") {
        return false;
    }
    let prefix: &[&str] = if succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        &[]
    } else if exists("sudo") && succeeds("sudo", &["-n", "true"]) {
        &["sudo", "-n"]
    } else {
        return false;
    };
    let apt = |args: &[&str]| {
        let words: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"])
            .chain(args.iter().copied())
            .collect();
        say!("== setup: {}", words.join(" "));
        Command::new(words[0])
            .args(&words[1..])
            .status()
            .is_ok_and(|status| status.success())
    };
    // A stale index is repaired by `update`; an index that cannot be refreshed may still do.
    let _ = apt(&["update"]);
    let mut args = vec!["install", "-y", "--no-install-recommends"];
    args.extend(packages);
    apt(&args)
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
