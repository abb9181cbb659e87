//! What functions end with: refusals of a narrowed context, exceptions.

use asr_abi::status::CAP_DENIED;
use asr_kernel::cx::{Caps, caps};
use asr_rt::{Outcome, Spawn};

use crate::machines::*;
use crate::runtimes::{Runtime, done};
use crate::tools::spawn;

machine! {
    /// Returns.
    nothing(m, th) { let _ = (m, th); ret(0, OK) }
}

machine! {
    /// Ends with the status of the operation of its number, after a row that is refused.
    denied(m, th) {
        let got = match m.word[0] {
            0 => asr_i_sleep(th, m.slot(), 1),
            1 => asr_i_random_u64(th),
            2 => asr_i_region_open(th),
            _ => {
                let frame = asr_i_task_new(th, nothing, SIZE_2);
                asr_i_task_start(th, 0, frame)
            }
        };
        ret(got.status, OK)
    }
}

#[test]
fn abi_20_cap_6_a_narrowed_context_denies() {
    let runtime = Runtime::workers(1);
    let outcome = runtime.run(async |cx| {
        let mut found = Vec::new();
        let all = [
            Caps::ALL.without::<caps::Time>(),
            Caps::ALL.without::<caps::Entropy>(),
            Caps::ALL.without::<caps::Fiber>(),
        ];
        for (operation, left) in all.into_iter().enumerate() {
            let narrow = cx.share::<caps::Heal>().restrict(left);
            let frame = root(denied, SIZE, &[operation as u64]);
            let task = narrow.spawn_compiled(frame, Spawn::new())?;
            found.push(task.join(&cx).await?.into_result()?);
        }
        let none = cx.share::<caps::Heal>().restrict(Caps::NONE);
        let refused = none.spawn_compiled(root(denied, SIZE, &[3]), Spawn::new());
        assert!(refused.is_err_and(|refused| refused.status.code() == CAP_DENIED));
        Ok(found)
    });
    assert_eq!(done(outcome), [u64::from(CAP_DENIED); 3]);
}

/// The words of an outcome: how a task ended, as its joiner sees it.
#[test]
fn abi_27_part_what_a_task_ends_with_reaches_its_joiner() {
    let runtime = Runtime::workers(2);
    let outcome = runtime.run(async |cx| {
        let task = cx.spawn_compiled(root(throws, SIZE, &[77]), Spawn::new())?;
        let Outcome::Err(error) = task.join(&cx).await? else {
            panic!("it throws");
        };
        assert_eq!(error.kind().code() as u64, THREW);
        let task = cx.spawn_compiled(root(joins_thrower, SIZE, &[]), Spawn::new())?;
        task.join(&cx).await?.into_result()
    });
    assert_eq!(done(outcome), 77);
}

machine! {
    /// Throws `word[0]`.
    throws(m, th) { let _ = th; ret(m.word[0], THREW) }
}

machine! {
    /// The exception of a task that throws 77.
    joins_thrower(m, th) {
        if m.head.state == 0 {
            m.word[1] = spawn(th, 0, throws, &[77]);
        }
        let got = wait!(m, th, 1, asr_i_join(th, m.slot(), m.word[1]));
        assert_eq!(got.status, THREW);
        ret(got.value, OK)
    }
}
