//! Tokens to test with: slots of a pool that counts what becomes of them.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use asr_base::{Error, Status};
use asr_kernel::obligation::{
    AbortCause, Counts, ImplicitAbort, Kind, LeakReport, LeakResponse, Linear,
};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Kernel};

/// Capacity, and a receiver that may go away.
#[derive(Debug)]
pub(crate) struct Pool {
    free: AtomicI64,
    pub(crate) closed: AtomicBool,
    pub(crate) received: Mutex<Vec<u64>>,
    pub(crate) aborts: Mutex<Vec<AbortCause>>,
    pub(crate) discarded: AtomicU64,
}

impl Pool {
    pub(crate) fn new(capacity: i64) -> Arc<Pool> {
        Arc::new(Pool {
            free: AtomicI64::new(capacity),
            closed: AtomicBool::new(false),
            received: Mutex::default(),
            aborts: Mutex::default(),
            discarded: AtomicU64::new(0),
        })
    }

    pub(crate) fn free(&self) -> i64 {
        self.free.load(Relaxed)
    }

    /// All capacity is back: the owner of the pool ended.
    pub(crate) fn reset(&self, capacity: i64) {
        self.free.store(capacity, Relaxed);
    }

    pub(crate) fn aborts(&self) -> Vec<AbortCause> {
        self.aborts.lock().unwrap().clone()
    }

    pub(crate) fn take(self: &Arc<Pool>, kind: Kind) -> Result<Slot, Error> {
        let taken = self
            .free
            .fetch_update(Relaxed, Relaxed, |free| (free > 0).then(|| free - 1));
        match taken {
            Ok(_) => Ok(Slot {
                pool: self.clone(),
                kind,
            }),
            Err(_) => Err(Error::new(Status::FULL, "no slot is free")),
        }
    }

    /// Takes a slot without a token, and what gives it up.
    pub(crate) fn take_raw(self: &Arc<Pool>) -> ImplicitAbort {
        self.free.fetch_sub(1, Relaxed);
        let pool = self.clone();
        Box::new(move |cause| {
            pool.free.fetch_add(1, Relaxed);
            pool.aborts.lock().unwrap().push(cause);
        })
    }
}

/// One slot.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) pool: Arc<Pool>,
    pub(crate) kind: Kind,
}

impl Linear for Slot {
    type Input = u64;
    type Output = usize;

    fn kind(&self) -> Kind {
        self.kind
    }

    fn commit(self, input: u64) -> Result<usize, u64> {
        self.pool.free.fetch_add(1, Relaxed);
        if self.pool.closed.load(Relaxed) {
            return Err(input);
        }
        let mut received = self.pool.received.lock().unwrap();
        received.push(input);
        Ok(received.len())
    }

    fn abort(self, cause: AbortCause) {
        self.pool.free.fetch_add(1, Relaxed);
        self.pool.aborts.lock().unwrap().push(cause);
    }
}

/// A configuration with this response to leaks.
pub(crate) fn config(response: LeakResponse, records: bool) -> Config {
    let mut config = Config::default();
    config.leak_response = response;
    config.leak_records = records;
    config
}

pub(crate) fn local(response: LeakResponse, records: bool) -> Local {
    Local::new(config(response, records))
}

/// Collects the reports of a kernel.
pub(crate) fn reports(kernel: &Kernel) -> Arc<Mutex<Vec<LeakReport>>> {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let sink = reports.clone();
    let set = kernel.obligations().set_leak_sink(Box::new(move |report| {
        sink.lock().unwrap().push(report.clone());
    }));
    set.expect("it is the first");
    reports
}

/// The counts of a kind, over all closed regions.
pub(crate) fn total(kernel: &Kernel, kind: Kind) -> Counts {
    kernel.obligations().totals().of(kind)
}

/// Reserved, committed, aborted and live of a kind, over all closed regions.
pub(crate) fn four(kernel: &Kernel, kind: Kind) -> [u64; 4] {
    let counts = total(kernel, kind);
    [
        counts.reserved,
        counts.committed,
        counts.aborted,
        counts.live(),
    ]
}
