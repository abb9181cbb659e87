//! The directives of a filetest, read from its comments.

use super::check::Rule;

/// One `; test` directive with the checks that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The words after `test`, for example `["lower", "clif"]`.
    pub words: Vec<String>,
    /// Line of the directive, from 1.
    pub line: usize,
    /// Its checks, in order.
    pub checks: Vec<Check>,
    /// Lines of the whole output, where the file holds it.
    pub golden: Vec<String>,
}

/// One check on an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What must hold.
    pub rule: Rule,
    /// The text it is about.
    pub text: String,
    /// Line in the file, from 1.
    pub line: usize,
}

/// An error that the parser or verifier must report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedError {
    /// Line in the file, from 1.
    pub line: usize,
    /// The code, for example `V0012`, and a part of the message.
    pub text: String,
}

/// What the checkpoint answers while a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Armed {
    /// The flag is clear: no probe takes its cold path.
    Clear,
    /// The flag is set; every probe takes its cold path and is answered `OK`.
    Slow,
    /// As `Slow`, but the n-th probe (from 1) is answered `CANCELLED`.
    Cancel(u64),
    /// As `Slow`, but in asynchronous functions every other probe is answered `PENDING`.
    Suspend,
    /// As `Suspend`, and all tasks are cancelled after the n-th suspension.
    Stop(u64),
    /// As `Suspend`, and all tasks are dropped after the n-th suspension, without any cleanup.
    Drop(u64),
}

/// How a call must end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// `== literal`: status `OK` and this value, in the text form of the result's type.
    Value(String),
    /// `threw [code]`: status `THREW`; with a code, the fault of this code.
    Threw(Option<u32>),
    /// `status n`.
    Status(u64),
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Line in the file, from 1.
    pub line: usize,
    /// Whether probes take the cold path.
    pub armed: Armed,
    /// Function, without `@`.
    pub func: String,
    /// Arguments in text form.
    pub args: Vec<String>,
    /// How it must end.
    pub expected: Expectation,
    /// How many probes must have taken the cold path.
    pub probes: Option<u64>,
}

/// A filetest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// Name for messages, usually the path below `codegen/filetests`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// What to do, in order.
    pub commands: Vec<Command>,
    /// Expected errors.
    pub errors: Vec<ExpectedError>,
    /// Calls.
    pub runs: Vec<Run>,
}

impl Case {
    /// Whether a directive `; test word ...` stands in the file.
    pub fn has(&self, word: &str) -> bool {
        self.commands.iter().any(|command| command.words[0] == word)
    }

    /// The directive of exactly these words.
    pub fn command(&self, words: &[&str]) -> Option<&Command> {
        self.commands.iter().find(|command| command.words == words)
    }
}

/// Read the directives of `text`.
///
/// # Errors
/// The first directive that is not one, with its line.
pub fn parse(name: &str, text: &str) -> Result<Case, String> {
    let mut case = Case {
        name: name.into(),
        text: text.into(),
        ..Case::default()
    };
    for (index, full) in text.lines().enumerate() {
        let line = index + 1;
        let fail = |what: &str| format!("{name}:{line}: {what}");
        let Some((code, comment)) = split_comment(full) else {
            continue;
        };
        if let Some(golden) = comment.strip_prefix('>').filter(|_| code.is_empty()) {
            let last = case
                .commands
                .last_mut()
                .ok_or_else(|| fail("`;>` above any `; test`"))?;
            last.golden
                .push(golden.strip_prefix(' ').unwrap_or(golden).to_owned());
            continue;
        }
        let comment = comment.trim();
        if let Some(error) = comment.strip_prefix("error:") {
            case.errors.push(ExpectedError {
                line,
                text: error.trim().to_owned(),
            });
        } else if let Some(error) = comment.strip_prefix("error at ") {
            let (at, text) = error
                .split_once(':')
                .ok_or_else(|| fail("`error at` which line?"))?;
            let line = at.trim().parse().map_err(|_| fail("not a line"))?;
            case.errors.push(ExpectedError {
                line,
                text: text.trim().to_owned(),
            });
        } else if !code.is_empty() {
            // A remark beside an instruction.
        } else if let Some(words) = comment.strip_prefix("test ") {
            let words = words.split_whitespace().map(str::to_owned).collect();
            case.commands.push(Command {
                words,
                line,
                checks: vec![],
                golden: vec![],
            });
        } else if comment.starts_with("run:") || comment.starts_with("run ") {
            case.runs
                .push(run(comment, line).map_err(|what| fail(&what))?);
        } else if let Some(check) = check(comment, line).map_err(|what| fail(&what))? {
            let last = case
                .commands
                .last_mut()
                .ok_or_else(|| fail("check above any `; test`"))?;
            last.checks.push(check);
        }
    }
    match &case.commands[..] {
        [] => Err(format!("{name}: no `; test` directive")),
        [..] if case.has("run") == case.runs.is_empty() => Err(format!(
            "{name}: `; test run` and `; run:` lines belong together"
        )),
        [..] => Ok(case),
    }
}

/// What stands before and after the first `;` that is not inside a string.
pub(super) fn split_comment(line: &str) -> Option<(&str, &str)> {
    let (mut in_string, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ';' if !in_string => return Some((line[..at].trim(), &line[at + 1..])),
            _ => {}
        }
    }
    None
}

fn check(comment: &str, line: usize) -> Result<Option<Check>, String> {
    let of = |rule, text: &str| {
        Ok(Some(Check {
            rule,
            text: text.trim().to_owned(),
            line,
        }))
    };
    if let Some(text) = comment.strip_prefix("check:") {
        of(Rule::Below, text)
    } else if let Some(text) = comment.strip_prefix("nextln:") {
        of(Rule::Next, text)
    } else if let Some(text) = comment.strip_prefix("check-not:") {
        of(Rule::Not, text)
    } else if let Some(text) = comment.strip_prefix("count:") {
        let (count, text) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let count = count
            .parse()
            .map_err(|_| format!("`{count}` is not a count"))?;
        of(Rule::Count(count), text)
    } else {
        Ok(None)
    }
}

/// `run [slow | cancel N | suspend | stop N | drop N]: @f(args) END [, N probes]`, where END is
/// `== value`, `threw [code]` or `status n`.
fn run(comment: &str, line: usize) -> Result<Run, String> {
    let (head, call) = comment.split_once(':').ok_or("no `:` after `run`")?;
    let armed = match head.split_whitespace().collect::<Vec<_>>()[..] {
        ["run"] => Armed::Clear,
        ["run", "slow"] => Armed::Slow,
        ["run", "suspend"] => Armed::Suspend,
        ["run", "stop", n] => Armed::Stop(n.parse().map_err(|_| "stop at which suspension?")?),
        ["run", "drop", n] => Armed::Drop(n.parse().map_err(|_| "drop at which suspension?")?),
        ["run", "cancel", n] => Armed::Cancel(n.parse().map_err(|_| "cancel at which probe?")?),
        _ => return Err(format!("unknown way to run: `{head}`")),
    };
    let call = call
        .trim()
        .strip_prefix('@')
        .ok_or("a call begins with `@`")?;
    let (func, rest) = call.split_once('(').ok_or("no `(` after the function")?;
    let (args, rest) = rest.split_once(')').ok_or("no `)` after the arguments")?;
    let args = args.split(',').map(str::trim).filter(|arg| !arg.is_empty());
    let (rest, probes) = match rest
        .trim()
        .strip_suffix("probes")
        .and_then(|r| r.rsplit_once(','))
    {
        Some((rest, count)) => {
            let count = count.trim().parse().map_err(|_| "not a number of probes")?;
            (rest.trim(), Some(count))
        }
        None => (rest.trim(), None),
    };
    let expected = if let Some(value) = rest.strip_prefix("==") {
        Expectation::Value(value.trim().to_owned())
    } else if let Some(code) = rest.strip_prefix("threw") {
        let code = Some(code.trim()).filter(|code| !code.is_empty());
        Expectation::Threw(
            code.map(|code| number(code).ok_or("not a code"))
                .transpose()?,
        )
    } else if let Some(status) = rest.strip_prefix("status") {
        Expectation::Status(status.trim().parse().map_err(|_| "not a status")?)
    } else {
        return Err(format!(
            "expected `==`, `threw` or `status`, found `{rest}`"
        ));
    };
    let args = args.map(str::to_owned).collect();
    Ok(Run {
        line,
        armed,
        func: func.to_owned(),
        args,
        expected,
        probes,
    })
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Armed, Expectation, parse, split_comment};

    #[test]
    fn directives_are_read_from_comments() {
        let case = parse(
            "t",
            "; test verify\n; test lower clif\n; check: a ; b\n;> whole\nx ; error: V0001 no\n\
             ; test run\n; run: @f(1, -2) == 3\n; run cancel 2: @g() status 3, 2 probes\n\
             ; run: @h(1) threw 0x01000001\n",
        )
        .unwrap();
        assert_eq!(case.commands.len(), 3);
        assert_eq!(case.commands[1].checks[0].text, "a ; b");
        assert_eq!(case.commands[1].golden, ["whole"]);
        assert_eq!(
            (case.errors[0].line, &case.errors[0].text[..]),
            (5, "V0001 no")
        );
        assert_eq!(case.runs[0].args, ["1", "-2"]);
        assert_eq!(case.runs[1].armed, Armed::Cancel(2));
        assert_eq!(case.runs[1].expected, Expectation::Status(3));
        assert_eq!(case.runs[1].probes, Some(2));
        assert_eq!(case.runs[2].expected, Expectation::Threw(Some(0x0100_0001)));
    }

    #[test]
    fn mistakes_in_directives_are_errors_with_their_line() {
        for (text, expected) in [
            ("x", "no `; test`"),
            ("; check: a", "t:1"),
            ("; test run\n; run: f(1) == 2", "begins with `@`"),
            ("; test run", "belong together"),
            ("; test run\n; run fast: @f() == 1", "unknown way"),
        ] {
            let error = parse("t", text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_semicolon_in_a_string_begins_no_comment() {
        assert_eq!(
            split_comment("data \"a;\\\"b\" ; c"),
            Some(("data \"a;\\\"b\"", " c"))
        );
        assert_eq!(split_comment("a"), None);
    }
}
