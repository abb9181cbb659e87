//! One named, timed step: a child process whose output is shown while it runs.
//!
//! A step that fails ends the command; its error says what to do next, so nobody has to guess
//! which of ten commands printed the last line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, root, tally::Tally};

/// Runs steps and remembers how long each took.
pub(crate) struct Steps {
    begun: Instant,
    taken: Vec<(String, Duration)>,
    /// Sum of the results that test programs printed.
    pub(crate) tally: Tally,
}

impl Steps {
    /// Nothing has run yet.
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            taken: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Run `command` as the step `name`; `advice` is what to do if it fails.
    pub(crate) fn run(
        &mut self,
        name: &str,
        advice: &str,
        command: &mut Command,
    ) -> Result<(), Failure> {
        say!("== {name}: {}", shown(command));
        let begun = Instant::now();
        let ended = run_tallied(command, &mut self.tally);
        let taken = begun.elapsed();
        self.taken.push((name.to_owned(), taken));
        match ended {
            Ok(true) => {
                say!("== {name}: ok, {:.1} s", taken.as_secs_f64());
                Ok(())
            }
            Ok(false) => Err(Failure::Step(format!("step `{name}` failed; {advice}"))),
            Err(error) => Err(Failure::Step(format!(
                "step `{name}` did not start: {error}; is {} installed?",
                command.get_program().display()
            ))),
        }
    }

    /// Print where the time went, then the closing line.
    pub(crate) fn close(&self) {
        say!("== times");
        for (name, taken) in &self.taken {
            say!("   {name:<22} {:>8.1} s", taken.as_secs_f64());
        }
        say!(
            "   {:<22} {:>8.1} s",
            "all",
            self.begun.elapsed().as_secs_f64()
        );
        say!("{}", self.tally);
    }
}

/// `cargo` of the running tool chain, started in the checkout.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(root::dir());
    command
}

/// Run a command, pass its standard output on line by line, and count test results in it.
fn run_tallied(command: &mut Command, tally: &mut Tally) -> std::io::Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().expect("standard output is piped");
    let mut shown = std::io::stdout();
    for line in BufReader::new(output).split(b'\n') {
        let mut line = line?;
        tally.read(&String::from_utf8_lossy(&line));
        line.push(b'\n');
        // A reader that went away (`| head`) must not end the tests.
        let _ = shown.write_all(&line);
    }
    Ok(child.wait()?.success())
}

fn shown(command: &Command) -> String {
    let mut text = String::from("cargo");
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
