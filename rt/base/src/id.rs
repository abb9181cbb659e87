//! Ids: 32 bits of slot index (low), 32 bits of generation (high). A generation is never zero, so
//! the all-zero id is never valid, and an id that outlived its object never names its successor
//! (VAL-27).
//!
//! Order is that of the 64-bit numbers.
//!
//! ```
//! use asr_base::TaskId;
//!
//! let id = TaskId::new(3, 1);
//! assert_eq!(id.to_string(), "T3.1");
//! assert_eq!(TaskId::from_bits(id.to_bits()), Some(id));
//! assert_eq!(TaskId::from_bits(0), None);
//! ```

use core::fmt;
use core::num::NonZeroU64;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $letter:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The id of a slot in a generation, as a slab gives them.
            ///
            /// # Panics
            /// When the generation is 0, which no slab gives. Bits from outside come in through
            /// `from_bits`.
            #[inline]
            pub const fn new(index: u32, generation: u32) -> $name {
                match $name::from_bits((generation as u64) << 32 | index as u64) {
                    Some(id) => id,
                    None => panic!("generation 0"),
                }
            }

            /// The slot.
            #[inline]
            pub const fn index(self) -> u32 {
                self.0.get() as u32
            }

            /// How often the slot was given out, this time included.
            #[inline]
            pub const fn generation(self) -> u32 {
                (self.0.get() >> 32) as u32
            }

            /// Generation above index.
            #[inline]
            pub const fn to_bits(self) -> u64 {
                self.0.get()
            }

            /// The id with these bits, if it can exist: its generation is not 0.
            #[inline]
            pub const fn from_bits(bits: u64) -> Option<$name> {
                if bits >> 32 == 0 {
                    return None;
                }
                match NonZeroU64::new(bits) {
                    Some(bits) => Some($name(bits)),
                    None => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}.{}"), self.index(), self.generation())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

ids! {
    /// A region: `R0.1`.
    RegionId "R";
    /// A task: `T3.1`.
    TaskId "T";
    /// An obligation: `O0.1`.
    ObligationId "O";
    /// A timer: `W0.1` (what waits).
    TimerId "W";
    /// Interest in an event of the operating system: `I0.1`.
    TokenId "I";
    /// A value in a region's heap: `H0.1`.
    HeapId "H";
}
