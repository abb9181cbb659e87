//! Giving tokens away, in every schedule.

#[path = "../../kernel/tests/tokens/mod.rs"]
mod tokens;

use std::sync::{Arc, Mutex};

use asr_base::{ObligationId, Outcome, Status};
use asr_kernel::obligation::{AbortCause, HolderId, Kind};
use asr_kernel::{Cx, JoinHandle, Kernel, RegionConfig, RegionHandle};
use asr_lab::{Lab, LabConfig, Schedule};
use asr_trace::{Marking, Protocol};
use tokens::Pool;

type Shared<T> = Arc<Mutex<T>>;

/// To whom the token is given.
#[derive(Clone, Copy, Debug, PartialEq)]
enum To {
    Task,
    Region,
}

/// What is seen from outside between two steps.
#[derive(Clone, Default)]
struct Scene {
    token: Shared<Option<ObligationId>>,
    transferred: Shared<Option<Result<(), Status>>>,
    /// Who resolved the token by a verb.
    resolved: Shared<Vec<&'static str>>,
}

/// A token has one holder, and stands in the list of that one alone; a resolved one in none.
fn one_holder(kernel: &Kernel, id: ObligationId) {
    let mut lists = Vec::new();
    for task in kernel.tasks() {
        let held = task.obligations().into_iter().filter(|&held| held == id);
        lists.extend(held.map(|_| HolderId::Task(task.id())));
    }
    for region in kernel.regions() {
        let held = region.obligations().into_iter().filter(|&held| held == id);
        lists.extend(held.map(|_| HolderId::Region(region.id())));
    }
    match kernel.holder(id) {
        Ok(holder) => assert_eq!(lists, [holder]),
        Err(_) => assert_eq!(lists, []),
    }
}

/// A giver in the main region, a receiver in a region that somebody closes meanwhile.
async fn program(cx: Cx, scene: Scene, to: To) -> Result<(), asr_base::Failure> {
    let region = cx.open_region(&RegionConfig::new())?;
    let seen = scene.clone();
    let receiver = region.spawn(async move |cx| {
        for _ in 0..3 {
            let id = *seen.token.lock().unwrap();
            if let Some(id) = id
                && cx.commit_raw(id).is_ok()
            {
                seen.resolved.lock().unwrap().push("receiver");
            }
            turn(&cx).await;
        }
        Ok(())
    })?;
    let given = scene.clone();
    let target = RegionHandle::clone(&region);
    let giver = cx.spawn(async move |cx| {
        let id = cx.reserve_raw(Kind::ACK, None)?;
        *given.token.lock().unwrap() = Some(id);
        turn(&cx).await;
        let transferred = match to {
            To::Task => give(&cx, id, &receiver),
            To::Region => cx.transfer_raw(id, &target),
        };
        *given.transferred.lock().unwrap() = Some(transferred);
        match transferred {
            Ok(()) => assert_ne!(cx.commit_raw(id), Ok(()), "it is given away"),
            Err(_) => {
                assert_eq!(
                    cx.abort_raw(id, AbortCause::Verb),
                    Ok(()),
                    "the giver holds it"
                );
                given.resolved.lock().unwrap().push("giver");
            }
        }
        Ok(())
    })?;
    turn(&cx).await;
    let _ = region.close(&cx).await;
    giver.join(&cx).await?.into_result()?;
    Ok(())
}

fn give(cx: &Cx, id: ObligationId, to: &JoinHandle<()>) -> Result<(), Status> {
    cx.transfer_raw(id, to)
}

/// Gives way once; no cancel point.
async fn turn(cx: &Cx) {
    let masked = cx.mask(u32::MAX, async {
        let _ = cx.yield_now().await;
    });
    masked.await.expect("one mask");
}

/// The next schedule, depth first.
fn next(lab: &Lab) -> Option<Vec<u32>> {
    let choices = lab.choices();
    let last = choices
        .iter()
        .rposition(|choice| choice.chosen + 1 < choice.of)?;
    let mut script: Vec<_> = choices[..=last].iter().map(|c| c.chosen).collect();
    script[last] += 1;
    Some(script)
}

fn explore(to: To) -> Vec<(Result<(), Status>, Vec<&'static str>)> {
    let mut seen = Vec::new();
    let mut script = Some(Vec::new());
    while let Some(now) = script {
        let mut config = LabConfig::default();
        config.kernel.leak_response = asr_kernel::obligation::LeakResponse::Log;
        config.schedule = Schedule::Script(now);
        let mut lab = Lab::new(config);
        let kernel = lab.kernel().clone();
        let set = kernel.obligations().set_leak_sink(Box::new(|_| ()));
        set.expect("it is the first");
        let scene = Scene::default();
        let root = kernel.root();
        let inside = scene.clone();
        let main = root
            .spawn(async move |cx| program(cx, inside, to).await)
            .expect("a fresh root is open");
        let look = |_: &Lab| {
            if let Some(id) = *scene.token.lock().unwrap() {
                one_holder(&kernel, id);
            }
            main.is_finished()
        };
        lab.step_until(look)
            .unwrap_or_else(|failed| panic!("{failed}"));
        root.begin_close();
        lab.step_until(|_| kernel.is_closed())
            .unwrap_or_else(|failed| panic!("{failed}"));
        assert!(matches!(main.try_join(), Ok(Outcome::Ok(()))));

        let counts = kernel.obligations().totals().total();
        assert_eq!((counts.reserved, counts.live()), (1, 0));
        let trace = lab.take_trace();
        Protocol::check(trace.iter()).unwrap();
        let marking = Marking::check(trace.iter()).unwrap();
        assert!(marking.balanced() && marking.live() == 0);

        let transferred = scene.transferred.lock().unwrap().expect("it was tried");
        let resolved = scene.resolved.lock().unwrap().clone();
        assert!(resolved.len() <= 1, "{resolved:?}");
        if !seen.contains(&(transferred, resolved.clone())) {
            seen.push((transferred, resolved));
        }
        script = next(&lab);
    }
    seen
}

#[test]
fn obl_6_a_transfer_to_a_task_is_one_step() {
    let seen = explore(To::Task);
    let closing = Err(Status::REGION_CLOSING);
    assert!(seen.contains(&(Ok(()), vec!["receiver"])), "{seen:?}");
    assert!(
        seen.contains(&(Ok(()), vec![])),
        "it ended with the token: {seen:?}"
    );
    assert!(seen.contains(&(closing, vec!["giver"])), "{seen:?}");
}

#[test]
fn obl_6_a_transfer_to_a_region_is_one_step() {
    let seen = explore(To::Region);
    assert!(seen.contains(&(Ok(()), vec!["receiver"])), "{seen:?}");
    assert!(
        seen.contains(&(Ok(()), vec![])),
        "the close aborts it: {seen:?}"
    );
    let closing = Err(Status::REGION_CLOSING);
    assert!(seen.contains(&(closing, vec!["giver"])), "{seen:?}");
}

/// Typed tokens come back from a transfer that is refused.
#[test]
fn obl_6_a_refused_token_comes_back() {
    for records in [false, true] {
        let mut config = LabConfig::default();
        config.kernel.leak_records = records;
        let lab = Lab::new(config);
        let kernel = lab.kernel().clone();
        let pool = Pool::new(3);
        let slots = pool.clone();
        let run = lab.run(async move |cx| {
            let region = cx.open_region(&RegionConfig::new())?;
            let waiting = region.spawn(async |cx| {
                cx.sleep(std::time::Duration::from_secs(9)).await?;
                Ok(())
            })?;
            let token = cx.reserve(slots.take(Kind::LEASE)?)?;
            let token = token.transfer(&waiting).expect("it is alive");
            let token = token.transfer(&cx).expect("we are");
            let token = token.transfer(&region).expect("it is open");
            assert_eq!(region.region().marking().of(Kind::LEASE).live(), 1);
            let token = token.transfer(&cx).expect("we are");
            assert_eq!(region.region().marking().of(Kind::LEASE).live(), 0);
            region.begin_close();
            let kept = token.transfer(&region).unwrap_err();
            assert_eq!(kept.status, Status::REGION_CLOSING);
            let outcome: Outcome<(), _> = region.close(&cx).await;
            outcome.into_result()?;
            let kept = kept.token.transfer(&waiting).unwrap_err();
            assert_eq!(kept.status, Status::REGION_CLOSING);
            assert_eq!(kept.token.commit(3).unwrap(), 1);
            Ok(())
        });
        let run = run.unwrap_or_else(|failed| panic!("{failed}"));
        assert!(run.outcome.is_ok(), "{:?}", run.outcome);
        assert_eq!(pool.free(), 3);
        let marking = Marking::check(run.trace.iter()).unwrap();
        assert!(marking.balanced() && marking.live() == 0);
        let counts = kernel.obligations().totals().of(Kind::LEASE);
        assert_eq!((counts.arrived, counts.left), (4, 4));
        assert_eq!(
            (counts.reserved, counts.committed, counts.live()),
            (1, 1, 0)
        );
    }
}
