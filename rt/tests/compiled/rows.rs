//! The rows of `tasks` and `sync`, called as compiled code calls them.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_abi::status::{
    ALREADY_RESOLVED, BAD_ARGUMENT, CLOSED, EMPTY, FULL, MASK_LIMIT, STALE_HANDLE, WRONG_TYPE,
};
use asr_kernel::obligation::Kind;
use asr_kernel::thread::fault::status_word;
use asr_rt::Spawn;

use crate::machines::*;
use crate::runtimes::{Runtime, done};
use crate::tools::{is, spawn};

machine! {
    /// Everything about permits, channels and semaphores that does not wait.
    script(m, th) {
        let _ = &m;
        // Stale, wrong, used twice.
        is(asr_i_commit(th, 0), STALE_HANDLE);
        is(asr_i_commit(th, u64::MAX), STALE_HANDLE);
        is(asr_i_chan_try_recv(th, 77), STALE_HANDLE);
        is(asr_i_task_is_done(th, 1), STALE_HANDLE);
        is(asr_i_region_cancel(th, 1 << 32), STALE_HANDLE);
        is(asr_i_reserve(th, 1000), BAD_ARGUMENT);
        is(asr_i_chan_new(th, 0), BAD_ARGUMENT);
        is(asr_i_budget_get(th, 9), BAD_ARGUMENT);
        let permit = is(asr_i_reserve(th, Kind::LEASE.number().into()), 0);
        is(asr_i_chan_send(th, permit, 1), WRONG_TYPE);
        is(asr_i_commit(th, permit), 0);
        is(asr_i_commit(th, permit), ALREADY_RESOLVED);
        is(asr_i_abort(th, permit), ALREADY_RESOLVED);
        let permit = is(asr_i_reserve(th, Kind::LEASE.number().into()), 0);
        is(asr_i_abort(th, permit), 0);

        // A channel of two.
        let chan = is(asr_i_chan_new(th, 2), 0);
        is(asr_i_sem_try_acquire(th, chan, 1), WRONG_TYPE);
        is(asr_i_notify_one(th, chan), WRONG_TYPE);
        is(asr_i_chan_try_recv(th, chan), EMPTY);
        let first = is(asr_i_chan_try_reserve(th, chan), 0);
        let second = is(asr_i_chan_try_reserve(th, chan), 0);
        is(asr_i_chan_try_reserve(th, chan), FULL);
        is(asr_i_commit(th, first), WRONG_TYPE);
        is(asr_i_chan_send(th, first, 11), 0);
        is(asr_i_chan_send(th, first, 11), ALREADY_RESOLVED);
        is(asr_i_abort(th, second), 0);
        let second = is(asr_i_chan_try_reserve(th, chan), 0);
        is(asr_i_chan_send(th, second, 12), 0);
        assert_eq!(is(asr_i_chan_try_recv(th, chan), 0), 11);
        let third = is(asr_i_chan_try_reserve(th, chan), 0);
        is(asr_i_chan_close(th, chan), 0);
        let back = asr_i_chan_send(th, third, 13);
        assert_eq!((back.status, back.value), (u64::from(CLOSED), 13), "handed back");
        is(asr_i_chan_try_reserve(th, chan), CLOSED);
        assert_eq!(is(asr_i_chan_try_recv(th, chan), 0), 12, "what is in it is received");
        is(asr_i_chan_try_recv(th, chan), CLOSED);
        is(asr_i_chan_free(th, chan), 0);
        is(asr_i_chan_free(th, chan), STALE_HANDLE);
        is(asr_i_chan_try_recv(th, chan), STALE_HANDLE);
        let again = is(asr_i_chan_new(th, 1), 0);
        assert_ne!(again, chan);
        is(asr_i_chan_try_recv(th, chan), STALE_HANDLE);

        // A semaphore of three.
        let sem = is(asr_i_sem_new(th, 3), 0);
        let two = is(asr_i_sem_try_acquire(th, sem, 2), 0);
        is(asr_i_sem_try_acquire(th, sem, 2), FULL);
        is(asr_i_commit(th, two), 0);
        let two = is(asr_i_sem_try_acquire(th, sem, 3), 0);
        is(asr_i_abort(th, two), 0);
        is(asr_i_sem_free(th, sem), 0);
        is(asr_i_sem_try_acquire(th, sem, 1), STALE_HANDLE);

        // Masks.
        for _ in 0..8 {
            is(asr_i_mask_enter(th), 0);
        }
        is(asr_i_mask_enter(th), MASK_LIMIT);
        is(asr_i_commit_enter(th, 3), MASK_LIMIT);
        for _ in 0..9 {
            asr_i_mask_leave(th);
        }
        assert_eq!(th.mask_depth.get(), 0);
        is(asr_i_commit_enter(th, 3), 0);
        assert_eq!(th.mask_depth.get(), 1);
        asr_i_commit_leave(th);
        assert_eq!(th.mask_depth.get(), 0);

        assert_eq!(is(asr_i_budget_get(th, 1), 0), u64::MAX);
        is(asr_i_charge(th, 5), 0);
        is(asr_i_random_u64(th), 0);
        ret(1, OK)
    }
}

machine! {
    /// Sends `word[1]` words into channel `word[0]`: 1, 2, ...
    sender(m, th) {
        if m.head.state == 0 {
            m.word[2] = 0;
        }
        while m.word[2] < m.word[1] {
            let permit = wait!(m, th, 1, asr_i_chan_reserve(th, m.slot(), m.word[0]));
            if permit.status != OK {
                return permit;
            }
            m.word[2] += 1;
            is(asr_i_chan_send(th, permit.value, m.word[2]), 0);
        }
        ret(m.word[2], OK)
    }
}

machine! {
    /// Receives from channel `word[0]` until it is closed; the sum.
    receiver(m, th) {
        if m.head.state == 0 {
            m.word[2] = 0;
        }
        loop {
            let got = wait!(m, th, 1, asr_i_chan_recv(th, m.slot(), m.word[0]));
            match got.status {
                OK => m.word[2] += got.value,
                status if status == u64::from(CLOSED) => return ret(m.word[2], OK),
                _ => return got,
            }
        }
    }
}

static IN: AtomicU64 = AtomicU64::new(0);

machine! {
    /// Takes semaphore `word[0]`, of one unit, `word[1]` times; nobody else has it meanwhile.
    locker(m, th) {
        if m.head.state == 0 {
            m.word[2] = 0;
        }
        while m.word[2] < m.word[1] {
            if m.head.state != 2 {
                let permit = wait!(m, th, 1, asr_i_sem_acquire(th, m.slot(), m.word[0], 1));
                if permit.status != OK {
                    return permit;
                }
                m.word[3] = permit.value;
                assert_eq!(IN.fetch_add(1, Relaxed), 0, "alone");
            }
            let yielded = wait!(m, th, 2, asr_i_yield_now(th, m.slot()));
            IN.fetch_sub(1, Relaxed);
            is(asr_i_commit(th, m.word[3]), 0);
            if yielded.status != OK {
                return yielded;
            }
            m.head.state = 0x7fff;
            m.word[2] += 1;
        }
        ret(0, OK)
    }
}

machine! {
    /// A region with three senders, two receivers and four lockers, all of which it closes; the
    /// receivers are joined first. The sum that was received.
    concert(m, th) {
        if m.head.state == 0 {
                m.area[16] = is(asr_i_region_open(th), 0);
                m.area[17] = is(asr_i_chan_new(th, 4), 0);
                m.area[18] = is(asr_i_sem_new(th, 1), 0);
                for at in 0..3 {
                    m.area[19 + at] = spawn(th, 0, sender, &[m.area[17], m.word[0]]);
                }
                for at in 0..2 {
                    m.area[22 + at] = spawn(th, m.area[16], receiver, &[m.area[17]]);
                }
                for _ in 0..4 {
                    let task = spawn(th, m.area[16], locker, &[m.area[18], 20]);
                    is(asr_i_task_detach(th, task), 0);
                    is(asr_i_task_is_done(th, task), STALE_HANDLE);
                }
                m.word[1] = 0;
                m.word[2] = 0;
        }
        // Three senders, then the receivers.
        while m.word[1] < 5 {
            let at = 19 + m.word[1] as usize;
            let got = wait!(m, th, 1, asr_i_join(th, m.slot(), m.area[at]));
            is(got, 0);
            is(asr_i_task_cancel(th, m.area[at]), STALE_HANDLE);
            m.word[1] += 1;
            if m.word[1] == 3 {
                is(asr_i_chan_close(th, m.area[17]), 0);
            }
            if m.word[1] > 3 {
                m.word[2] += got.value;
            }
        }
        let closed = wait!(m, th, 3, asr_i_region_close(th, m.slot(), m.area[16]));
        is(closed, 0);
        is(asr_i_region_cancel(th, m.area[16]), STALE_HANDLE);
        ret(m.word[2], OK)
    }
}

machine! {
    /// Waits for signal `word[0]`.
    listener(m, th) {
        wait!(m, th, 1, asr_i_notify_wait(th, m.slot(), m.word[0]))
    }
}

static RAN: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" fn finalizer(th: *const asr_abi::Thread, argument: u64) -> asr_abi::Ret {
    // SAFETY: the state of this thread.
    let inside = unsafe { !(*th).task.get().is_null() };
    RAN.fetch_add(argument * u64::from(inside), Relaxed);
    ret(0, OK)
}

machine! {
    /// Signals, a region that is cancelled, one that is given up, finalizers.
    ends(m, th) {
        if m.head.state == 0 {
            m.area[16] = is(asr_i_region_open(th), 0);
            m.area[17] = is(asr_i_notify_new(th), 0);
            m.area[18] = spawn(th, m.area[16], listener, &[m.area[17]]);
            let code = finalizer as *const () as *const u8;
            is(asr_i_region_defer(th, m.area[16], code, 5), 0);
            is(asr_i_region_defer(th, m.area[16], std::ptr::null(), 5), BAD_ARGUMENT);
            is(asr_i_notify_one(th, m.area[17]), 0);
            m.area[19] = is(asr_i_region_open(th), 0);
            m.area[20] = spawn(th, m.area[19], listener, &[m.area[17]]);
            m.area[21] = is(asr_i_region_open(th), 0);
            let task = spawn(th, m.area[21], listener, &[m.area[17]]);
            is(asr_i_task_detach(th, task), 0);
            m.word[1] = 0;
        }
        if m.word[1] == 0 {
            // One of the three got it; the others are let go below.
            let woken = wait!(m, th, 1, asr_i_yield_now(th, m.slot()));
            is(woken, 0);
            is(asr_i_notify_all(th, m.area[17]), 0);
            m.word[1] = 1;
        }
        if m.word[1] == 1 {
            is(asr_i_region_cancel(th, m.area[19]), 0);
            m.word[1] = 2;
        }
        if m.word[1] == 2 {
            is(wait!(m, th, 2, asr_i_region_abandon(th, m.slot(), m.area[21])), 0);
            m.word[1] = 3;
        }
        if m.word[1] == 3 {
            let closed = wait!(m, th, 3, asr_i_region_close(th, m.slot(), m.area[19]));
            assert!(closed.status == OK && closed.value <= 1);
            m.word[1] = 4;
            is(asr_i_notify_free(th, m.area[17]), 0);
        }
        let closed = wait!(m, th, 4, asr_i_region_close(th, m.slot(), m.area[16]));
        // Its listener was told, or came when the signal was gone, and failed with CLOSED.
        assert!(closed.status == OK || closed.value == status_word(CLOSED), "{closed:?}");
        ret(RAN.load(Relaxed), OK)
    }
}

fn register_rows() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        register_unit(
            9,
            &[
                (script, "script", &[], &[]),
                (sender, "sender", &[64], &[]),
                (receiver, "receiver", &[64], &[]),
                (locker, "locker", &[64], &[]),
                (concert, "concert", &[64], &[]),
                (listener, "listener", &[64], &[]),
                (ends, "ends", &[64], &[]),
            ],
        );
    });
}

fn run(runtime: &Runtime, poll: asr_kernel::compiled::PollFn, words: &'static [u64]) -> u64 {
    register_rows();
    let outcome = runtime.run(async move |cx| {
        let task = cx.spawn_compiled(root(poll, SIZE_2, words), Spawn::new())?;
        task.join(&cx).await?.into_result()
    });
    done(outcome)
}

#[test]
fn obl_33_val_28_handles_are_good_once() {
    for runtime in Runtime::each() {
        assert_eq!(run(&runtime, script, &[]), 1);
        let (kernel, none) = (runtime.kernel(), 0);
        assert_eq!(kernel.obligations().recorded(), none);
    }
}

#[test]
fn abi_17_tasks_regions_channels_and_locks_work_together() {
    for runtime in Runtime::each() {
        assert_eq!(run(&runtime, concert, &[50]), 3 * 50 * 51 / 2);
        assert_eq!(runtime.kernel().obligations().recorded(), 0);
    }
}

#[test]
fn reg_11_reg_15_regions_of_compiled_code_close_and_finalize() {
    for runtime in Runtime::each() {
        let before = RAN.load(Relaxed);
        let after = run(&runtime, ends, &[]);
        assert_eq!(after - before, 5, "the finalizer ran once, in a task");
    }
}
