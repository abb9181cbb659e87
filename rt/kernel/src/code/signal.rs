//! Signals in compiled code (rule ABI-25, its message): a wild address or a bug of the compiler.
//!
//! Protocol
//! 1. [`install`] remembers what was installed before, per signal.
//! 2. A signal at a registered address writes out what the program printed ([`before_death`]) and
//!    one line that locates it, and ends the process with 70, by async-signal-safe calls only.
//! 3. Any other signal goes to what was installed before.
#![allow(unsafe_code, reason = "installs and runs signal handlers")]

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering::*};

use asr_abi::Thread;

use super::place::Place;
use super::registry::find_pc;

/// The signals of a fault, with their names.
const SIGNALS: [(c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGTRAP, "SIGTRAP"),
];

/// Exit status of a program that ends by a failure (rule ABI-40).
pub const EXIT_FAILURE: c_int = 70;

/// What was installed before, by position in [`SIGNALS`].
struct Previous(UnsafeCell<[MaybeUninit<libc::sigaction>; SIGNALS.len()]>);

// SAFETY: written once by `install` for a signal before its handler can run, read-only afterwards.
unsafe impl Sync for Previous {}

static PREVIOUS: Previous = Previous(UnsafeCell::new(
    [const { MaybeUninit::zeroed() }; SIGNALS.len()],
));

/// What runs before the process dies, null when nothing does.
static LAST: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

/// Sets what runs on the thread of a signal in compiled code before the process dies of it: it
/// gets the thread's state, makes async-signal-safe calls only, and may assume that nothing but
/// compiled code is on top of the stack. A second call replaces the first.
pub fn before_death(last: fn(&Thread)) {
    // Release: publishes what the function relies on; pairs with the acquire in `last_words`.
    LAST.store(last as *mut (), Release);
}

/// Runs what [`before_death`] set.
fn last_words() {
    let last = LAST.load(Acquire);
    // SAFETY: the state of this thread, alive while the thread runs.
    let th = unsafe { crate::thread::current().as_ref() };
    if let Some(th) = th
        && !last.is_null()
    {
        // SAFETY: only `before_death` stores here, a function of this type.
        let last = unsafe { std::mem::transmute::<*mut (), fn(&Thread)>(last) };
        last(th);
    }
}

/// Installs the handlers, once per process.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (index, (signal, _)) in SIGNALS.into_iter().enumerate() {
            // SAFETY: `previous` is filled before the new handler can run for this signal; the
            // handler is async-signal-safe.
            unsafe {
                let previous = (*PREVIOUS.0.get())[index].as_mut_ptr();
                if libc::sigaction(signal, std::ptr::null(), previous) != 0 {
                    continue;
                }
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_signal as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigemptyset(&mut action.sa_mask);
                libc::sigaction(signal, &action, std::ptr::null_mut());
            }
        }
    });
}

/// The address at which the signal arrived.
///
/// # Safety
/// `context` is the third argument of a `SA_SIGINFO` handler.
unsafe fn pc(context: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    let context = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    return context.gregs[libc::REG_RIP as usize] as usize;
    #[cfg(target_arch = "aarch64")]
    return context.pc as usize;
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes the context.
    let pc = unsafe { pc(context) };
    match find_pc(pc) {
        Some(place) => {
            last_words();
            report(signal, pc, place);
            // SAFETY: async-signal-safe; no destructor may run here.
            unsafe { libc::_exit(EXIT_FAILURE) }
        }
        // SAFETY: the arguments are those of this signal.
        None => unsafe { forward(signal, info, context) },
    }
}

/// Hands a signal that is not ours to what was installed before.
///
/// # Safety
/// The arguments are those of the running handler.
unsafe fn forward(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let index = SIGNALS
        .iter()
        .position(|entry| entry.0 == signal)
        .unwrap_or(0);
    // SAFETY: filled by `install` before this handler could run.
    let previous = unsafe { (*PREVIOUS.0.get())[index].assume_init_ref() };
    match previous.sa_sigaction {
        libc::SIG_IGN => {}
        libc::SIG_DFL => {
            // SAFETY: restores the default action; a synchronous fault happens again on return,
            // and one that was sent is sent again.
            unsafe {
                libc::signal(signal, libc::SIG_DFL);
                libc::raise(signal);
            }
        }
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: with SA_SIGINFO the word is a three-argument handler.
            let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: without SA_SIGINFO the word is a one-argument handler.
            let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
}

/// A line put together without allocation.
struct Line {
    bytes: [u8; 512],
    len: usize,
}

impl Line {
    fn text(&mut self, text: &[u8]) -> &mut Line {
        let room = self.bytes.len() - 1 - self.len;
        let part = &text[..text.len().min(room)];
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
        self
    }

    fn number(&mut self, mut n: usize, radix: usize) -> &mut Line {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdef"[n % radix];
            n /= radix;
            if n == 0 {
                break;
            }
        }
        self.text(&digits[at..])
    }
}

/// Writes where the signal came from.
fn report(signal: c_int, pc: usize, place: Option<Place<'_>>) {
    let name = SIGNALS
        .iter()
        .find(|entry| entry.0 == signal)
        .map_or("signal", |entry| entry.1);
    let mut line = Line {
        bytes: [0; 512],
        len: 0,
    };
    line.text(b"asr: ")
        .text(name.as_bytes())
        .text(b" in compiled code at 0x")
        .number(pc, 16);
    if let Some(place) = place {
        line.text(b", in ").text(place.func).text(b"()");
        if !place.file.is_empty() {
            line.text(b" at ").text(place.file);
        }
        if place.line != 0 {
            line.text(b":").number(place.line as usize, 10);
        }
    }
    line.text(b" [A010000F0]\n");
    // SAFETY: async-signal-safe; the bytes are initialized. A failed write changes nothing.
    unsafe { libc::write(libc::STDERR_FILENO, line.bytes.as_ptr().cast(), line.len) };
}
