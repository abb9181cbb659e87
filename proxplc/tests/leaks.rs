//! Paths that lose a handle: errors drawn on the source, warnings on request (ABI-31, OBL-28).

mod common;

use common::{Scratch, limited, proxplc, texts};

const LEAK: &[u8] = b"module \"leak\" unit 1
use tasks
export fn @main() throws {
  local %p: permit
  local %c: bool
entry:
  %p = intrinsic reserve(1)
  branch %c, keep, lose
keep:
  intrinsic commit(%p)
  return
lose:
  return
}
";

fn check(source: &[u8], args: &[&str]) -> (Option<i32>, String) {
    let dir = Scratch::new();
    let mut command = proxplc(&["check"]);
    command.arg(dir.file("leak.air", source)).args(args);
    let output = limited(command);
    (output.status.code(), texts(&output).1)
}

#[test]
fn abi_31_a_leak_is_an_error_or_on_request_a_warning() {
    let (status, error) = check(LEAK, &[]);
    assert_eq!(status, Some(65), "{error}");
    let (status, warning) = check(LEAK, &["--allow", "leaks"]);
    assert_eq!(status, Some(0), "{warning}");
    assert!(
        error.contains("[V0026] Error: the permit `%p` is still held"),
        "{error}"
    );
    assert!(
        warning.contains("[V0026] Warning: the permit `%p` is still held"),
        "{warning}"
    );
    // The same report but for that word, and the folder.
    let body = |text: &str| {
        let lines = text
            .lines()
            .skip(1)
            .filter(|line| !line.contains("leak.air"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(body(&warning).len() > 5, "{warning}");
    assert_eq!(body(&error), body(&warning));
}

#[test]
fn obl_34_the_path_is_drawn_on_the_source() {
    let (_, text) = check(LEAK, &[]);
    for part in [
        "leak.air:13:3",
        "it is held from here",
        "control goes to `lose`",
        "here",
    ] {
        assert!(text.contains(part), "no `{part}`:\n{text}");
    }
    let line = |part: &str| text.lines().position(|line| line.contains(part));
    let drawn = |n: &str| text.lines().any(|line| line.trim_start().starts_with(n));
    assert!(drawn("7 |") && drawn("8 |") && drawn("13 |"), "{text}");
    assert!(line("it is held") < line("control goes"), "{text}");
}

/// A use of a handle that is not held is an error whatever is allowed.
#[test]
fn abi_31_a_double_use_is_always_an_error() {
    let text = String::from_utf8_lossy(LEAK).replace("lose:\n", "lose:\n  intrinsic commit(%p)\n");
    let twice = text.replace(
        "  intrinsic commit(%p)\n  return\n}",
        "  intrinsic commit(%p)\n  \
                              intrinsic commit(%p)\n  return\n}",
    );
    assert_eq!(check(text.as_bytes(), &[]).0, Some(0));
    assert_eq!(check(twice.as_bytes(), &["--allow", "leaks"]).0, Some(65));
}
