//! Which recorded tokens a task or a region holds: what its end has to look at (OBL-10).
//!
//! Protocol of a task that ends while it is given a token. The giver adds to the list, then
//! modifies the word of the task; the task completes its word, then looks at its list again. Both
//! are modifications of one word: if the giver's is the later it sees the completion, and takes the
//! token back; if the task's is, it sees the token.

use asr_base::{ObligationId, Status};

use super::place::Holder;
use super::record::Records;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Phase;

/// Adds a token to the list of its holder. The lock of the record is held, or nobody else knows the
/// token yet.
///
/// # Errors
/// `REGION_CLOSING` if the task is complete: the token is in no list.
pub(super) fn add(records: &Records, holder: &Holder, id: ObligationId) -> Result<(), Status> {
    match holder {
        Holder::Task(task) => {
            let mut inner = task.side_or_new().lock();
            push(records, &mut inner.rare_or_new().held, id);
            drop(inner);
            if task.word.modify().phase() == Phase::Completed && take_out(records, holder, id) {
                return Err(Status::REGION_CLOSING);
            }
        }
        Holder::Region(region) => push(records, &mut region.lock().held, id),
    }
    Ok(())
}

/// Takes a token out of the list of its holder. False if the end of the holder took the list.
pub(super) fn take_out(records: &Records, holder: &Holder, id: ObligationId) -> bool {
    match holder {
        Holder::Task(task) => {
            let Some(side) = task.side() else {
                return false;
            };
            let mut inner = side.lock();
            inner
                .rare_mut()
                .is_some_and(|rare| remove(records, &mut rare.held, id))
        }
        Holder::Region(region) => remove(records, &mut region.lock().held, id),
    }
}

fn push(records: &Records, list: &mut Vec<ObligationId>, id: ObligationId) {
    let record = records.at(id.index()).expect("a token has a record");
    // Relaxed: the lock of the list orders it.
    record.position.store(list.len() as u32, Relaxed);
    list.push(id);
}

fn remove(records: &Records, list: &mut Vec<ObligationId>, id: ObligationId) -> bool {
    let record = records.at(id.index()).expect("a token has a record");
    let position = record.position.load(Relaxed);
    if list.get(position as usize) != Some(&id) {
        return false;
    }
    list.swap_remove(position as usize);
    if let Some(moved) = list.get(position as usize) {
        let record = records.at(moved.index()).expect("a token has a record");
        record.position.store(position, Relaxed);
    }
    true
}
