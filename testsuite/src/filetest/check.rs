//! Checks on an output: some lines of it, or all of it.

use super::parse::Command;

/// What a check asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A line below the last match holds the text.
    Below,
    /// The line after the last match holds the text.
    Next,
    /// No line between this place and the next match, or the end, holds the text.
    Not,
    /// Exactly this many lines of the whole output hold the text.
    Count(usize),
}

/// Compare `output` with what `command` expects.
///
/// # Errors
/// The first check that does not hold, with its line in the file and the output.
pub fn check(command: &Command, output: &str) -> Result<(), String> {
    let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
    let fail = |line: usize, what: String| {
        let shown: Vec<String> = lines.iter().map(|line| format!("    | {line}")).collect();
        Err(format!("line {line}: {what}\n{}", shown.join("\n")))
    };
    if !command.golden.is_empty() && lines != command.golden {
        let at = lines
            .iter()
            .zip(&command.golden)
            .take_while(|(a, b)| a == b)
            .count();
        let want = command.golden.get(at).map_or("the end", String::as_str);
        return fail(
            command.line,
            format!("line {} of the output should be `{want}`", at + 1),
        );
    }
    // Index of the first line that the next check may match.
    let mut next = 0;
    let mut absent: Vec<(&str, usize)> = Vec::new();
    for check in &command.checks {
        let text = squeeze(&check.text);
        let holds = |line: &&str| squeeze(line).contains(&text);
        let found = match check.rule {
            Rule::Not => {
                absent.push((&check.text, check.line));
                continue;
            }
            Rule::Count(count) => {
                let actual = lines.iter().filter(|line| holds(line)).count();
                if actual != count {
                    return fail(check.line, format!("{actual} lines hold `{}`", check.text));
                }
                continue;
            }
            Rule::Below => lines[next..].iter().position(&holds),
            Rule::Next => lines.get(next).filter(|line| holds(line)).map(|_| 0),
        };
        let Some(found) = found else {
            return fail(check.line, format!("`{}` not found", check.text));
        };
        forbid(&mut absent, &lines[next..next + found]).or_else(|(line, what)| fail(line, what))?;
        next += found + 1;
    }
    forbid(&mut absent, &lines[next..]).or_else(|(line, what)| fail(line, what))
}

/// None of the pending `check-not` texts stands in `lines`; they are settled with that.
fn forbid(absent: &mut Vec<(&str, usize)>, lines: &[&str]) -> Result<(), (usize, String)> {
    for (text, line) in absent.drain(..) {
        if lines
            .iter()
            .any(|output| squeeze(output).contains(&squeeze(text)))
        {
            return Err((line, format!("`{text}` should not be there")));
        }
    }
    Ok(())
}

/// Runs of blanks count as one, so that columns of a listing do not matter.
fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::filetest::parse;

    fn run(checks: &str, output: &str) -> Result<(), String> {
        let case = parse("t", &format!("; test lower clif\n{checks}")).unwrap();
        check(&case.commands[0], output)
    }

    #[test]
    fn checks_go_down_the_output() {
        run("; check: a\n; nextln: b\n; check: d", "a\nb\nc\nd").unwrap();
        run("; check: d\n; check: a", "a\nd").unwrap_err();
        run("; check: a\n; nextln: c", "a\nb\nc").unwrap_err();
        run("; check: x  y", "x    y").unwrap();
    }

    #[test]
    fn what_is_forbidden_counts_up_to_the_next_match() {
        run("; check: a\n; check-not: b\n; check: c", "a\nc\nb").unwrap();
        run("; check: a\n; check-not: b\n; check: c", "a\nb\nc").unwrap_err();
        run("; check-not: b", "a\nb").unwrap_err();
    }

    #[test]
    fn counts_and_whole_outputs_are_exact() {
        run("; count: 2 a", "a\nb\na").unwrap();
        run("; count: 1 a", "a\nb\na").unwrap_err();
        run(";> a\n;>   b", "a\n  b").unwrap();
        run(";> a", "a\nb").unwrap_err();
    }
}
