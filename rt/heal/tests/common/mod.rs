//! What the tests of this crate share: one healer at a time, and waiting for it.
#![allow(unsafe_code, reason = "reports raw objects")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use asr_abi::{ObjectHeader, RepairContext};
use asr_heal::{Func, Outcome, Supervisor, handlers, ledger, ledger::Ledger, report, word};
use parking_lot::{Mutex, MutexGuard};

/// An application's code.
pub const CODE: u32 = 0x8000_0001;

/// A bound that no handler of a test exceeds by accident.
pub const FAST: u64 = 10_000_000_000;

/// Tests of one file share the supervisor and the ledger.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A running supervisor with a ring of four tickets, and the account since its start.
pub struct Healer {
    before: Ledger,
    _supervisor: Supervisor,
    _one: MutexGuard<'static, ()>,
}

impl Healer {
    pub fn start() -> Healer {
        let one = ONE_AT_A_TIME.lock();
        let supervisor = Supervisor::start(4).expect("a thread").expect("the only");
        Healer {
            before: ledger::read(),
            _supervisor: supervisor,
            _one: one,
        }
    }

    /// Stops the supervisor, and what happened until it had stopped.
    pub fn stop(self) -> Ledger {
        let Healer {
            before,
            _supervisor,
            _one,
        } = self;
        drop(_supervisor);
        ledger::read().since(&before)
    }

    /// What happened since the start.
    pub fn delta(&self) -> Ledger {
        ledger::read().since(&self.before)
    }

    /// The same, when no job is under way any more and both sums hold (HEAL-28).
    pub fn quiet(&self) -> Ledger {
        until("no job under way", || {
            let now = self.delta();
            now.queued + now.delayed + now.in_repair == 0 && now.balances()
        });
        self.delta()
    }
}

/// Waits for a condition; the watchdog is for a loaded machine.
pub fn until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Reports an object, on a thread that may have no state.
pub fn tell(object: &ObjectHeader) -> Outcome {
    let object = std::ptr::from_ref(object).cast_mut();
    // SAFETY: the object outlives its repair: each test waits for the end of its jobs.
    unsafe { report(asr_kernel::thread::current(), CODE, object) }
}

/// Reports without an object.
pub fn tell_null(code: u32) -> Outcome {
    // SAFETY: no object.
    unsafe { report(asr_kernel::thread::current(), code, std::ptr::null_mut()) }
}

pub fn state(object: &ObjectHeader) -> u64 {
    word::state(object.repair.load(SeqCst))
}

pub fn generation(object: &ObjectHeader) -> u64 {
    object.repair.load(SeqCst) >> asr_abi::repair_word::GENERATION_SHIFT
}

pub fn register(type_id: u64, handler: fn(*mut ObjectHeader, &mut RepairContext), bound_ns: u64) {
    handlers::register(type_id, Func::Rust(handler), bound_ns).expect("not the reserved type");
}
