//! Runs with the oracles of regions: the tree is walked after every step (REG-1), the trace obeys
//! the state machines (REG-2), a region that closes is quiet (REG-8), and no record is left.

use std::collections::BTreeMap;

use asr_base::{Error, Failure, Outcome, RegionId, Status, TaskId, Time};
use asr_kernel::Cx;
use asr_kernel::task::Tier;
use asr_lab::{Lab, LabConfig};
use asr_trace::{Event, Kind, Log, Protocol};

/// A run that passed the oracles.
pub(crate) struct Ran<T> {
    pub(crate) outcome: Outcome<T, Error>,
    pub(crate) trace: Log,
    pub(crate) ended: Time,
}

impl<T: std::fmt::Debug> Ran<T> {
    /// The value and the trace of a run that ended Ok.
    #[track_caller]
    pub(crate) fn ok(self) -> (T, Log) {
        match self.outcome {
            Outcome::Ok(value) => (value, self.trace),
            other => panic!("{other:?}"),
        }
    }
}

/// Runs `main` in the production lanes.
pub(crate) fn run<T, F, Fut>(main: F) -> Ran<T>
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + 'static,
{
    run_with(crate::common::lanes(), main)
}

/// Runs what `make` makes under `seeds` seeds; each must end Ok.
pub(crate) fn seeds<M, F, Fut>(seeds: u64, make: M)
where
    M: Fn() -> F,
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    for seed in 0..seeds {
        let ran = run_with(LabConfig::seed(seed), make());
        assert!(ran.outcome.is_ok(), "seed {seed}: {:?}", ran.outcome);
    }
}

/// Runs `main` with a configuration.
pub(crate) fn run_with<T, F, Fut>(config: LabConfig, main: F) -> Ran<T>
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + 'static,
{
    let seed = config.seed;
    let mut lab = Lab::new(config);
    let kernel = lab.kernel().clone();
    let root = kernel.root();
    let check = |done: bool| {
        if let Err(what) = kernel.check_tree() {
            panic!("seed {seed}: {what}");
        }
        done
    };
    let handle = root.spawn(main).expect("a fresh root is open");
    let ran = lab.step_until(|_| check(handle.is_finished()));
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    root.begin_close();
    let ran = lab.step_until(|_| check(kernel.is_closed()));
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let outcome = handle
        .try_join()
        .expect("the root closes after its children");
    drop(root);
    assert_eq!(
        kernel.owned_records(),
        (0, 0),
        "seed {seed}: a record is left"
    );
    let trace = lab.take_trace();
    if let Err(violation) = Protocol::check(trace.iter()) {
        panic!("seed {seed}: {violation:?}");
    }
    quiet(&trace);
    Ran {
        outcome,
        ended: lab.now(),
        trace,
    }
}

/// What the trace says of a region that is not closed.
#[derive(Default)]
struct Live {
    children: i64,
    parent: Option<RegionId>,
    registered: u64,
    run: u64,
}

/// REG-8: when a region closes nobody lives in it and each finalizer has run.
fn quiet(trace: &Log) {
    let mut live: BTreeMap<RegionId, Live> = BTreeMap::new();
    let mut tiers: BTreeMap<TaskId, (Tier, RegionId)> = BTreeMap::new();
    for event in trace.iter().filter(|event| event.is_semantic()) {
        let Some(region) = event.region else { continue };
        let at = event.seq;
        match event.kind {
            Kind::RegionOpen => {
                // The root has none.
                let parent = RegionId::from_bits(event.a);
                if let Some(parent) = parent {
                    live.get_mut(&parent).expect("the parent lives").children += 1;
                }
                let fresh = Live {
                    parent,
                    ..Live::default()
                };
                assert!(
                    live.insert(region, fresh).is_none(),
                    "{region} opened twice"
                );
            }
            Kind::RegionClosed => {
                let closed = live.remove(&region).expect("closed once");
                assert_eq!(
                    closed.children, 0,
                    "{region} closed with children, event {at}"
                );
                assert_eq!(
                    closed.registered, closed.run,
                    "finalizers of {region}, event {at}"
                );
                if let Some(parent) = closed.parent {
                    live.get_mut(&parent).expect("the parent lives").children -= 1;
                }
            }
            Kind::TaskSpawn => {
                let tier = [Tier::Fiber, Tier::Task, Tier::Body, Tier::Finalizer][event.b as usize];
                tiers.insert(TaskId::from_bits(event.a).expect("a task"), (tier, region));
                live.get_mut(&region)
                    .expect("spawned into a live region")
                    .children += 1;
            }
            Kind::TaskComplete => {
                let task = event.task.expect("a task completes");
                let (_, region) = tiers.remove(&task).expect("completes once");
                live.get_mut(&region).expect("its region lives").children -= 1;
            }
            Kind::FinalizerRegister if of_region(event) => {
                live.get_mut(&region)
                    .expect("registered with a live region")
                    .registered += 1;
            }
            Kind::FinalizerRun if of_region(event) => {
                live.get_mut(&region).expect("run in a live region").run += 1;
            }
            _ => {}
        }
    }
    assert!(
        live.is_empty(),
        "regions that never closed: {:?}",
        live.keys()
    );
}

fn of_region(event: &Event) -> bool {
    let region = event.region.map(asr_trace::Resource::Region);
    event
        .objects
        .iter()
        .any(|object| Some(object.resource) == region)
}

/// The place of the first semantic event that `which` picks.
pub(crate) fn place(trace: &Log, which: impl Fn(&Event) -> bool) -> Option<usize> {
    trace
        .iter()
        .position(|event| event.is_semantic() && which(event))
}

/// The events of a region, in order: its own and those of its tasks.
pub(crate) fn of(trace: &Log, region: RegionId) -> Vec<Event> {
    let own = |event: &&Event| event.is_semantic() && event.region == Some(region);
    trace.iter().filter(own).copied().collect()
}

/// A failure that says who failed.
pub(crate) fn fails(name: &str) -> Failure {
    Error::new(Status::BAD_ARGUMENT, name).into()
}

/// A small generator for programs that are made at random.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
