//! What hand-written functions are made of.

use crate::machines::{Machine, SIZE_2, asr_i_task_new, asr_i_task_start};

/// The next word of an awaited row: from its start or its later polls; suspends if it is not there.
macro_rules! wait {
    ($m:ident, $th:ident, $k:literal, $start:expr) => {{
        let got = if $m.head.state == $k {
            $m.head.state = 0x7fff;
            asr_i_op_poll($th, $m.slot())
        } else {
            $start
        };
        if got.status == PENDING {
            return $m.suspend($th, $k);
        }
        got
    }};
}

/// What a row answered, as one assertion.
pub(crate) fn is(got: asr_abi::Ret, status: u32) -> u64 {
    assert_eq!(got.status, u64::from(status), "value {:#x}", got.value);
    got.value
}

/// Starts a task with these words; its handle.
pub(crate) fn spawn(
    th: &asr_abi::Thread,
    region: u64,
    poll: asr_kernel::compiled::PollFn,
    w: &[u64],
) -> u64 {
    // SAFETY: a function of this test, with the size of its frames.
    unsafe {
        let frame = asr_i_task_new(th, poll, SIZE_2).cast::<Machine>();
        (&mut (*frame).word)[..w.len()].copy_from_slice(w);
        is(asr_i_task_start(th, region, frame.cast()), 0)
    }
}
