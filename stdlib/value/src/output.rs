//! Standard output of a program: buffered, in order, flushed before anything else is shown.

use std::io::{IsTerminal, Write};

/// Bytes that are collected before they are written.
const FULL: usize = 32 << 10;

/// Exit code of a program whose reader went away, as of one that died from the signal.
const BROKEN_PIPE: i32 = 141;

enum Target {
    Stdout { terminal: bool },
    Memory,
}

/// Where a program prints.
pub struct Output {
    target: Target,
    buffer: Vec<u8>,
}

impl Output {
    /// Standard output.
    pub fn stdout() -> Output {
        Output {
            target: Target::Stdout {
                terminal: std::io::stdout().is_terminal(),
            },
            buffer: Vec::new(),
        }
    }

    /// Memory; see [`Output::take`].
    pub fn memory() -> Output {
        Output {
            target: Target::Memory,
            buffer: Vec::new(),
        }
    }

    /// What was printed to memory since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Prints bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        if let Target::Stdout { terminal } = self.target
            && (self.buffer.len() >= FULL || terminal && bytes.contains(&b'\n'))
        {
            self.flush();
        }
    }

    /// Writes what is collected. A reader that went away ends the program quietly; any other
    /// failure loses the bytes, as there is nobody to tell.
    pub fn flush(&mut self) {
        if matches!(self.target, Target::Memory) || self.buffer.is_empty() {
            return;
        }
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        drop(stdout);
        self.buffer.clear();
        if written.is_err_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
            std::process::exit(BROKEN_PIPE);
        }
    }
}
