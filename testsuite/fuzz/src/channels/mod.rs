//! Channels and locks against models, from bytes.
//!
//! The first byte says how. Most inputs are a program of several tasks, which the lab runs under a
//! seed of the input: sends in one and two phases, receipts, locks, permits, notices, each of them
//! waited for or given up after some polls, tasks cancelled and ends dropped at any step; the
//! oracles of the lab watch, and `world` keeps account. The others are operations on one channel or
//! lock, polled by hand against the models of `asr-sync`'s own tests.
//!
//! Every program ends: its tasks are cancelled when the script of the main task is at its end.

mod player;
mod script;
mod tasks;
mod world;

#[path = "../../../../rt/sync/tests/models"]
mod models {
    pub(crate) mod channel;
    pub(crate) mod notify;
    pub(crate) mod permits;
    pub(crate) mod probe;
}

use asr_base::Outcome;
use asr_lab::{Lab, LabConfig};

pub use world::Fault;

/// Nothing but what the models say happens.
///
/// # Panics
/// When it does not.
pub fn channels(data: &[u8]) {
    channels_with(data, Fault::None);
}

/// The same with a fault between the program and the model, which the model has to find.
///
/// # Panics
/// When what happens is not what the models say.
pub fn channels_with(data: &[u8], fault: Fault) {
    let Some((&how, rest)) = data.split_first() else {
        return;
    };
    match how {
        0..8 => models::channel::check(usize::from(how) % 4 + 1, pairs(rest)),
        8..16 => models::permits::semaphore(u32::from(how) % 4 + 1, pairs(rest)),
        16..20 => models::permits::mutex(pairs(rest)),
        20..24 => models::notify::check(pairs(rest)),
        // Every fourth has a few operations in a poll only.
        _ if how % 4 == 3 => program(rest, how / 32, fault),
        _ => program(rest, u8::MAX, fault),
    }
}

fn pairs(data: &[u8]) -> Vec<(u8, u8)> {
    let (pairs, _) = data.as_chunks::<2>();
    pairs.iter().map(|pair| (pair[0] % 16, pair[1])).collect()
}

/// Runs a program of several tasks.
fn program(data: &[u8], coop_budget: u8, fault: Fault) {
    let script = script::read(data);
    let mut config = LabConfig::seed(script.seed);
    config.kernel.coop_budget = coop_budget;
    let lab = Lab::new(config);
    let kernel = lab.kernel().clone();
    let account = world::account(script.capacity, fault);
    account.lock().busy = coop_budget < u8::MAX;
    let shared = account.clone();
    let run = match lab.run(async move |cx| tasks::main(cx, script, shared).await) {
        Ok(run) => run,
        Err(failure) => panic!("{failure}"),
    };
    assert!(matches!(run.outcome, Outcome::Ok(())), "{:?}", run.outcome);
    let passed = kernel.stats().futurelocks.get();
    assert_eq!(passed, 0, "each wait is polled, so nobody is passed over");
    account.lock().ended(kernel.stats().undelivered.get());
}
