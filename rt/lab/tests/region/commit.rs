//! Commit sections (REG-20).

use asr_base::{Outcome, Status};
use asr_kernel::obligation::{AbortCause, Kind};
use asr_kernel::{Escalation, RegionConfig};
use asr_trace::Sub;

use crate::checked::run;
use crate::common::{subs, turn};
use crate::tokens::Pool;

/// A body of so many polls in a section of 4, in a region of this mode, with a cancel pending. It
/// commits a token at its end; if it does not come to that, the token is aborted.
/// Returns whether it came to its end, and the overruns that were written.
fn section(polls: u32, mode: Escalation) -> (bool, Vec<(u64, u64)>) {
    let pool = Pool::new(1);
    let slots = pool.clone();
    let ran = run(async move |cx| {
        let config = RegionConfig::new().escalation(mode);
        let mut committed = None;
        let _: Outcome<(), _> = cx
            .region(config, async |scope, cx| {
                scope.handle().cancel("while it commits");
                let body = async {
                    let token = cx.reserve(slots.take(Kind::LEASE)?)?;
                    for _ in 1..polls {
                        turn().await;
                        cx.checkpoint()?;
                    }
                    token.commit(1).expect("the pool is there");
                    Ok::<_, asr_base::Failure>(())
                };
                let ended = cx.commit_section(4, body).await;
                committed = Some(match ended {
                    Ok(body) => body.is_ok(),
                    Err(error) => {
                        assert_eq!(error.kind(), Status::TIMED_OUT);
                        false
                    }
                });
                cx.checkpoint().expect_err("the mask has ended");
                Ok(())
            })
            .await;
        Ok(committed.expect("the section ended"))
    });
    let (committed, trace) = ran.ok();
    let aborts = match committed {
        true => vec![],
        false => vec![AbortCause::Unwound],
    };
    assert_eq!((pool.free(), pool.aborts()), (1, aborts));
    let overruns = subs(&trace, Sub::CommitSectionOverrun);
    (
        committed,
        overruns.iter().map(|event| (event.a, event.b)).collect(),
    )
}

#[test]
fn reg_20_a_section_has_its_polls() {
    for mode in [Escalation::Drop, Escalation::Panic, Escalation::Soft] {
        assert_eq!(section(3, mode), (true, vec![]));
        assert_eq!(section(4, mode), (true, vec![]));
        let soft = mode == Escalation::Soft;
        assert_eq!(section(5, mode), (soft, vec![(4, 5)]), "{mode:?}");
        assert_eq!(section(50, mode), (soft, vec![(4, 5)]), "once: {mode:?}");
    }
}
