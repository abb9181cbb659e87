//! Slots with pockets and without.

use super::{Record, Seat, Slab};
use crate::sync::atomic::AtomicU32;

struct Plain {
    index: u32,
    generation: AtomicU32,
    link: AtomicU32,
}

impl Record for Plain {
    fn new(index: u32) -> Plain {
        Plain {
            index,
            generation: AtomicU32::new(0),
            link: AtomicU32::new(0),
        }
    }
    fn index(&self) -> u32 {
        self.index
    }
    fn generation(&self) -> &AtomicU32 {
        &self.generation
    }
    fn link(&self) -> &AtomicU32 {
        &self.link
    }
    fn is_owned(&self) -> bool {
        false
    }
}

/// Takes and gives back by a fixed pattern. Returns the indices that came.
fn indices(slab: &Slab<Plain>, rounds: u32) -> Vec<u32> {
    let (mut held, mut seen, mut random) = (Vec::new(), Vec::new(), 7u32);
    for _ in 0..rounds {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if random >> 31 == 0 || held.is_empty() {
            let slot = slab.alloc();
            // SAFETY: a slot of the slab, which outlives this.
            seen.push(unsafe { slot.as_ref() }.index);
            held.push(slot);
        } else {
            let at = (random >> 8) as usize % held.len();
            // SAFETY: taken above, and used by nobody.
            unsafe { slab.free(held.swap_remove(at)) };
        }
    }
    for slot in held {
        // SAFETY: as above.
        unsafe { slab.free(slot) };
    }
    seen
}

#[test]
fn val_30_one_thread_gets_the_same_slots_with_a_pocket_and_without() {
    let plain = indices(&Slab::new(0), 20_000);
    let slab = Slab::new(1);
    assert_eq!(indices(&slab, 20_000), plain, "nobody has the pocket");
    let slab = Slab::new(1);
    let seat = Seat::take(0);
    assert!(slab.enter(&seat));
    assert_eq!(indices(&slab, 20_000), plain);
    slab.leave(&seat);
}

#[test]
fn slots_in_a_pocket_go_to_the_next_thread_that_has_the_place() {
    let slab = Slab::new(2);
    for _ in 0..8 {
        let round = || {
            let seat = Seat::take(1);
            assert!(slab.enter(&seat));
            assert!(!slab.enter(&seat), "it has one owner");
            indices(&slab, 1_000);
            slab.leave(&seat);
        };
        std::thread::scope(|scope| drop(scope.spawn(round)));
    }
    let used = slab.iter().count();
    let seat = Seat::take(1);
    assert!(slab.enter(&seat));
    indices(&slab, 1_000);
    assert_eq!(slab.iter().count(), used, "nothing was lost");
}

#[test]
fn threads_share_a_slab_and_no_slot_has_two_owners() {
    let slab = &Slab::<Plain>::new(3);
    std::thread::scope(|scope| {
        for place in 0..5 {
            scope.spawn(move || {
                let seat = Seat::take(place);
                let entered = slab.enter(&seat);
                assert_eq!(entered, place < 3);
                let mut held = Vec::new();
                for round in 0..20_000u32 {
                    let slot = slab.alloc();
                    // SAFETY: a slot of the slab. `link` is its owner's while it has one.
                    let link = unsafe { slot.as_ref() }.link();
                    link.store(round, std::sync::atomic::Ordering::Relaxed);
                    held.push((slot, round));
                    if held.len() > 70 {
                        for (slot, round) in held.drain(..) {
                            // SAFETY: as above.
                            let link = unsafe { slot.as_ref() }.link();
                            let kept = link.load(std::sync::atomic::Ordering::Relaxed);
                            assert_eq!(kept, round, "somebody else had it");
                            // SAFETY: taken above, and used no more.
                            unsafe { slab.free(slot) };
                        }
                    }
                }
                if entered {
                    slab.leave(&seat);
                }
            });
        }
    });
}

#[test]
fn every_index_has_its_own_place() {
    use super::place;
    let mut before = (0, 0);
    for index in 1..100_000 {
        let here = place(index);
        let next = (before.0, before.1 + 1);
        let jump = (before.0 + 1, 0);
        assert!(here == next || (here == jump && next.1 == 64 << before.0));
        before = here;
    }
    assert!(place(u32::MAX).0 < super::CHUNKS + 1);
}

#[test]
fn a_record_is_found_by_its_address_and_nothing_else_is() {
    let slab = Slab::<Plain>::new(0);
    for index in 0..1000 {
        let slot = slab.alloc();
        let address = slot.as_ptr().addr();
        let found = slab.at(address).expect("a record");
        assert_eq!(found.index, index);
        assert!(slab.at(address + 1).is_none());
    }
    let last = slab.get(999).expect("a record");
    let next = std::ptr::from_ref(last).addr() + size_of::<Plain>();
    assert!(slab.at(next).is_none(), "was never used");
    assert!(slab.at(0).is_none() && slab.at(usize::MAX).is_none());
}
