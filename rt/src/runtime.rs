//! Start and stop.

use asr_abi::{ObjectHeader, RepairContext, Ret, Thread, status};
use asr_heal::{Func, Supervisor, handlers, home};
use asr_kernel::code::{self, RegisterError};
use asr_kernel::thread::hooks;

/// What can be chosen at start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Tickets of the repair ring; the first start of a process decides.
    pub tickets: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            tickets: asr_heal::DEFAULT_TICKETS,
        }
    }
}

/// Why the runtime did not start.
#[derive(Debug)]
pub enum StartError {
    /// Code linked into the program is refused.
    Code(RegisterError),
    /// The system could not start a thread.
    Thread(std::io::Error),
    /// A runtime is running in this process.
    Running,
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartError::Code(error) => error.fmt(f),
            StartError::Thread(error) => write!(f, "cannot start the supervisor: {error}"),
            StartError::Running => f.write_str("a runtime is running in this process already"),
        }
    }
}

impl std::error::Error for StartError {}

/// A running runtime; it stops when this is dropped, after every repair that is pending.
#[derive(Debug)]
pub struct Runtime {
    _supervisor: Supervisor,
}

static HOOKS: hooks::Hooks = hooks::Hooks {
    repair: home::at_probe,
    expiry: |th| {
        // The clock that sets this bit comes with the timer wheel; an expiry is an anomaly of
        // class 03 and does not end the code that meets it.
        expired(th);
        status::OK
    },
    collect: |_| (),
    shutdown: |_| status::CANCELLED,
    fault: |th, code| {
        // Null data: for the handler of type 0, else counted.
        report_null(th, code);
    },
    thread_ends: home::ends,
};

/// An expiry of the thread's context is due: an anomaly of class 03, once. A bit that is stale,
/// because the expiry was handled or extended since it was set, costs only this look.
fn expired(th: &Thread) {
    if th.expiry.get() > asr_kernel::thread::now_ns() {
        return;
    }
    th.expiry.set(asr_abi::thread::NO_EXPIRY);
    report_null(th, 0x0300_0001);
}

/// Reports an anomaly without an object.
fn report_null(th: &Thread, code: u32) {
    #[allow(unsafe_code, reason = "the report takes raw pointers")]
    // SAFETY: the state of the calling thread, and no object.
    unsafe {
        asr_heal::report(th, code, std::ptr::null_mut());
    }
}

/// Installs what every start needs and the first one does: hooks, signals.
pub(crate) fn prepare() {
    hooks::install(&HOOKS);
    code::signal::install();
}

impl Runtime {
    /// Starts the runtime: hooks, signal handlers, linked code with its handlers, supervisor.
    ///
    /// # Errors
    /// See [`StartError`]; what was started is stopped again.
    pub fn start(config: Config) -> Result<Runtime, StartError> {
        prepare();
        code::linked::register_all().map_err(StartError::Code)?;
        for start in code::linked::handlers() {
            let func = compiled(start.handler.cast());
            // The reserved type is refused by the compiler; at run time it is a counted no-op.
            if handlers::register(start.type_id, func, start.bound_ns).is_err() {
                asr_heal::ledger::bad_argument();
            }
        }
        match Supervisor::start(config.tickets) {
            Ok(Some(supervisor)) => Ok(Runtime {
                _supervisor: supervisor,
            }),
            Ok(None) => Err(StartError::Running),
            Err(error) => Err(StartError::Thread(error)),
        }
    }
}

/// A handler in compiled code.
type CompiledFn = unsafe extern "C" fn(*const Thread, *mut ObjectHeader, *mut RepairContext) -> Ret;

/// A handler in compiled code, from its address.
pub(crate) fn compiled(code: *const u8) -> Func {
    #[allow(unsafe_code, reason = "an address of code becomes a function")]
    // SAFETY: the row `handler_register` and section `asr_start` hold code of this signature; null
    // was refused by the caller.
    Func::Compiled(unsafe { std::mem::transmute::<*const u8, CompiledFn>(code) })
}
