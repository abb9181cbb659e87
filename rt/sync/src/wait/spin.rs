//! Waiting for a few instructions of another thread (CHN-26).

/// The most turns of a spin. A neighbour that was interrupted takes a thousand times longer: who
/// has spun so often goes and lets others run.
pub const SPINS_MAX: u32 = 64;

/// True once `done`, false after [`SPINS_MAX`] turns.
pub fn spin(mut done: impl FnMut() -> bool) -> bool {
    for _ in 0..SPINS_MAX {
        if done() {
            return true;
        }
        pause();
    }
    false
}

#[cfg(not(loom))]
fn pause() {
    std::hint::spin_loop();
}

#[cfg(loom)]
fn pause() {
    loom::thread::yield_now();
}

#[cfg(test)]
mod tests {
    use super::spin;

    /// Part: all primitives that there are spin here, and nowhere else; later ones have to as well.
    #[test]
    fn chn_26_part_a_spin_is_bounded() {
        let mut turns = 0;
        assert!(!spin(|| {
            turns += 1;
            false
        }));
        assert_eq!(turns, 64);
        assert!(spin(|| true));
    }
}
