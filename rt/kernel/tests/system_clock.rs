//! The system's clock is stepped while deadlines are pending. Alone in its program, because it
//! takes the place of the C library's `clock_gettime`.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "answers for the system's clock")]

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use asr_base::{Outcome, Time};
use asr_kernel::sched::Local;
use asr_kernel::{Config, RegionConfig};

/// By how many seconds the wall clock is off.
static STEP: AtomicI64 = AtomicI64::new(0);

const HOUR: Duration = Duration::from_secs(3600);

/// The system's clocks, the wall clock stepped.
///
/// # Safety
/// As for the C library's: `time` points to room for a time, or is null.
// SAFETY: the name and the signature are the C library's, and so is the behaviour but for the step.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> i32 {
    // SAFETY: the caller's pointer goes on as it came.
    let done = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
    if done == 0 && clock == libc::CLOCK_REALTIME && !time.is_null() {
        // SAFETY: the call just wrote through it.
        unsafe { (*time).tv_sec += STEP.load(Relaxed) };
    }
    done as i32
}

/// That times saturate and that wall-clock time is another type is in the tests of `asr-base`.
#[test]
fn val_31_a_step_of_the_system_clock_moves_no_deadline() {
    for sign in [1, -1] {
        let outcome = Local::new(Config::default()).run(async move |cx| {
            let wall = SystemTime::now();
            let before = cx.now();
            // A step of an hour must not fire it.
            let far = cx.open_region(&RegionConfig::new().timeout(HOUR / 2))?;
            let sleeper = cx.spawn(async |cx| {
                let deadline = cx.now() + Duration::from_millis(20);
                cx.sleep_until(deadline).await?;
                Ok((deadline, cx.now()))
            })?;
            cx.yield_now().await?;
            STEP.fetch_add(sign * 3600, Relaxed);
            let stepped = match sign {
                1 => SystemTime::now().duration_since(wall),
                _ => wall.duration_since(SystemTime::now()),
            };
            let stepped = stepped.expect("the wall clock was stepped");
            assert!(stepped > HOUR / 2, "{stepped:?}");
            let (deadline, woken) = sleeper.join(&cx).await?.into_result()?;
            // Forth: neither was it woken early, nor does time jump. Back: it is woken at all.
            assert!(woken >= deadline);
            assert!(before <= woken && woken.since(before) < HOUR / 2);
            assert!(!far.region().has_cancel(), "half an hour has not passed");
            assert!(far.close(&cx).await.is_ok());
            STEP.fetch_sub(sign * 3600, Relaxed);
            Ok(woken)
        });
        assert!(
            matches!(outcome, Outcome::Ok(at) if at > Time::ZERO),
            "{outcome:?}"
        );
    }
}
