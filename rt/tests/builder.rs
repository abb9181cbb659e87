//! Values of a runtime, from methods and from files.

use std::sync::{Arc, Mutex};

use asr_base::{Duration, Error, Outcome, Status};
use asr_kernel::obligation::{Escalate, LeakResponse};
use asr_kernel::sched::governor::{Advice, Governor, Snapshot};
use asr_rt::{Builder, RegionConfig, Spawn};
use asr_trace::ClockMode;

fn read(text: &str) -> Result<Builder, Error> {
    Builder::new().config_text("asr.toml", text)
}

/// What a refusal says; it is of kind `BAD_ARGUMENT`, and does not pass by itself.
fn refused(text: &str) -> String {
    let error = read(text).expect_err(text);
    assert_eq!(error.kind(), Status::BAD_ARGUMENT, "{error}");
    assert!(error.is_permanent());
    error.message().to_owned()
}

/// What a method does.
type Method = fn(Builder) -> Builder;

/// Each key, with a value that is not the default, and the method that does the same.
fn each() -> Vec<(&'static str, Method)> {
    vec![
        ("workers = 3", |b| b.workers(3)),
        ("search = '0 s'", |b| b.search(Duration::ZERO)),
        ("tick = '5 ms'", |b| b.tick(Duration::from_millis(5))),
        ("slice = '2 ms'", |b| b.slice(Duration::from_millis(2))),
        ("poll_warn = '3 ms'", |b| {
            b.poll_warn(Duration::from_millis(3))
        }),
        ("cancel_streak = 8", |b| b.cancel_streak(8)),
        ("timed_streak = 8", |b| b.timed_streak(8)),
        ("lifo_streak = 1", |b| b.lifo_streak(1)),
        ("injector_interval = 7", |b| b.injector_interval(7)),
        ("governor = true", |b| b.governor(true)),
        ("governor_interval = 8", |b| b.governor_interval(8)),
        ("layout = 'node:2  core:4'", |b| {
            b.layout("node:2 core:4".parse().expect("a layout"))
        }),
        ("trace_events = 1_000", |b| b.trace_events(1000)),
        ("clock_mode = 'hybrid'", |b| b.clock_mode(ClockMode::Hybrid)),
        ("blocking_min_threads = 2", |b| b.blocking_min_threads(2)),
        ("blocking_max_threads = 0x10", |b| {
            b.blocking_max_threads(16)
        }),
        ("blocking_idle = '5 s'", |b| {
            b.blocking_idle(Duration::from_secs(5))
        }),
        ("queue_capacity = 1_000", |b| b.queue_capacity(1000)),
        ("futurelock_idle = '2 s'", |b| {
            b.futurelock_idle(Duration::from_secs(2))
        }),
        ("deadline_monitor = true", |b| b.deadline_monitor(true)),
        ("deadline_interval = '20 ms'", |b| {
            b.deadline_interval(Duration::from_millis(20))
        }),
        ("deadline_permille_left = 0b101", |b| {
            b.deadline_permille_left(5)
        }),
        ("deadline_percentile = 50", |b| b.deadline_percentile(50)),
        ("deadline_samples = 16", |b| b.deadline_samples(16)),
        ("coop_budget = 7", |b| b.coop_budget(7)),
        ("cleanup_duration = '1500 ms'", |b| {
            b.cleanup_duration(Duration::from_millis(1500))
        }),
        ("cleanup_polls = 99", |b| b.cleanup_polls(99)),
        ("shutdown_grace = '1 min'", |b| {
            b.shutdown_grace(Duration::from_secs(60))
        }),
        ("mask_depth_max = 3", |b| b.mask_depth_max(3)),
        ("swallow_limit = 0", |b| b.swallow_limit(0)),
        ("attribution_links = 2", |b| b.attribution_links(2)),
        ("attribution_bytes = 1_000", |b| b.attribution_bytes(1000)),
        ("leak_response = 'log'", |b| {
            b.leak_response(LeakResponse::Log)
        }),
        (
            "leak_escalation = { threshold = 3, response = 'panic' }",
            |b| {
                b.leak_escalation(Escalate {
                    threshold: 3,
                    response: LeakResponse::Panic,
                })
            },
        ),
        // Not what either kind of build has: both are tried.
        ("leak_records = true", |b| b.leak_records(true)),
        ("leak_records = false", |b| b.leak_records(false)),
    ]
}

/// A governor without advice.
struct Silent;

impl Governor for Silent {
    fn advise(&mut self, _: &Snapshot) -> Advice {
        Advice::new()
    }
}

/// The names of the keys, as the file of all of them has them.
fn names() -> Vec<String> {
    let file = Builder::new().to_toml();
    let entries = file
        .split("\n\n")
        .filter_map(|entry| entry.lines().last())
        .filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    entries.map(|(name, _)| name.to_owned()).collect()
}

/// What the runtime does not have yet, a reactor, has no value either.
#[test]
fn sch_44_part_every_value_is_a_key_of_a_file() {
    let names = names();
    for (line, method) in each() {
        let name = line.split(' ').next().expect("a name");
        assert!(names.iter().any(|known| known == name), "{name}");
        let by_file = read(line).expect(line);
        let by_method = method(Builder::new());
        assert_eq!(format!("{by_file:?}"), format!("{by_method:?}"), "{line}");
        if !line.starts_with("leak_records") {
            let default = Builder::new();
            assert_ne!(format!("{by_file:?}"), format!("{default:?}"), "{line}");
        }
    }
    for name in &names {
        let tried = each()
            .iter()
            .any(|(line, _)| line.split(' ').next() == Some(name));
        assert!(tried, "{name} is a key that this test does not try");
    }
    // One file with each key.
    let lines: Vec<&str> = each().iter().map(|(line, _)| *line).collect();
    let all = lines[..lines.len() - 1].join("\n");
    let by_file = read(&all).expect("one file with each key");
    let by_methods = each()[..lines.len() - 1]
        .iter()
        .fold(Builder::new(), |builder, (_, method)| method(builder));
    assert_eq!(format!("{by_file:?}"), format!("{by_methods:?}"));
    let outcome = by_file
        .govern_with(|_| Box::new(Silent))
        .run(async |_| Ok(1));
    assert!(matches!(outcome, Outcome::Ok(1)), "{outcome:?}");
    // The file that a builder writes gives that builder.
    for builder in [Builder::new(), by_methods] {
        let again = read(&builder.to_toml()).expect("its own file");
        assert_eq!(format!("{again:?}"), format!("{builder:?}"));
    }
}

#[test]
fn sch_44_part_an_unknown_key_is_named() {
    assert_eq!(
        refused("coop_budget = 1\n\ncleanup_pols = 3"),
        "asr.toml:3: there is no key `cleanup_pols`; did you mean `cleanup_polls`?"
    );
    assert_eq!(
        refused("[server]\nport = 80"),
        "asr.toml:1: there is no key `server`; Builder::to_toml lists all"
    );
    // The first mistake of the file, not of the alphabet.
    assert!(refused("zeal = 1\nadvance = 2").contains(":1: there is no key `zeal`"));
}

#[test]
fn sch_44_part_a_bad_value_is_named() {
    for (text, said) in [
        (
            "coop_budget = 0",
            "asr.toml:1: coop_budget: 0 is not in 1..=255",
        ),
        ("workers = 0", "asr.toml:1: workers: 0 is not in 1..=1024"),
        (
            "deadline_interval = '10 us'",
            "asr.toml:1: deadline_interval: \"10 us\" is not in \"1 ms\"..=\
             \"18446744073709551615 ns\"",
        ),
        (
            "cancel_streak = 0",
            "asr.toml:1: cancel_streak: 0 is not in 1..=1073741823",
        ),
        (
            "coop_budget = 256",
            "asr.toml:1: coop_budget: 256 is not a whole number from 0 to 255",
        ),
        (
            "\ncoop_budget = -1",
            "asr.toml:2: coop_budget: -1 is not a whole number from 0 to 255",
        ),
        (
            "coop_budget = '8'",
            "asr.toml:1: coop_budget: \"8\" is not a whole number from 0 to 255",
        ),
        (
            "coop_budget = 1.5",
            "asr.toml:1: coop_budget: a float is not a whole number from 0 to 255",
        ),
        (
            "shutdown_grace = 10",
            "asr.toml:1: shutdown_grace: 10 is not a time such as \"10 s\" or \"50 us\"",
        ),
        (
            "shutdown_grace = '10'",
            "asr.toml:1: shutdown_grace: \"10\" is not a time such as \"10 s\" or \"50 us\"",
        ),
        (
            "shutdown_grace = '99999999999 h'",
            "asr.toml:1: shutdown_grace: \"99999999999 h\" is not a time such as \"10 s\" or \
             \"50 us\"",
        ),
        (
            "leak_records = 1",
            "asr.toml:1: leak_records: 1 is not true or false",
        ),
        (
            "leak_response = 'shout'",
            "asr.toml:1: leak_response: \"shout\" is not one of \"silent\", \"log\", \
             \"recover\", \"panic\"",
        ),
        (
            "layout = 'node:2 cores:4'",
            "asr.toml:1: layout: topology `node:2 cores:4`: `cores:4` names no level; write \
             `node:2 core:4 pu:2`",
        ),
        (
            "layout = 2",
            "asr.toml:1: layout: 2 is not \"system\" or a text such as \"node:2 core:4 pu:2\"",
        ),
        (
            "clock_mode = 'sundial'",
            "asr.toml:1: clock_mode: \"sundial\" is not one of \"lamport\", \"vector\", \"hybrid\"",
        ),
        (
            "trace_events = 1",
            "asr.toml:1: trace_events: 1 is not in 16..=16777216",
        ),
        (
            "leak_escalation = { threshold = 3 }",
            "asr.toml:1: leak_escalation: a table is not a table such as { threshold = 3, \
             response = \"panic\" }",
        ),
        (
            "leak_escalation = { threshold = 3, response = 'soon' }",
            "asr.toml:1: leak_escalation: \"soon\" is not one of \"silent\", \"log\", \
             \"recover\", \"panic\"",
        ),
    ] {
        assert_eq!(refused(text), said);
    }
    // Of a method the start says it.
    let error = Builder::new().cleanup_polls(0).start().expect_err("0");
    assert_eq!(error.kind(), Status::BAD_ARGUMENT);
    assert_eq!(error.message(), "cleanup_polls: 0 is not in 1..=4294967295");
    let error = Builder::new().workers(0).start().expect_err("0");
    assert_eq!(error.message(), "workers: 0 is not in 1..=1024");
    let pool = Builder::new().blocking_max_threads(2);
    let error = pool.blocking_min_threads(3).start().expect_err("3 of 2");
    assert_eq!(error.kind(), Status::BAD_ARGUMENT);
    assert!(error.message().starts_with("blocking_min_threads: 3"));
    let error = Builder::new().cleanup_polls(0).start().expect_err("0");
    let outcome = Builder::new().cleanup_polls(0).run(async |_| Ok(()));
    assert!(matches!(outcome, Outcome::Err(again) if again == error));
}

/// The one bound without which preference would be starvation.
#[test]
fn sch_10_a_limit_of_nothing_is_refused() {
    let error = Builder::new().cancel_streak(0).start().expect_err("L = 0");
    assert_eq!(error.kind(), Status::BAD_ARGUMENT);
    assert!(error.message().starts_with("cancel_streak: 0 is not in"));
    assert!(refused("cancel_streak = 0").contains("cancel_streak: 0 is not in"));
    let least = Builder::new().workers(1).cancel_streak(1);
    assert!(least.run(async |_| Ok(())).is_ok());
}

/// The monitor's own checks are the kernel's.
#[test]
fn a_deadline_that_comes_near_is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let builder = Builder::new()
        .deadline_interval(Duration::from_millis(1))
        .deadline_permille_left(1000)
        .on_deadline_warning(move |warning| tell.lock().unwrap().push(warning.to_string()));
    let outcome = builder.run(async |cx| {
        let limit = RegionConfig::new().timeout(Duration::from_secs(3600));
        let waited = cx.region(limit, async |scope, cx| {
            let options = Spawn::new().name("slow");
            let task = scope.spawn_with(options, async |cx| {
                cx.sleep(Duration::from_millis(100)).await?;
                Ok(())
            })?;
            task.join(&cx).await?.into_result()
        });
        waited.await.into_result()?;
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    let told = told.lock().unwrap();
    assert!(told.iter().any(|said| said.contains("`slow`")), "{told:?}");
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_line() {
    let said = refused("coop_budget = 1\ncleanup_polls = = 2");
    assert!(said.starts_with("asr.toml:2: "), "{said}");
    let said = refused("coop_budget = 1\ncoop_budget = 2");
    assert!(said.starts_with("asr.toml:2: "), "{said}");
    // Any text ends in a value or a refusal.
    let text = Builder::new().to_toml();
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        let _ = read(&text[..cut]);
        let _ = read(&text[cut..]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Builder::new()
        .config_file("/nowhere/asr.toml")
        .expect_err("there is none");
    assert!(
        error.message().starts_with("/nowhere/asr.toml: "),
        "{error}"
    );
    assert_ne!(error.kind(), Status::BAD_ARGUMENT);
}
