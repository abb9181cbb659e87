//! Frames of functions that are known by their poll addresses only (ABI-27, ABI-46): a size of 0.
#![allow(unsafe_code, reason = "plays compiled code")]

#[macro_use]
mod machines;

use asr_abi::{Frame, OpSlot, Ret, Thread};
use asr_kernel::Config;
use asr_kernel::compiled::{PollFn, frame_memory, give_back_here};
use asr_kernel::sched::Local;
use asr_rt::{Outcome, Spawn};
use machines::*;

const SMALL: u64 = 128;
/// Above the largest class.
const LARGE: u64 = 600;

/// Writes its whole frame behind the slot, yields, and returns `word` if all of it is there still.
unsafe fn fills(frame: *mut Frame, th: *const Thread, size: usize) -> Ret {
    // SAFETY: a frame of `size` bytes: a header, two words, a slot of 64 bytes at 64, the rest.
    unsafe {
        let word = frame.byte_add(32).cast::<u64>();
        let slot = frame.byte_add(64).cast::<OpSlot>();
        let rest = std::iter::once(40).chain((128..size).step_by(8));
        let got = if (*frame).state == 0 {
            for at in rest.clone() {
                frame.byte_add(at).cast::<u64>().write(*word + at as u64);
            }
            asr_i_yield_now(th, slot)
        } else {
            asr_i_op_poll(th, slot)
        };
        if got.status == PENDING {
            (*frame).state = 1;
            (*th).leaf.set(frame);
            return got;
        }
        for at in rest {
            assert_eq!(*frame.byte_add(at).cast::<u64>(), *word + at as u64);
        }
        ret(*word, got.status)
    }
}

unsafe extern "C" fn small(frame: *mut Frame, th: *const Thread) -> Ret {
    // SAFETY: forwarded.
    unsafe { fills(frame, th, SMALL as usize) }
}

unsafe extern "C" fn large(frame: *mut Frame, th: *const Thread) -> Ret {
    // SAFETY: forwarded.
    unsafe { fills(frame, th, LARGE as usize) }
}

const OF: [PollFn; 2] = [small, large];

machine! {
    /// Awaits `small` and `large` in turn, `word[0]` times, by their addresses.
    indirect(m, th) {
        if m.head.state == 1 {
            let child = m.word[1] as *mut Frame;
            let (value, state) = ((*child).value, (*child).state & 0xff);
            assert_eq!((value, u64::from(state)), (m.word[0], OK));
            asr_i_frame_free(th, child, 0);
            m.word[0] -= 1;
        }
        if m.word[0] == 0 {
            return ret(0, OK);
        }
        let poll = OF[m.word[0] as usize % 2];
        let child = asr_i_frame_new(th, poll);
        child.byte_add(32).cast::<u64>().write(m.word[0]);
        let got = poll(child, th);
        assert_eq!(got.status, PENDING);
        (*child).parent = &raw mut m.head;
        m.word[1] = child as u64;
        m.head.state = 1;
        got
    }
}

machine! {
    /// Starts tasks of both functions by their addresses, and lets them go.
    starts(m, th) {
        for word in 0..m.word[0] {
            let frame = asr_i_task_new(th, OF[word as usize % 2], 0);
            let size = [SMALL, LARGE][word as usize % 2];
            assert_eq!(u64::from((*frame).size_class), size.div_ceil(16));
            frame.byte_add(32).cast::<u64>().write(word);
            let started = asr_i_task_start(th, 0, frame);
            assert_eq!(started.status, OK);
            asr_i_task_detach(th, started.value);
        }
        ret(0, OK)
    }
}

/// One test, so that nobody else has frames.
#[test]
fn abi_46_part_a_size_of_0_is_that_of_the_function() {
    // What waits: the same from source, with the compiler.
    register_sized(11, &[(small, "small", SMALL), (large, "large", LARGE)]);
    register_unit(
        12,
        &[
            (indirect, "indirect", &[], &[40]),
            (starts, "starts", &[], &[]),
        ],
    );
    assert_eq!(frame_memory(), (0, 0));
    for (poll, count) in [(starts as PollFn, 100), (indirect, 10_000)] {
        let local = Local::new(Config::default());
        let outcome = local.run(async move |cx| {
            let task = cx.spawn_compiled(root(poll, SIZE_2, &[count]), Spawn::new())?;
            task.join(&cx).await?.into_result()
        });
        assert!(matches!(outcome, Outcome::Ok(0)), "{outcome:?}");
        let (_, bytes) = frame_memory();
        assert!(
            bytes <= 4 << 16,
            "blocks go back where they came from: {bytes}"
        );
        drop(local);
        give_back_here();
        assert_eq!(frame_memory(), (0, 0));
    }
}
