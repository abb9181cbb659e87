//! The sum of the results that `cargo test` prints, one line per test program.

use std::fmt;

/// Tests that passed, failed, and were left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    /// Count `line` if it is `test result: …; N passed; M failed; K ignored; …`.
    pub(crate) fn read(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result:") else {
            return;
        };
        // The first part still carries the verdict: "ok. 3 passed".
        for part in result.split(';') {
            let mut words = part.split_whitespace().rev();
            let (Some(what), Some(count)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(count) = count.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn results_add_up_and_other_lines_do_not_count() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out");
        tally.read("test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured");
        tally.read("test abi_41 ... ok, 9 passed; 9 failed");
        assert_eq!(
            tally,
            Tally {
                passed: 12,
                failed: 2,
                ignored: 1
            }
        );
        assert_eq!(tally.to_string(), "12 passed, 2 failed");
    }
}
