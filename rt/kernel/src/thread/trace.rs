//! Where the error in flight has been: the sites that its failure passed, innermost first.
//!
//! Compiled code notes a site on its cold error edge, so a call that succeeds pays nothing. The
//! list is bounded: the first [`KEPT`] sites and the last one are kept, the others are counted.

use asr_abi::Thread;

use super::local::Local;

/// Sites kept from the beginning, where the cause is.
pub const KEPT: usize = 64;

/// The trace of one error.
#[derive(Clone, Debug)]
pub struct Trace {
    sites: [u64; KEPT],
    passed: u64,
    last: u64,
}

impl Trace {
    /// No error in flight.
    pub(super) const fn new() -> Trace {
        Trace {
            sites: [0; KEPT],
            passed: 0,
            last: 0,
        }
    }

    /// Notes a site.
    pub fn push(&mut self, site: u64) {
        if let Some(slot) = self.sites.get_mut(self.passed as usize) {
            *slot = site;
        }
        self.passed += 1;
        self.last = site;
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.passed = 0;
    }

    /// The first sites, innermost first.
    pub fn sites(&self) -> &[u64] {
        &self.sites[..KEPT.min(self.passed as usize)]
    }

    /// How many sites lie between the last of [`Trace::sites`] and [`Trace::outermost`].
    pub fn skipped(&self) -> u64 {
        self.passed.saturating_sub(KEPT as u64 + 1)
    }

    /// The outermost site, when it is not among [`Trace::sites`].
    pub fn outermost(&self) -> Option<u64> {
        (self.passed > KEPT as u64).then_some(self.last)
    }
}

/// Notes that the error in flight passed a site.
pub fn push(th: &Thread, site: u64) {
    if let Some(local) = Local::of(th) {
        local.trace.borrow_mut().push(site);
    }
}

/// The error was caught.
pub fn clear(th: &Thread) {
    if let Some(local) = Local::of(th) {
        local.trace.borrow_mut().clear();
    }
}

/// Takes the trace of an error that nobody caught.
pub fn take(th: &Thread) -> Option<Trace> {
    let local = Local::of(th)?;
    Some(local.trace.replace(Trace::new()))
}
