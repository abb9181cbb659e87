//! A clock for short stretches: what a handler took, at a few ns a reading.
//!
//! On x86-64 the unit is the time-stamp counter, which runs at 1 GHz or more on every machine that
//! has an invariant one, so `ticks` is an upper bound of the ns it stands for; the exact number is
//! asked for only when the bound is exceeded. Elsewhere a tick is a ns of the runtime's clock.

/// Ticks now.
#[cfg(target_arch = "x86_64")]
pub fn now() -> u64 {
    #[allow(unsafe_code, reason = "reads the time-stamp counter")]
    // SAFETY: the instruction is part of x86-64 and has no effect but its result.
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
}

/// Ticks now.
#[cfg(not(target_arch = "x86_64"))]
pub fn now() -> u64 {
    super::now_ns()
}

/// A stretch of ticks in ns, at least approximately; never more than the ticks.
pub fn to_ns(ticks: u64) -> u64 {
    let (tick, ns) = (now(), super::now_ns());
    let (first_tick, first_ns) = origin();
    let (elapsed_ticks, elapsed_ns) = (tick.wrapping_sub(first_tick), ns.wrapping_sub(first_ns));
    if elapsed_ticks == 0 || elapsed_ns == 0 {
        return ticks;
    }
    let scaled = u128::from(ticks) * u128::from(elapsed_ns) / u128::from(elapsed_ticks);
    ticks.min(u64::try_from(scaled).unwrap_or(u64::MAX))
}

/// One moment on both clocks, the earliest that is known.
pub fn origin() -> (u64, u64) {
    static ORIGIN: std::sync::OnceLock<(u64, u64)> = std::sync::OnceLock::new();
    *ORIGIN.get_or_init(|| (now(), super::now_ns()))
}
