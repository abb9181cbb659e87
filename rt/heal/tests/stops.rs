//! Starts and stops of the supervisor, one after the other.

use asr_heal::Supervisor;

/// HEAL-17: a stop that comes at any moment of the loop of the supervisor is seen; one that it
/// overlooked would be waited for without end. The pauses move the stop over the start of the
/// thread, its first looks and its sleep.
#[test]
fn heal_17_a_stop_is_seen_whenever_it_comes() {
    for round in 0..10_000u32 {
        let supervisor = Supervisor::start(4).expect("a thread").expect("the only");
        for _ in 0..(round % 64) * 40 {
            std::hint::spin_loop();
        }
        drop(supervisor);
    }
}
