//! Random operations against models that are too simple to be wrong: one call at a time, futures
//! polled by hand, each with a waker that says whether it was woken.

mod models {
    pub(crate) mod channel;
    pub(crate) mod notify;
    pub(crate) mod permits;
    pub(crate) mod probe;
}

use proptest::prelude::*;

/// Operations as pairs of small numbers; each model reads them as it likes.
fn operations() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((0..16_u8, any::<u8>()), 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn chn_21_a_semaphore_is_its_model(total in 1..6_u32, operations in operations()) {
        models::permits::semaphore(total, operations);
    }

    #[test]
    fn chn_16_a_mutex_is_its_model(operations in operations()) {
        models::permits::mutex(operations);
    }

    #[test]
    fn chn_23_notify_is_its_model(operations in operations()) {
        models::notify::check(operations);
    }

    #[test]
    fn chn_7_a_channel_is_its_model(capacity in 1..5_usize, operations in operations()) {
        models::channel::check(capacity, operations);
    }
}
