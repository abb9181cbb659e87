//! Whether this thread runs a simulated world (LAB-8).
//!
//! What a simulated run does must follow from its seed. A driver of such a world says so while it
//! runs a step; whatever would ask the real clock, the real entropy or a real device then refuses,
//! so that a test that is not reproducible fails instead of passing by chance.

use std::cell::Cell;
use std::marker::PhantomData;

use asr_base::{Error, Status};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// The thread is in a simulated world as long as this lives.
#[derive(Debug)]
pub struct Simulation(PhantomData<*const ()>);

impl Simulation {
    /// From here on [`real`] refuses on this thread.
    pub fn enter() -> Simulation {
        DEPTH.set(DEPTH.get() + 1);
        Simulation(PhantomData)
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Asks whether something of the real world may be used here; `what` says what for.
///
/// # Errors
/// `CAP_DENIED` in a simulated world.
pub fn real(what: &str) -> Result<(), Error> {
    if DEPTH.get() == 0 {
        return Ok(());
    }
    let what = format!("{what} needs the real world, and this runs in a simulated one");
    Err(Error::new(Status::CAP_DENIED, what))
}
