//! What a choice takes while the same always waits.

use asr_kernel::sched::choice::{Choice, Source, Waiting};

/// The next so many.
pub(crate) fn taken(choice: &mut Choice, waiting: &Waiting, n: usize) -> Vec<Source> {
    let mut next = || {
        let from = choice.choose(waiting).expect("something waits");
        choice.dispatched(from, waiting);
        from
    };
    (0..n).map(|_| next()).collect()
}
