//! Standard output of a program: buffered, in order, flushed before anything else is shown.
//!
//! All isolates of a program share it: what one prints and then tells another comes before what
//! the other prints, and no line is torn.

use std::io::{IsTerminal, Write};

use asr_abi::Thread;

use crate::heap::Heap;

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

    /// Writes what is collected, by async-signal-safe calls: the process is about to die of a
    /// signal. Errors find nobody who could be told.
    pub(crate) fn flush_dying(&self) {
        let mut rest = &self.buffer[..];
        while !rest.is_empty() && matches!(self.target, Target::Stdout { .. }) {
            let written = libc_write(rest);
            if written == 0 {
                return;
            }
            rest = &rest[written.min(rest.len())..];
        }
    }

    /// Writes what is collected. A reader that went away ends the program quietly, another failure
    /// (a full disk) with a message: what a program prints does not vanish unnoticed.
    pub fn flush(&mut self) {
        if matches!(self.target, Target::Memory) || self.buffer.is_empty() {
            return;
        }
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        drop(stdout);
        self.buffer.clear();
        match written {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(BROKEN_PIPE),
            Err(e) => {
                eprintln!("runtime error: cannot write to standard output: {e}");
                std::process::exit(crate::start::EXIT_ERROR);
            }
        }
    }
}

/// One `write` to standard output; 0 when it failed.
fn libc_write(bytes: &[u8]) -> usize {
    #[allow(unsafe_code, reason = "std's writer may take locks")]
    // SAFETY: the bytes are initialized; the call is async-signal-safe.
    let written = unsafe { libc::write(libc::STDOUT_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(written).unwrap_or(0)
}

/// Writes out what the program of a thread printed before it dies of a signal in compiled code.
pub(crate) fn before_death(th: &Thread) {
    if th.isolate.get().is_null() {
        return;
    }
    // Compiled code was running, not this library: this thread does not hold the lock. Another
    // isolate may print just now; if it does not end soon, it waits for the reader, as this one
    // would.
    for _ in 0..10_000 {
        if let Some(output) = Heap::of(th).try_output() {
            return output.flush_dying();
        }
        std::hint::spin_loop();
    }
}
