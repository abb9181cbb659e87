//! Warnings of tasks that are about to miss their deadline.

use std::sync::Arc;
use std::time::Duration;

use asr_base::{Budget, Outcome, TaskId, Time};
use asr_kernel::deadline::{Adaptive, MonitorConfig, Seen, Warning, Watcher, Why};
use asr_kernel::region::Spawn;
use asr_kernel::{Cx, RegionConfig};
use asr_lab::{Lab, LabConfig, Run};
use parking_lot::Mutex;

type Told = Arc<Mutex<Vec<Warning>>>;

const SECOND: Duration = Duration::from_secs(1);

fn monitor() -> (MonitorConfig, Told) {
    let told = Told::default();
    let tell = told.clone();
    let config = MonitorConfig::new(move |warning| tell.lock().push(warning.clone()));
    (config, told)
}

fn lab(monitor: MonitorConfig) -> Lab {
    let mut config = LabConfig::default();
    config.kernel.monitor = Some(monitor);
    Lab::new(config)
}

fn within(cx: &Cx, time: Duration) -> Budget {
    Budget::UNLIMITED.with_deadline(cx.now().saturating_add(time))
}

/// One task with a deadline in 100 s that checkpoints and sleeps for 300 s.
fn late(monitor: MonitorConfig) -> Run<()> {
    let run = lab(monitor).run(async |cx| {
        let options = Spawn::new().name("late").budget(within(&cx, 100 * SECOND));
        let task = cx.spawn_with(options, async |cx| {
            cx.checkpoint_at(&"about to sleep")?;
            cx.sleep(300 * SECOND).await?;
            Ok(())
        })?;
        let ended = task.join(&cx).await?;
        assert!(matches!(ended, Outcome::Cancelled(_)), "{ended:?}");
        Ok(())
    });
    run.expect("it ends")
}

#[test]
fn sch_43_one_warning_with_the_message_over_many_checks() {
    let (config, told) = monitor();
    // It is first seen at the first check, with 99 s left, and warned of at the first one with no
    // more than a fifth of them left.
    let run = late(config);
    let told = told.lock();
    let [warning] = &told[..] else {
        panic!("{told:#?}")
    };
    assert_eq!(warning.left, 19 * SECOND);
    assert_eq!(warning.watched, 80 * SECOND);
    assert_eq!(warning.deadline, Time::from_nanos(100 * 1_000_000_000));
    assert_eq!(warning.why, Why::LittleTimeLeft);
    assert_eq!(warning.message, Some("about to sleep"));
    let text = warning.to_string();
    assert!(
        text.contains("`late` has 19s left after 80s; last checkpoint: about to sleep"),
        "{text}"
    );
    // A check for each second with a deadline, and none after it.
    assert!((100..130).contains(&run.steps), "{} steps", run.steps);
}

#[test]
fn sch_42_interval_and_fraction_are_configurable() {
    for (interval, permille, left) in [(1, 500, 49), (10, 200, 10), (1, 0, 0), (1, 1000, 99)] {
        let (mut config, told) = monitor();
        config.interval = interval * SECOND;
        config.permille_left = permille;
        late(config);
        let told = told.lock();
        let found: Vec<_> = told.iter().map(|warning| warning.left).collect();
        // With 0 only a deadline that has passed is little; the cancel comes first.
        let expected = if permille == 0 {
            vec![]
        } else {
            vec![left * SECOND]
        };
        assert_eq!(found, expected, "{interval} s, {permille}");
    }
}

#[test]
fn sch_42_a_task_that_is_slower_than_its_name() {
    let (mut config, told) = monitor();
    config.permille_left = 0;
    config.adaptive = Some(Adaptive {
        percentile: 90,
        samples: 10,
    });
    let run = lab(config).run(async |cx| {
        for n in 1..=10 {
            let task = cx.spawn_with(Spawn::new().name("work"), async move |cx| {
                cx.sleep(n * SECOND).await?;
                Ok(())
            })?;
            task.join(&cx).await?.into_result()?;
        }
        let options =
            |cx: &Cx, name: &str| Spawn::new().name(name).budget(within(cx, 1000 * SECOND));
        let slow = async |cx: Cx| {
            cx.sleep(100 * SECOND).await?;
            Ok(())
        };
        let one = cx.spawn_with(options(&cx, "work"), slow)?;
        let other = cx.spawn_with(options(&cx, "other"), slow)?;
        one.join(&cx).await?.into_result()?;
        other.join(&cx).await?.into_result()?;
        Ok(())
    });
    assert!(run.expect("it ends").outcome.is_ok());
    let told = told.lock();
    let [warning] = &told[..] else {
        panic!("{told:#?}")
    };
    assert_eq!(warning.name.as_deref(), Some("work"));
    assert_eq!(warning.why, Why::SlowerThanUsual { usual: 9 * SECOND });
    assert_eq!(warning.watched, 10 * SECOND);
    assert!(warning.to_string().contains("most of its name take 9s"));
}

#[test]
fn sch_42_a_deadline_of_the_region_counts_and_a_panicking_callback_is_contained() {
    let told = Arc::new(Mutex::new(0));
    let tell = told.clone();
    let config = MonitorConfig::new(move |_| {
        *tell.lock() += 1;
        panic!("planted");
    });
    let run = lab(config).run(async |cx| {
        let region = RegionConfig::new().budget(within(&cx, 10 * SECOND));
        let outcome = cx.region(region, async |scope, _| {
            for _ in 0..3 {
                let _fiber = scope.fiber(async |cx| {
                    cx.sleep(20 * SECOND).await?;
                    Ok(())
                })?;
            }
            Ok(())
        });
        let ended = outcome.await;
        assert!(matches!(ended, Outcome::Cancelled(_)), "{ended:?}");
        Ok(())
    });
    assert!(run.expect("it ends").outcome.is_ok());
    assert_eq!(*told.lock(), 3, "each once");
}

#[test]
fn sch_42_bad_values_are_named() {
    let bad = |change: &dyn Fn(&mut MonitorConfig), word: &str| {
        let mut config = MonitorConfig::new(|_| ());
        change(&mut config);
        let error = config.checked().expect_err(word);
        assert_eq!(error.kind(), asr_base::Status::BAD_ARGUMENT);
        assert!(error.to_string().contains(word), "{error}");
    };
    bad(&|it| it.interval = Duration::ZERO, "`interval`");
    bad(&|it| it.permille_left = 1001, "`permille_left`");
    let adaptive = |percentile, samples| {
        Some(Adaptive {
            percentile,
            samples,
        })
    };
    bad(&|it| it.adaptive = adaptive(0, 1), "`percentile`");
    bad(&|it| it.adaptive = adaptive(101, 1), "`percentile`");
    bad(&|it| it.adaptive = adaptive(95, 0), "`samples`");
    assert!(MonitorConfig::new(|_| ()).checked().is_ok());
}

#[test]
fn sch_43_another_clock_counts_while_time_stands_still() {
    let config = MonitorConfig::new(|_| ());
    let second = |n: u64| Time::from_nanos(n * 1_000_000_000);
    let seen = || {
        [Seen {
            task: TaskId::new(1, 1),
            name: None,
            deadline: second(110),
            message: Some("stuck"),
        }]
    };
    let mut watcher = Watcher::new();
    let mut warned = Vec::new();
    // The driver's time stands at 10 s; the other clock, which began elsewhere, goes on.
    for n in 0..100 {
        let (warnings, watched) = watcher.check(&config, second(10), second(5000 + n), seen());
        assert_eq!(watched, 1);
        warned.extend(warnings.into_iter().map(|warning| (n, warning)));
    }
    let [(80, warning)] = &warned[..] else {
        panic!("{warned:#?}")
    };
    assert_eq!(
        (warning.left, warning.message),
        (20 * SECOND, Some("stuck"))
    );
    // It moves again, and has caught up: nothing is counted twice.
    let (warnings, _) = watcher.check(&config, second(109), second(5100), seen());
    assert_eq!(warnings, [], "one warning until it is gone");
    let (_, watched) = watcher.check(&config, second(109), second(5100), []);
    assert_eq!(watched, 0);
}
