//! The claim of a scope that nobody else knows of, against those who look it up.
#![cfg(loom)]

use asr_kernel::region::refs::Refs;
use asr_kernel::sync::atomic::{AtomicU32, Ordering::*};
use asr_kernel::task::word::Word;
use loom::sync::Arc;
use loom::thread;

/// A count of references, whatever it belongs to.
trait Count: Send + Sync + 'static {
    fn scope() -> Self;
    fn claim(&self) -> bool;
    fn unclaim(&self);
    fn vacate(&self);
    /// The long way, before the references go.
    fn end(&self) {}
    fn look_up(&self) -> bool;
    fn release(&self) -> bool;
}

impl Count for Refs {
    fn scope() -> Refs {
        let refs = Refs::default();
        refs.renew(2);
        refs
    }
    fn claim(&self) -> bool {
        Refs::claim(self)
    }
    fn unclaim(&self) {
        Refs::unclaim(self);
    }
    fn vacate(&self) {
        Refs::vacate(self);
    }
    fn look_up(&self) -> bool {
        self.try_retain(false).is_some()
    }
    fn release(&self) -> bool {
        Refs::release(self)
    }
}

impl Count for Word {
    /// A body in its first poll, that has dropped its context.
    fn scope() -> Word {
        let word = Word::vacant();
        word.renew_polled();
        assert!(!word.release());
        word
    }
    fn claim(&self) -> bool {
        Word::claim(self)
    }
    fn unclaim(&self) {
        Word::unclaim(self);
    }
    fn vacate(&self) {
        Word::vacate(self);
    }
    fn end(&self) {
        assert!(self.complete().is_some());
    }
    fn look_up(&self) -> bool {
        self.try_retain()
    }
    fn release(&self) -> bool {
        Word::release(self)
    }
}

/// Up to three preemptions, as in the other models of words.
fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(check);
}

/// A look-up against a claim, which may be taken back: while somebody who looked it up has a
/// reference the record is not given back, it is given back once, and what they wrote is seen.
fn claimed_or_counted<C: Count>(bare: bool) {
    model(move || {
        let count = Arc::new(C::scope());
        let gone = Arc::new(AtomicU32::new(0));
        let wrote = Arc::new(AtomicU32::new(0));
        let others: Vec<_> = (0..1)
            .map(|_| {
                let (count, gone, wrote) = (count.clone(), gone.clone(), wrote.clone());
                thread::spawn(move || {
                    if !count.look_up() {
                        return (0, 0);
                    }
                    assert_eq!(gone.load(Relaxed), 0, "found after its end");
                    wrote.fetch_add(1, Relaxed);
                    assert_eq!(gone.load(Relaxed), 0, "given back under a reference");
                    (1, u32::from(count.release()))
                })
            })
            .collect();
        let claimed = count.claim();
        let mut last = 0;
        if claimed && bare {
            gone.store(1, Relaxed);
            count.vacate();
            last += 1;
        } else {
            if claimed {
                count.unclaim();
            }
            count.end();
            last += u32::from(count.release());
            last += u32::from(count.release());
        }
        let before = wrote.load(Relaxed);
        let mut found = 0;
        for other in others {
            let (looked, gave_back) = other.join().unwrap();
            found += looked;
            last += gave_back;
        }
        assert_eq!(last, 1, "the record is given back once");
        if claimed && bare {
            assert_eq!(before, found, "the claim comes after all that others did");
        }
        assert!(!count.look_up());
    });
}

#[test]
fn reg_7_a_region_is_claimed_or_found() {
    claimed_or_counted::<Refs>(true);
    claimed_or_counted::<Refs>(false);
}

#[test]
fn tsk_25_a_body_is_claimed_or_found() {
    claimed_or_counted::<Word>(true);
    claimed_or_counted::<Word>(false);
}

/// A scope within this one that ends: it counts its reference, then ends as a child. It needed none
/// to go up, so the claim may have come before; it is then taken back, and no reference is lost.
#[test]
fn reg_7_an_end_inside_against_the_claim() {
    model(|| {
        let refs = Arc::new(<Refs as Count>::scope());
        let children = Arc::new(AtomicU32::new(2));
        let gone = Arc::new(AtomicU32::new(0));
        let inside = (refs.clone(), children.clone(), gone.clone());
        let other = thread::spawn(move || {
            let (refs, children, gone) = inside;
            refs.retain();
            assert_eq!(gone.load(Relaxed), 0, "there is somebody inside");
            children.store(1, Release);
            refs.release()
        });
        let one_child = || children.load(Acquire) == 1;
        let mut last = false;
        let claimed = refs.claim();
        if claimed && one_child() {
            gone.store(1, Relaxed);
            refs.vacate();
        } else {
            if claimed {
                refs.unclaim();
            }
            last = true;
        }
        let others = other.join().unwrap();
        assert!(!others, "the scope and its body have theirs");
        if last {
            // The long way: they go when nobody is inside any more.
            last = !refs.release() && refs.release();
        }
        assert_eq!(u32::from(last) + gone.load(Relaxed), 1);
    });
}

/// A waker that the body left behind: either the claim fails, and the wake counts, or there is no
/// waker any more.
#[test]
fn tsk_11_a_wake_against_the_claim() {
    model(|| {
        let word = Arc::new(Word::scope());
        word.retain();
        let waker = word.clone();
        let other = thread::spawn(move || {
            let _ = waker.wake();
            waker.release()
        });
        let claimed = word.claim();
        assert!(!claimed || word.load().refs() == 0);
        if claimed {
            word.vacate();
        }
        let last = other.join().unwrap();
        assert!(!last, "the poll and the list have theirs");
        // A wake came before: noted in the word, so it is never the body alone.
        assert!(!claimed);
    });
}
