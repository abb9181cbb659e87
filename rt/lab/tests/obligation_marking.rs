//! The marking of a run: by the kernel's counts, by its trace, by what the program did.

#[path = "../../kernel/tests/tokens/mod.rs"]
mod tokens;

use std::sync::{Arc, Mutex};

use asr_base::{Failure, ObligationId, Outcome};
use asr_kernel::obligation::{AbortCause, Kind, LeakResponse, Obligation};
use asr_kernel::{Cx, Kernel, RegionConfig, RegionHandle};
use asr_lab::{Lab, LabConfig};
use asr_trace::{Kind as Event, Marking, Protocol, Totals};
use tokens::{Pool, Slot};

/// What the tasks say they did: reserved, committed, aborted per kind.
type Model = Arc<Mutex<[[u64; 3]; 11]>>;

/// Operations of a task in one step.
const BATCH: u32 = 64;

struct Player {
    cx: Cx,
    pool: Arc<Pool>,
    model: Model,
    other: RegionHandle,
    typed: Vec<Obligation<Slot>>,
    raw: Vec<(ObligationId, Kind)>,
}

impl Player {
    fn count(&self, kind: Kind, column: usize) {
        self.model.lock().unwrap()[usize::from(kind.number())][column] += 1;
    }

    fn operation(&mut self) -> Result<(), Failure> {
        let random = self.cx.random_u64()?;
        let kind = Kind::BUILTIN[(random >> 8) as usize % 11];
        let pick = (random >> 16) as usize;
        match random % 10 {
            0..3 => {
                self.typed.push(self.cx.reserve(self.pool.take(kind)?)?);
                self.count(kind, 0);
            }
            3 => {
                self.raw.push((self.cx.reserve_raw(kind, None)?, kind));
                self.count(kind, 0);
            }
            4..6 if !self.typed.is_empty() => {
                let token = self.typed.swap_remove(pick % self.typed.len());
                self.count(token.kind(), 1);
                assert!(token.commit(random).is_ok());
            }
            6 if !self.typed.is_empty() => {
                let token = self.typed.swap_remove(pick % self.typed.len());
                self.count(token.kind(), 2);
                match random & 1024 {
                    0 => token.abort(),
                    _ => drop(token),
                }
            }
            7 if !self.typed.is_empty() => {
                // There and back: the task goes on with the token.
                let place = pick % self.typed.len();
                let token = self.typed.swap_remove(place);
                let token = match token.transfer(&self.other) {
                    Ok(token) => token.transfer(&self.cx).expect("we are alive"),
                    Err(kept) => kept.token,
                };
                self.typed.push(token);
            }
            8 if !self.raw.is_empty() => {
                let (id, kind) = self.raw.swap_remove(pick % self.raw.len());
                self.count(kind, 1);
                assert_eq!(self.cx.commit_raw(id), Ok(()));
            }
            _ if !self.raw.is_empty() => {
                let (id, kind) = self.raw.swap_remove(pick % self.raw.len());
                self.count(kind, 2);
                assert_eq!(self.cx.abort_raw(id, AbortCause::Expired), Ok(()));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Eight tasks in four regions, with so many operations each.
async fn play(cx: Cx, pool: Arc<Pool>, model: Model, operations: u32) -> Result<(), Failure> {
    let mut regions = Vec::new();
    for _ in 0..4 {
        regions.push(cx.open_region(&RegionConfig::new())?);
    }
    let mut players = Vec::new();
    for n in 0..8 {
        let (pool, model) = (pool.clone(), model.clone());
        let other = RegionHandle::clone(&regions[(n + 1) % 4]);
        players.push(regions[n % 4].spawn(async move |cx| {
            let mut player = Player {
                cx,
                pool,
                model,
                other,
                typed: Vec::new(),
                raw: Vec::new(),
            };
            for n in 0..operations {
                player.operation()?;
                if n % BATCH == 0 {
                    player.cx.yield_now().await?;
                }
            }
            // All that is left goes in this last step.
            for token in std::mem::take(&mut player.typed) {
                player.count(token.kind(), 2);
                token.abort();
            }
            for (_, kind) in std::mem::take(&mut player.raw) {
                player.count(kind, 2);
            }
            Ok(())
        })?);
    }
    for player in players {
        player.join(&cx).await?.into_result()?;
    }
    for region in regions {
        region.close(&cx).await.into_result()?;
    }
    Ok(())
}

fn lab(seed: u64, trace: bool) -> Lab {
    let mut config = LabConfig::seed(seed);
    config.capture_trace = trace;
    config.max_steps = u64::MAX;
    config.kernel.leak_response = LeakResponse::Log;
    let lab = Lab::new(config);
    let set = lab.kernel().obligations().set_leak_sink(Box::new(|_| ()));
    set.expect("it is the first");
    lab
}

/// The counts of the kernel are those of the model, and what is live has a record.
fn balanced(kernel: &Kernel, model: &Model) {
    let marking = kernel.marking();
    let model = model.lock().unwrap();
    let mut live = 0;
    for (&kind, &[reserved, committed, aborted]) in Kind::BUILTIN.iter().zip(model.iter()) {
        let counts = marking.of(kind);
        let counted = [counts.reserved, counts.committed, counts.aborted];
        assert_eq!(counted, [reserved, committed, aborted]);
        assert_eq!(
            counts.reserved,
            counts.committed + counts.aborted + counts.live()
        );
        live += counts.live();
    }
    assert_eq!(live, kernel.obligations().recorded());
    assert_eq!(live, marking.total().live());
}

/// Plays under a seed, and looks between any two steps.
fn run(lab: &mut Lab, operations: u32) -> Model {
    let kernel = lab.kernel().clone();
    let (pool, model) = (Pool::new(i64::MAX), Model::default());
    let (slots, counts) = (pool.clone(), model.clone());
    let root = kernel.root();
    let main = root
        .spawn(async move |cx| play(cx, slots, counts, operations).await)
        .expect("a fresh root is open");
    let ended = lab.step_until(|_| {
        balanced(&kernel, &model);
        main.is_finished()
    });
    ended.unwrap_or_else(|failed| panic!("{failed}"));
    root.begin_close();
    let ended = lab.step_until(|_| kernel.is_closed());
    ended.unwrap_or_else(|failed| panic!("{failed}"));
    match main.try_join() {
        Ok(Outcome::Ok(())) => {}
        other => panic!("{other:?}"),
    }
    balanced(&kernel, &model);
    assert_eq!(kernel.marking(), kernel.obligations().totals());
    assert_eq!(kernel.marking().total().live(), 0);
    model
}

#[test]
fn obl_21_a_million_operations_balance_at_each_step() {
    const SEEDS: u64 = 8;
    for seed in 0..SEEDS {
        let model = run(&mut lab(seed, false), 1_000_000 / 8 / SEEDS as u32);
        let reserved: u64 = model.lock().unwrap().iter().map(|kind| kind[0]).sum();
        assert!(reserved > 30_000, "{reserved} tokens are no test");
    }
}

#[test]
fn obl_20_a_trace_of_mixed_operations_is_a_petri_net() {
    for seed in 0..8 {
        let mut lab = lab(seed, true);
        let model = run(&mut lab, 500);
        let trace = lab.take_trace();
        assert_eq!(trace.dropped.total(), 0);
        Protocol::check(trace.iter()).unwrap();
        let marking = Marking::check(trace.iter()).unwrap();
        assert!(marking.balanced() && marking.live() == 0);
        // OBL-21: what the runtime counted by itself is what the trace says.
        let totals = lab.kernel().obligations().totals();
        let counted = totals.kinds().map(|(kind, counts)| {
            let totals = Totals {
                reserved: counts.reserved,
                committed: counts.committed,
                aborted: counts.aborted,
            };
            (kind.number(), totals)
        });
        assert_eq!(marking.audit(counted), [] as [u8; 0]);
        let model = model.lock().unwrap();
        let reserved: u64 = model.iter().map(|kind| kind[0]).sum();
        assert_eq!(reserved, totals.total().reserved);
        let leaks = trace.iter().filter(|e| e.kind == Event::ObligationLeak);
        assert_eq!(leaks.count() as u64, lab.kernel().stats().leaks.get());
    }
}
