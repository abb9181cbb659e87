//! Narrowing allocates nothing (CAP-8). Alone in its program, because it counts every allocation.

#[path = "../../base/tests/counting/mod.rs"]
mod counting;

use asr_base::Outcome;
use asr_kernel::cx::caps::{Entropy, Heal, Io, Task, Time, Trace};
use asr_kernel::cx::{Caps, Checked};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};
use counting::counted;

#[test]
fn cap_8_narrowing_allocates_nothing() {
    let outcome = Local::new(Config::default()).run(async |cx| {
        assert_eq!(counted(|| Box::new(7)).1, 1, "it counts");
        let (shared, count) = counted(|| cx.share::<Io>());
        assert_eq!(count, 0);
        let (narrow, count) = counted(|| shared.without::<Time>().without::<Entropy>());
        assert_eq!(count, 0);
        let bits = Caps::ALL.without::<Trace>();
        let (checked, count): (Cx<Checked>, _) = counted(|| narrow.restrict(bits));
        assert_eq!(count, 0);
        let (last, count) = counted(|| checked.without::<Heal>().restrict(Caps::ALL));
        assert_eq!(count, 0);
        assert!(!last.caps().has::<Trace>() && last.caps().has::<Task>());
        // To use what is left costs nothing more either.
        let (allowed, count) = counted(|| last.require::<Task>("spawn"));
        allowed?;
        assert_eq!(count, 0);
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}
