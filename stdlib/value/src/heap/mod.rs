//! The heap of one isolate: an arena with a limit, whose exhaustion is an error of the language.
//!
//! Invariants
//! 1. Objects lie one after the other from the start of the arena, each with its size, so that a
//!    collector can walk them. Nothing is freed before the heap; a buffer that a list or dictionary
//!    has outgrown is used again for another one of its size class.
//! 2. A heap belongs to the thread that made it (it is not `Sync`).
//! 3. The first exhaustion opens a small reserve, so that the program can still say what happened.

use std::cell::{Cell, RefCell};

use crate::call::{self, CallCode};
use crate::error::{Res, Thrown, message};
use crate::natives::random::Random;
use crate::object::{self, Kind, Layout, Object};
use crate::output::Output;
use crate::word::Value;

mod arena;
mod place;

use arena::Arena;

/// Default limit of a heap in bytes.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// Least limit of a heap in bytes.
pub const LEAST_LIMIT: u64 = 64 << 10;

/// The environment variable that holds the limit: a number of bytes, or with `k`, `m` or `g`.
pub const LIMIT_VARIABLE: &str = "ASR_HEAP_LIMIT";

/// The heap of one isolate, with what else belongs to the isolate.
pub struct Heap {
    arena: Arena,
    /// Outgrown buffers by the logarithm of their size, linked through their payload.
    free: [Cell<*mut u8>; 64],
    /// The strings of one byte, made when first asked for.
    bytes: RefCell<Vec<Value>>,
    /// The fixed messages, in the order of [`message::ALL`].
    messages: Vec<Value>,
    /// Where the program prints.
    pub output: RefCell<Output>,
    /// State of the random numbers.
    pub(crate) random: Random,
    /// How code of function values is called.
    pub call_code: Cell<CallCode>,
    /// Arguments of the program, its name first.
    pub args: RefCell<Vec<Vec<u8>>>,
}

impl Heap {
    /// A heap of at most this many bytes; less when the system has not as much address space.
    /// `None` when it has not even [`LEAST_LIMIT`].
    pub fn new(limit: u64) -> Option<Heap> {
        let mut heap = Heap {
            arena: Arena::new(limit.max(LEAST_LIMIT))?,
            free: [const { Cell::new(std::ptr::null_mut()) }; 64],
            bytes: RefCell::new(Vec::new()),
            messages: Vec::new(),
            output: RefCell::new(Output::stdout()),
            random: Random::new(1),
            call_code: Cell::new(call::machine_code),
            args: RefCell::new(Vec::new()),
        };
        for text in message::ALL {
            let string = heap.string(text.as_bytes()).ok()?;
            heap.messages.push(string);
        }
        Some(heap)
    }

    /// The limit that the environment asks for, else the default.
    pub fn limit_of_environment() -> u64 {
        std::env::var(LIMIT_VARIABLE)
            .ok()
            .and_then(|text| parse_size(&text))
            .unwrap_or(DEFAULT_LIMIT)
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.arena.used()
    }

    /// Whether an address lies in what this heap has handed out.
    pub(crate) fn contains(&self, address: *const u8) -> bool {
        self.arena.contains(address as usize)
    }

    /// Bytes that may be used.
    pub fn limit(&self) -> u64 {
        self.arena.limit()
    }

    /// Throws a fixed message.
    pub fn thrown(&self, text: &'static str) -> Thrown {
        match message::ALL.iter().position(|m| *m == text) {
            Some(at) => Thrown(self.messages.get(at).copied().unwrap_or(Value::NULL)),
            None => self.thrown_text(text),
        }
    }

    /// Throws a message made now; out of memory instead if there is no room for it.
    pub fn thrown_text(&self, text: &str) -> Thrown {
        match self.string(text.as_bytes()) {
            Ok(string) => Thrown(string),
            Err(exhausted) => exhausted,
        }
    }

    /// The error "out of memory".
    pub fn exhausted(&self) -> Thrown {
        // While the heap is being made there is no message yet; `new` gives up then.
        Thrown(self.messages.first().copied().unwrap_or(Value::NULL))
    }

    /// A string of these bytes.
    ///
    /// # Errors
    /// Out of memory.
    pub fn string(&self, bytes: &[u8]) -> Res {
        object::make_string(self, bytes, b"")
    }

    /// The string of one byte; the same object each time.
    ///
    /// # Errors
    /// Out of memory.
    pub fn byte_string(&self, byte: u8) -> Res {
        if let Some(known) = self.bytes.borrow().get(usize::from(byte)) {
            return Ok(*known);
        }
        let all: Res<Vec<Value>> = (0..=u8::MAX).map(|b| self.string(&[b])).collect();
        let all = all?;
        let one = all.get(usize::from(byte)).copied().unwrap_or(Value::NULL);
        *self.bytes.borrow_mut() = all;
        Ok(one)
    }

    /// Memory for an object of `bytes` bytes with its header, and the header to write there.
    pub(crate) fn raw(&self, kind: Kind, bytes: u64) -> Res<(*mut u8, Object)> {
        let size = bytes
            .checked_next_multiple_of(16)
            .ok_or_else(|| self.exhausted())?;
        let place = self.arena.take(size).ok_or_else(|| self.exhausted())?;
        Ok((place, Object::new(kind, size)))
    }
}

/// A size as written by people: `4096`, `64k`, `512m`, `2g`.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (&text[..at], 10),
        (at, 'm' | 'M') => (&text[..at], 20),
        (at, 'g' | 'G') => (&text[..at], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << unit)
}
