//! What a recovery block leaves behind: a panic that was caught, a section that overran.

use asr_abi::flag;
use asr_kernel::compiled::slot;
use asr_rt::{Escalation, Outcome, RegionConfig, Spawn};

use crate::machines::*;
use crate::runtimes::{Runtime, done};

machine! {
    /// An operation panics, which it catches; then it throws `word[0]`, or for 0 the panic.
    catches(m, th) {
        let got = slot::start::<32, _>(th, m.slot(), |_| async { panic!("caught") });
        assert_eq!(got.status, THREW);
        ret(if m.word[0] == 0 { got.value } else { m.word[0] }, THREW)
    }
}

#[test]
fn abi_26_a_panic_that_was_caught_is_no_later_exception() {
    let runtime = Runtime::workers(1);
    let outcome = runtime.run(async |cx| {
        let task = cx.spawn_compiled(root(catches, SIZE, &[77]), Spawn::new())?;
        let later = task.join(&cx).await?;
        let task = cx.spawn_compiled(root(catches, SIZE, &[0]), Spawn::new())?;
        let same = task.join(&cx).await?;
        Ok((later, same))
    });
    let (later, same) = done(outcome);
    assert!(matches!(later, Outcome::Err(_)), "{later:?}");
    assert!(matches!(same, Outcome::Panicked(_)), "{same:?}");
}

machine! {
    /// A mask, in it a section of one poll, in that a mask; overruns, and leaves the inner two.
    overruns(m, th) {
        if m.head.state == 0 {
            assert_eq!(asr_i_mask_enter(th).status, OK);
            assert_eq!(asr_i_commit_enter(th, 1).status, OK);
            assert_eq!(asr_i_mask_enter(th).status, OK);
            m.word[0] = 3;
        }
        while m.word[0] > 0 {
            let got = wait!(m, th, 1, asr_i_yield_now(th, m.slot()));
            assert_eq!(got.status, OK);
            m.word[0] -= 1;
            m.head.state = 0x7fff;
        }
        assert_eq!(th.mask_depth.get(), 1, "the section masks no more");
        // One that is entered after the overrun masks until it ends.
        assert_eq!(asr_i_mask_enter(th).status, OK);
        assert_eq!(th.mask_depth.get(), 2);
        for left in [1, 1] {
            asr_i_mask_leave(th);
            assert_eq!(th.mask_depth.get(), left);
        }
        asr_i_commit_leave(th);
        assert_eq!(th.mask_depth.get(), 1, "the outer mask is open still");
        assert_eq!(th.flag.load(std::sync::atomic::Ordering::Relaxed) & flag::CANCEL, 0);
        asr_i_mask_leave(th);
        assert_eq!(th.mask_depth.get(), 0);
        ret(0, OK)
    }
}

#[test]
fn reg_20_an_overrun_leaves_the_outer_mask() {
    for runtime in Runtime::each() {
        let outcome = runtime.run(async |cx| {
            let config = RegionConfig::new().escalation(Escalation::Drop);
            let region = cx.open_region(&config)?;
            let task = region.spawn_compiled(root(overruns, SIZE_2, &[]), Spawn::new())?;
            let ended = task.join(&cx).await?;
            drop(region.close(&cx).await);
            Ok(ended)
        });
        let ended = done(outcome);
        assert!(matches!(ended, Outcome::Ok(0)), "{ended:?}");
    }
}
