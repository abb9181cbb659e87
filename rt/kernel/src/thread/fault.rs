//! Faults of the language (rule ABI-24) and the words that stand for them.
//!
//! The exception word of a fault is its site under a tag that no language value uses; the code of
//! the fault stands in the site's record.

use asr_abi::Thread;

/// Upper 16 bits of a fault word.
pub const TAG: u64 = 0xFFFC;

/// The exception word of a fault at a site (48 bits).
pub const fn word(site: u64) -> u64 {
    TAG << 48 | site & 0xFFFF_FFFF_FFFF
}

/// The unit number that no unit has: below it stands a status instead of a site.
const STATUS_UNIT: u64 = 0xFFFF;

/// The exception word made of a status, where one is needed and nothing else is there: of a joined
/// task that was cancelled.
pub const fn status_word(status: u32) -> u64 {
    word(STATUS_UNIT << 32 | status as u64)
}

/// The site of a fault word; `None` for any other exception.
pub const fn site_of(word: u64) -> Option<u64> {
    if word >> 48 == TAG {
        Some(word & 0xFFFF_FFFF_FFFF)
    } else {
        None
    }
}

/// Reports the fault through the hooks and answers its exception word. Notes the site as the
/// innermost of a new error trace.
pub fn raise(th: &Thread, site: u64, code: u32) -> u64 {
    th.site.set(site);
    super::trace::clear(th);
    super::trace::push(th, site);
    super::hooks::get().anomaly(th, code);
    word(site)
}
