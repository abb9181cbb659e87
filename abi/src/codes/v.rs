//! Series V: the verifier of AIR.

use super::Code;

/// The rows, in order of their numbers. Numbers are never reused.
pub(super) const ROWS: &[Code] = codes! { V
};
