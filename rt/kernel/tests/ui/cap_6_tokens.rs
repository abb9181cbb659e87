//! Each operation, with a context that lacks its token only.

use asr_kernel::cx::caps::{Entropy, Fiber, Heal, Io, Remote, Supervise, Task, Time, Trace};
use asr_kernel::cx::{All, Has, Without};
use asr_kernel::{Cx, RegionConfig, RegionHandle};

type Lacks<K> = Without<All, K>;

fn time(cx: &Cx<Lacks<Time>>) {
    let _ = cx.now();
    let _ = cx.sleep(std::time::Duration::ZERO);
    let _ = cx.sleep_until(asr_base::Time::ZERO);
    let _ = cx.try_now();
}

fn entropy(cx: &Cx<Lacks<Entropy>>) {
    let _ = cx.random_u64();
    let _ = cx.fill(&mut []);
}

fn trace(cx: &Cx<Lacks<Trace>>) {
    let _ = cx.trace(1, 2);
}

fn task(cx: &Cx<Lacks<Task>>, handle: &RegionHandle<Lacks<Task>>) {
    let _ = cx.spawn(async |_| Ok(()));
    let _ = handle.spawn(async |_| Ok(()));
}

fn fiber(cx: &Cx<Lacks<Fiber>>, handle: &RegionHandle<Lacks<Fiber>>) {
    let _ = cx.open_region(&RegionConfig::new());
    let _ = cx.region(RegionConfig::new(), async |_, _| Ok(()));
    let _ = handle.open(&RegionConfig::new());
}

// These have their operations in other crates, which ask like this.
fn read<C: Has<Io>>(_: &Cx<C>) {}
fn call<C: Has<Remote>>(_: &Cx<C>) {}
fn start<C: Has<Supervise>>(_: &Cx<C>) {}
fn repair<C: Has<Heal>>(_: &Cx<C>) {}

fn others(
    io: &Cx<Lacks<Io>>,
    remote: &Cx<Lacks<Remote>>,
    supervise: &Cx<Lacks<Supervise>>,
    heal: &Cx<Lacks<Heal>>,
) {
    read(io);
    call(remote);
    start(supervise);
    repair(heal);
    // Each keeps the others.
    repair(io);
    read(heal);
}

fn main() {}
