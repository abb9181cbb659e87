//! `ASR_BLESS=1`: expectations are written into the files instead of being compared. The difference
//! is reviewed like code; a blessed file says what the compiler does, not what it should do.

use std::path::Path;

use super::parse::split_comment;
use super::verify::Reported;
use super::{Case, Run};

/// Whether expectations are written.
pub fn enabled() -> bool {
    std::env::var_os("ASR_BLESS").is_some_and(|value| value == "1")
}

/// Lines of a file with their replacements.
#[derive(Debug)]
pub struct Blessing {
    /// Lines whose errors stand elsewhere, by `; error at`.
    apart: Vec<usize>,
    lines: Vec<Option<String>>,
    /// Lines that follow the line of this index, from 1.
    below: Vec<(usize, Vec<String>)>,
}

impl Blessing {
    /// The text of `case` as it is.
    pub fn new(case: &Case) -> Self {
        let lines: Vec<&str> = case.text.lines().collect();
        let apart = case.errors.iter().map(|error| error.line);
        Self {
            apart: apart
                .filter(|n| !lines[n - 1].contains("; error:"))
                .collect(),
            lines: lines.iter().map(|line| Some((*line).to_owned())).collect(),
            below: Vec::new(),
        }
    }

    /// Every `; error:` of the file becomes what was reported on its line, or goes.
    pub fn errors(&mut self, reported: &[Reported]) {
        for (index, line) in self.lines.iter_mut().enumerate() {
            let Some(text) = line.as_ref().filter(|_| !self.apart.contains(&(index + 1))) else {
                continue;
            };
            let found = reported.iter().find(|got| got.line == index + 1);
            let comment = split_comment(text).filter(|(_, c)| c.trim().starts_with("error:"));
            let code = match (comment, found) {
                (None, None) => continue,
                (Some((code, _)), _) => {
                    text[..text.find(code).unwrap_or(0) + code.len()].to_owned()
                }
                (None, Some(_)) => text.clone(),
            };
            *line = Some(match found {
                Some(got) => shortened(&format!("{code} ; error: {}", got.text)),
                None => code,
            });
        }
    }

    /// The end of a `; run:` line becomes `end`.
    pub fn run(&mut self, run: &Run, end: &str) {
        if let Some(Some(line)) = self.lines.get_mut(run.line - 1)
            && let Some(close) = line.find(')')
        {
            *line = format!("{} {end}", &line[..=close]);
        }
    }

    /// The whole output of the command on `line` becomes `output`.
    pub fn golden(&mut self, line: usize, output: &str) {
        for old in self.lines.iter_mut().skip(line) {
            match old {
                Some(text) if text.starts_with(";>") => *old = None,
                _ => break,
            }
        }
        let golden = output
            .lines()
            .map(|line| format!(";> {line}").trim_end().to_owned());
        self.below.push((line, golden.collect()));
    }

    /// Write the file below `dir`, if anything changed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(self, case: &Case, dir: &Path) -> Result<(), String> {
        let mut text = String::new();
        for (index, line) in self.lines.iter().enumerate() {
            let below = self.below.iter().filter(|(line, _)| *line == index + 1);
            for line in line.iter().chain(below.flat_map(|(_, lines)| lines)) {
                text.push_str(line);
                text.push('\n');
            }
        }
        if text == case.text {
            return Ok(());
        }
        let path = dir.join(&case.name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// A line of at most 100 columns; an expectation may be the beginning of a message.
fn shortened(line: &str) -> String {
    line.chars()
        .take(100)
        .collect::<String>()
        .trim_end()
        .to_owned()
}
