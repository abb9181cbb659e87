//! The heap of one isolate: an arena with a limit, whose exhaustion is an error of the language.
//!
//! Invariants
//! 1. Objects lie one after the other from the start of the arena, each with its size, so that a
//!    collector can walk them. Nothing is freed before the heap; a buffer that a list or dictionary
//!    has outgrown is used again for another one of its size class.
//! 2. A heap is used by one thread at a time (it is not `Sync`): the one that has entered its
//!    isolate ([`crate::isolate`]).
//! 3. Its words refer to its own objects and to those that its program shares ([`Shared`]), which
//!    do not change; nothing else is reached from it. Hence it may go to another thread.
//! 4. The first exhaustion opens a small reserve, so that the program can still say what happened.

use std::cell::{Cell, RefCell};
use std::sync::atomic::AtomicPtr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use asr_abi::Thread;

use crate::call::{self, CallCode};
use crate::concurrent::{Resource, Scopes};
use crate::error::{Res, Thrown, message};
use crate::natives::random::Random;
use crate::object::{self, Kind, Layout, Object};
use crate::output::Output;
use crate::word::Value;

mod arena;
mod place;
mod shared;

use arena::Arena;
pub use arena::reserved;
pub(crate) use shared::Shared;

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
    /// The fixed messages, in the order of [`message::ALL`]; shared by the program.
    messages: Arc<[Value]>,
    /// What the program shares; the heap of the shared objects itself has none.
    shared: Option<Arc<Shared>>,
    /// The heap of the main function: the variables of modules refer to its objects.
    main: bool,
    /// Where the program prints: one for all its isolates.
    output: Arc<Mutex<Output>>,
    /// Records made: their healer has to let go of them before the memory is freed.
    records: Cell<u64>,
    /// The thread that uses the heap now, or null.
    pub(crate) user: AtomicPtr<Thread>,
    /// The heap that the user had before, and has again afterwards.
    pub(crate) outer: Cell<*const Heap>,
    /// The bump window of `Thread` (`alloc_ptr`, `alloc_end`): of this heap while nobody uses it,
    /// of what the user had before while somebody does.
    window: Cell<[*mut u8; 2]>,
    /// State of the random numbers.
    pub(crate) random: Random,
    /// How code of function values is called.
    pub call_code: Cell<CallCode>,
    /// Arguments of the program, its name first.
    pub args: RefCell<Arc<Vec<Vec<u8>>>>,
    /// The cells of the program in this isolate, if it has more than one.
    pub(crate) cells: RefCell<Vec<Value>>,
    /// The open scopes.
    pub(crate) scopes: Scopes,
    /// What objects stand for.
    #[expect(clippy::vec_box, reason = "objects have their addresses")]
    resources: RefCell<Vec<Box<Resource>>>,
}

impl Heap {
    /// The heap of the main function of a program, of at most this many bytes; less when the system
    /// has not as much address space. `None` when it has not even [`LEAST_LIMIT`].
    pub fn new(limit: u64) -> Option<Heap> {
        let shared = Arc::new(Shared::new(limit)?);
        let mut heap = Heap::bare(limit)?;
        heap.messages = shared.messages().clone();
        heap.shared = Some(shared);
        heap.main = true;
        Some(heap)
    }

    /// A heap for another isolate of the program.
    ///
    /// Its own are objects and random numbers (seeded by the next one of this heap); it shares
    /// constants, output, arguments and the way of calling.
    pub(crate) fn beside(&self, limit: u64) -> Option<Heap> {
        let mut heap = Heap::bare(limit)?;
        heap.random.seed(self.random.next());
        heap.messages = self.messages.clone();
        heap.shared = self.shared.clone();
        heap.output = self.output.clone();
        heap.call_code = self.call_code.clone();
        heap.args = self.args.clone();
        Some(heap)
    }

    /// A heap that shares nothing.
    fn bare(limit: u64) -> Option<Heap> {
        Some(Heap {
            arena: Arena::new(limit.max(LEAST_LIMIT))?,
            free: [const { Cell::new(std::ptr::null_mut()) }; 64],
            bytes: RefCell::new(Vec::new()),
            messages: Arc::from([]),
            shared: None,
            main: false,
            output: Arc::new(Mutex::new(Output::stdout())),
            records: Cell::new(0),
            user: AtomicPtr::default(),
            outer: Cell::new(std::ptr::null()),
            window: Cell::new([std::ptr::null_mut(); 2]),
            random: Random::new(1),
            call_code: Cell::new(call::machine_code),
            args: RefCell::default(),
            cells: RefCell::new(Vec::new()),
            scopes: Scopes::default(),
            resources: RefCell::new(Vec::new()),
        })
    }

    /// What the program shares.
    pub(crate) fn shared(&self) -> Option<&Arc<Shared>> {
        self.shared.as_ref()
    }

    /// Whether it is the heap of the main function.
    pub fn is_main(&self) -> bool {
        self.main
    }

    /// Makes a constant of the program: an object that does not change and that all its isolates
    /// share, if the main function asks for it. What another isolate asks for is its own.
    ///
    /// # Errors
    /// What `make` answers.
    pub(crate) fn constant(&self, make: impl FnOnce(&Heap) -> Res) -> Res {
        match &self.shared {
            Some(shared) if self.main => shared.place(make),
            _ => make(self),
        }
    }

    /// Where the program prints.
    pub fn output(&self) -> MutexGuard<'_, Output> {
        // Nothing is half done when a thread panics here: bytes were collected or not.
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Heap::output`], if nobody holds it.
    pub(crate) fn try_output(&self) -> Option<MutexGuard<'_, Output>> {
        match self.output.try_lock() {
            Ok(output) => Some(output),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Counts a record.
    pub(crate) fn note_record(&self) {
        self.records.set(self.records.get() + 1);
    }

    /// Records made.
    pub(crate) fn records(&self) -> u64 {
        self.records.get()
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

    /// Whether this function may run in this heap: its own, or one that the program shares, and
    /// that any isolate may run if it is not the main one.
    fn may_run(&self, function: Value) -> bool {
        function.address().is_some_and(|address| {
            let shared = self.shared.as_ref().is_some_and(|s| s.contains(address));
            let portable = || function.as_function().is_some_and(|f| f.is_portable());
            self.arena.contains(address) || shared && (self.main || portable())
        })
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

    /// Keeps a resource as long as the heap lives: its address.
    pub(crate) fn keep_resource(&self, resource: Resource) -> *const Resource {
        let resource = Box::new(resource);
        let address: *const Resource = &*resource;
        self.resources.borrow_mut().push(resource);
        address
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
