//! The table of channels and locks: `sync`.
//!
//! Channels and locks are named by ids. They belong to the region of the task that made them, and
//! are freed when it closes, or before by `chan_free` and the like; their ids are stale then. A
//! word in a channel is 64 bits of the program's own; what is still in it when it is freed is
//! counted as undelivered.

use crate::Table;

/// Hands the rows of the table to a macro, after the given arguments.
#[macro_export]
macro_rules! sync_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// A channel for `capacity` words; any task may send and receive.
        chan_new(capacity: u32) -> u64, fails [BAD_ARGUMENT REGION_CLOSING REGION_CLOSED],
            does [];
        /// Waits for a place in the channel.
        chan_reserve(chan: u64) -> permit,
            fails [CANCELLED CLOSED STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [CancelPoint],
            slot 128;
        /// Takes a place in the channel if there is one.
        chan_try_reserve(chan: u64) -> permit,
            fails [FULL CLOSED STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// Sends a word into the place. Handed back if nobody receives any more.
        chan_send(permit: permit, word: u64) -> unit,
            fails [CLOSED ALREADY_RESOLVED NOT_HOLDER STALE_HANDLE WRONG_TYPE BAD_ARGUMENT],
            does [];
        /// Waits for the next word. CLOSED once the channel is closed and empty.
        chan_recv(chan: u64) -> u64,
            fails [CANCELLED CLOSED STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [CancelPoint],
            slot 128;
        /// The next word, if there is one.
        chan_try_recv(chan: u64) -> u64,
            fails [EMPTY CLOSED STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// Closes the channel: nothing is sent any more, what is in it is still received.
        chan_close(chan: u64) -> unit, fails [STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// Closes the channel and frees it with what is in it.
        chan_free(chan: u64) -> unit, fails [STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// A semaphore with so many units; a mutex is one with a single unit.
        sem_new(units: u32) -> u64, fails [BAD_ARGUMENT REGION_CLOSING REGION_CLOSED], does [];
        /// Waits for so many units, first come first served; `commit` or `abort` releases them.
        sem_acquire(sem: u64, units: u32) -> permit,
            fails [CANCELLED CLOSED STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [CancelPoint],
            slot 128;
        /// Takes so many units if they are there.
        sem_try_acquire(sem: u64, units: u32) -> permit,
            fails [FULL CLOSED STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// Frees the semaphore; those who wait get CLOSED.
        sem_free(sem: u64) -> unit, fails [STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// A signal that tasks wait for.
        notify_new() -> u64, fails [BAD_ARGUMENT REGION_CLOSING REGION_CLOSED], does [];
        /// Waits for a notification.
        notify_wait(notify: u64) -> unit,
            fails [CANCELLED CLOSED STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [CancelPoint],
            slot 128;
        /// Wakes one who waits, or the next who will.
        notify_one(notify: u64) -> unit, fails [STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// Wakes all who wait.
        notify_all(notify: u64) -> unit, fails [STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// Frees the signal; those who wait get CLOSED.
        notify_free(notify: u64) -> unit, fails [STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
    } };
}

/// The table as data.
pub const SYNC: Table = crate::sync_table!(crate::rows, "sync");
