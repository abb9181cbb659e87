//! Where a deadline belongs, seen from the cursor: pure arithmetic and one bitmap per level.
//!
//! A deadline is read as eleven digits of six bits. It lies in the level of the first digit, from
//! the top, in which it differs from the cursor, in the slot of that digit's value. So
//! 1. all deadlines of a level come before all deadlines of the levels above it;
//! 2. inside a level a deadline's digit is greater than the cursor's, and slots are in order;
//! 3. equal deadlines always share a slot, whenever they were registered;
//! 4. moving the cursor to a time before the first occupied slot changes no deadline's place.
//!
//! 1 and 2 make the first slot a matter of two `trailing_zeros`, however far away it is: a jump of
//! ten years walks nothing. After G. Varghese, T. Lauck, "Hashed and hierarchical timing wheels"
//! (1987), with the levels of a radix heap (R. Ahuja et al., "Faster algorithms for the shortest
//! path problem", 1990).

/// Bits of a digit.
const BITS: u32 = 6;
/// Slots of a level.
pub(super) const SLOTS: usize = 1 << BITS;
/// Digits that 64 bits have: with them all, no deadline is out of range but never.
pub(super) const LEVELS: usize = 11;

const _: () = assert!(LEVELS as u32 * BITS >= u64::BITS && (LEVELS as u32 - 1) * BITS < u64::BITS);
const _: () = assert!(LEVELS <= u16::BITS as usize && SLOTS == u64::BITS as usize);

/// The list in which `deadline` lies; it must be after `cursor`.
pub(super) fn place(cursor: u64, deadline: u64) -> usize {
    debug_assert!(deadline > cursor);
    let level = (u64::BITS - 1 - (cursor ^ deadline).leading_zeros()) / BITS;
    level as usize * SLOTS + (deadline >> (level * BITS)) as usize % SLOTS
}

/// Which slots hold timers.
#[derive(Clone, Default)]
pub(super) struct Occupied {
    slots: [u64; LEVELS],
    /// The levels of which some slot is occupied.
    levels: u16,
}

/// An occupied slot: its list, and the first and last nanosecond that belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot {
    pub(super) list: usize,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Occupied {
    pub(super) fn set(&mut self, list: usize) {
        self.slots[list / SLOTS] |= 1 << (list % SLOTS);
        self.levels |= 1 << (list / SLOTS);
    }

    pub(super) fn clear(&mut self, list: usize) {
        let level = list / SLOTS;
        self.slots[level] &= !(1 << (list % SLOTS));
        if self.slots[level] == 0 {
            self.levels &= !(1 << level);
        }
    }

    /// The earliest occupied slot.
    pub(super) fn first(&self, cursor: u64) -> Option<Slot> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some(slot(cursor, level, self.slots[level].trailing_zeros()))
    }

    /// All occupied slots, earliest first.
    pub(super) fn iter(&self, cursor: u64) -> impl Iterator<Item = Slot> + '_ {
        (0..LEVELS).flat_map(move |level| {
            let mut rest = self.slots[level];
            std::iter::from_fn(move || {
                let digit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(slot(cursor, level, digit))
            })
        })
    }
}

fn slot(cursor: u64, level: usize, digit: u32) -> Slot {
    let shift = level as u32 * BITS;
    // The digits above this level are the cursor's; the top level has none above.
    let above = u64::MAX.checked_shl(shift + BITS).unwrap_or(0);
    let first = cursor & above | u64::from(digit) << shift;
    Slot {
        list: level * SLOTS + digit as usize,
        first,
        last: first | ((1 << shift) - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_slot_holds_its_deadline() {
        let cases = [
            (0, 1),
            (0, 63),
            (0, 64),
            (63, 64),
            (1_000_000, 2_000_000),
            (7, 315_360_000_000_000_000),
            (0, u64::MAX - 1),
            (1 << 60, u64::MAX - 1),
        ];
        for (cursor, deadline) in cases {
            let mut occupied = Occupied::default();
            let list = place(cursor, deadline);
            occupied.set(list);
            let slot = occupied.first(cursor).expect("one is occupied");
            assert_eq!(slot.list, list);
            assert!(slot.first > cursor && slot.first <= deadline && deadline <= slot.last);
            assert_eq!(occupied.iter(cursor).collect::<Vec<_>>(), [slot]);
            occupied.clear(list);
            assert_eq!(occupied.first(cursor), None);
        }
    }
}
