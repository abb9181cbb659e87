//! Series E: front ends: text of AIR and of ProXPL, the driver.

use super::Code;

/// The rows, in order of their numbers. Numbers are never reused.
pub(super) const ROWS: &[Code] = codes! { E
};
