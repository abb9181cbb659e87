//! What a run measured, and its line of JSON.
//!
//! CPU time is that of the process, all threads, so it also counts what a worker burns while it
//! looks for work; resident memory is what the system says.
#![allow(unsafe_code, reason = "asks the system for the usage of the process")]

use std::fmt::Write;
use std::time::Instant;

use crate::hist::Hist;

/// What the process has used so far, in nanoseconds and in context switches.
#[derive(Clone, Copy, Debug)]
struct Usage {
    user: u64,
    system: u64,
    voluntary: u64,
    involuntary: u64,
}

impl Usage {
    fn now() -> Usage {
        // SAFETY: a struct of integers, for which zero is a value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a struct of the type that the call fills.
        let status = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
        assert_eq!(status, 0, "the process asks for its own usage");
        let nanos = |time: libc::timeval| {
            let (seconds, micros) = (time.tv_sec.unsigned_abs(), time.tv_usec.unsigned_abs());
            seconds * 1_000_000_000 + micros * 1_000
        };
        Usage {
            user: nanos(usage.ru_utime),
            system: nanos(usage.ru_stime),
            voluntary: usage.ru_nvcsw.unsigned_abs(),
            involuntary: usage.ru_nivcsw.unsigned_abs(),
        }
    }
}

/// Runs from its start on; may be read more than once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    usage: Usage,
    start: Instant,
}

impl Meter {
    pub(crate) fn start() -> Meter {
        Meter {
            usage: Usage::now(),
            start: Instant::now(),
        }
    }

    /// What `count` operations took.
    pub(crate) fn read(&self, count: u64) -> Report {
        let elapsed = self.start.elapsed();
        let now = Usage::now();
        Report {
            count,
            nanos: u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX),
            user: now.user - self.usage.user,
            system: now.system - self.usage.system,
            voluntary: now.voluntary - self.usage.voluntary,
            involuntary: now.involuntary - self.usage.involuntary,
            more: Vec::new(),
        }
    }
}

/// One result.
#[derive(Debug)]
pub(crate) struct Report {
    count: u64,
    nanos: u64,
    user: u64,
    system: u64,
    voluntary: u64,
    involuntary: u64,
    more: Vec<(String, f64)>,
}

impl Report {
    /// Adds a figure of this workload alone.
    pub(crate) fn with(mut self, name: impl Into<String>, value: f64) -> Report {
        self.more.push((name.into(), value));
        self
    }

    /// Adds median, 99th percentile and maximum, in microseconds.
    pub(crate) fn with_hist(self, name: &str, hist: &Hist) -> Report {
        let micros = |nanos: u64| nanos as f64 / 1e3;
        self.with(format!("{name}_p50_us"), micros(hist.quantile(0.5)))
            .with(format!("{name}_p99_us"), micros(hist.quantile(0.99)))
            .with(format!("{name}_max_us"), micros(hist.max()))
    }

    /// Wall time of one operation.
    pub(crate) fn ns(&self) -> f64 {
        self.per_op(self.nanos)
    }

    /// CPU time of one operation.
    pub(crate) fn cpu_ns(&self) -> f64 {
        self.per_op(self.user + self.system)
    }

    /// Wall time of all.
    pub(crate) fn total_ms(&self) -> f64 {
        self.nanos as f64 / 1e6
    }

    fn per_op(&self, nanos: u64) -> f64 {
        nanos as f64 / self.count.max(1) as f64
    }

    /// The line that `run.py` of the peers reads.
    pub(crate) fn json(&self, workload: &str) -> String {
        let mut line = format!(
            r#"{{"peer":"asr","workload":"{workload}","n":{}"#,
            self.count
        );
        let mut add = |name: &str, value: String| {
            write!(line, r#","{name}":{value}"#).expect("a string takes it");
        };
        add("ns_total", self.nanos.to_string());
        add("ns_per_op", format!("{:.3}", self.ns()));
        add("cpu_ns_per_op", format!("{:.3}", self.cpu_ns()));
        add("cpu_user_ns", self.user.to_string());
        add("cpu_sys_ns", self.system.to_string());
        add("vcsw", self.voluntary.to_string());
        add("ivcsw", self.involuntary.to_string());
        add("rss_bytes", resident().to_string());
        for (name, value) in &self.more {
            add(name, format!("{value:.3}"));
        }
        line.push('}');
        line
    }
}

/// Resident memory of the process, in bytes; 0 where the system does not say.
pub(crate) fn resident() -> u64 {
    const PAGE: u64 = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_ascii_whitespace().nth(1);
    pages.and_then(|pages| pages.parse().ok()).unwrap_or(0) * PAGE
}
