//! The evaluator's other host: interpreted tasks are futures of the real kernel in the lab, rows
//! are the runtime's own (rule ABI-49). The same program as machine code under the same seed gives
//! the same outcome and the same canonical trace (rule ABI-35).

#![allow(
    unsafe_code,
    reason = "calls rows and polls by their addresses, lends an engine to the lab"
)]

mod generated;
mod programs;

use asr_codegen::air::{FuncId, Module, verify};
use asr_codegen::eval::{Limits, Program};
use asr_codegen::jit::{Registry, Unit};
use asr_codegen::{Options, Prepared, prepare};
use asr_intrinsics::{CORE, SYNC, TASKS, Table};
use asr_lab::{Lab, LabConfig, Run};
use asr_rt::kernel::compiled::RootFrame;
use asr_rt::{Cx, Failure, Spawn};
use proxplc::engine::{Session, symbols};

const TABLES: [&Table; 3] = [&CORE, &TASKS, &SYNC];

/// AIR instructions that one program may take.
const FUEL: u64 = 50_000_000;

/// A module with its probes.
pub(crate) fn prepared(module: &Module) -> Prepared {
    prepare(module, &TABLES, &Options::default()).expect("it compiles")
}

/// An engine with a program, that makes frames for it.
pub(crate) enum Engine<'p> {
    Evaluator(Box<Session<'p>>),
    Code(Box<Unit>),
}

/// The runtime's own registry, by the rows of the core.
struct Runtime;

impl Registry for Runtime {
    fn register(&self, record: *const asr_abi::CodeRecord) -> u32 {
        code("asr_i_code_register", record)
    }
    fn unregister(&self, record: *const asr_abi::CodeRecord) -> u32 {
        code("asr_i_code_unregister", record)
    }
    fn handler(&self, _: &asr_abi::StartHandler) -> u32 {
        0
    }
}

fn code(row: &str, record: *const asr_abi::CodeRecord) -> u32 {
    type Row =
        unsafe extern "C" fn(*const asr_abi::Thread, *const asr_abi::CodeRecord) -> asr_abi::Ret;
    let symbols = symbols();
    let found = symbols.iter().find(|(name, _)| *name == row);
    let (_, address) = found.expect("a row of the core");
    let th = asr_rt::kernel::thread::adopt_ptr();
    // SAFETY: the symbol implements the row, which takes a record; the state is this thread's.
    unsafe {
        let row = std::mem::transmute::<*const u8, Row>(*address);
        row(th, record).status as u32
    }
}

impl<'p> Engine<'p> {
    pub(crate) fn evaluator(program: &'p Program<'p>) -> Self {
        let limits = Limits {
            fuel: FUEL,
            ..Limits::default()
        };
        let session = Session::new(program, limits, false);
        Engine::Evaluator(session.expect("there is memory"))
    }

    pub(crate) fn code(prepared: &Prepared) -> Self {
        let unit = Unit::load(prepared, &symbols(), Box::new(Runtime));
        Engine::Code(Box::new(unit.expect("it loads")))
    }

    fn root(&mut self, name: &str, func: FuncId, args: &[u64]) -> RootFrame {
        match self {
            // SAFETY: a run of the lab ends before the engine does, on this thread.
            Engine::Evaluator(session) => unsafe { session.root(func, args) }.expect("a task"),
            Engine::Code(unit) => {
                let poll = unit.lookup(name).expect("an export");
                // SAFETY: an asynchronous export is a poll function, with one word for each
                // parameter; its unit outlives the run.
                unsafe {
                    let poll =
                        std::mem::transmute::<*const u8, asr_rt::kernel::compiled::PollFn>(poll);
                    asr_rt::embed::frame(poll, 0, args).expect("it takes these")
                }
            }
        }
    }
}

/// An engine as a main task has it: the lab runs on one thread.
struct Sent<'e>(*mut Engine<'e>);

// SAFETY: see the reason.
unsafe impl Send for Sent<'_> {}

/// What a main task does: starts the function as a task, and says how it ended.
pub(crate) fn main_task(
    engine: &mut Engine<'_>,
    name: &str,
    func: FuncId,
    args: &[u64],
) -> impl FnOnce(Cx) -> std::pin::Pin<Box<dyn Future<Output = Result<String, Failure>> + Send>>
+ Send
+ 'static {
    let engine = Sent((&raw mut *engine).cast::<Engine<'static>>());
    let (name, args) = (name.to_owned(), args.to_vec());
    move |cx| {
        Box::pin(async move {
            let engine = engine;
            // SAFETY: the caller of the lab has the engine until the run has ended.
            let frame = unsafe { &mut *{ engine }.0 }.root(&name, func, &args);
            // A failure cancels the region, in which the main task is too.
            let region = cx.open_region(&asr_rt::RegionConfig::new())?;
            let task = region.spawn_compiled(frame, Spawn::new())?;
            let ended = format!("{:?}", task.join(&cx).await?);
            drop(region.close(&cx).await);
            Ok(ended)
        })
    }
}

/// How a run ended, to be compared.
pub(crate) fn seen(run: Result<Run<String>, asr_lab::Failure>) -> String {
    match run {
        Ok(run) => format!(
            "{:?} in {:?} after {} steps at {:?}, trace {:x}",
            run.outcome,
            run.root,
            run.steps,
            run.ended,
            asr_trace::fingerprint(&run.trace.events)
        ),
        Err(failure) => format!("{:?}", failure.reason),
    }
}

/// Runs one asynchronous export under a seed on an engine.
pub(crate) fn run(
    engine: &mut Engine<'_>,
    name: &str,
    func: FuncId,
    args: &[u64],
    seed: u64,
) -> String {
    let main = main_task(engine, name, func, args);
    seen(Lab::new(LabConfig::seed(seed)).run(main))
}

/// Both engines, one after the other, with the same module.
pub(crate) fn on_both<T>(module: &Module, mut f: impl FnMut(&mut Engine<'_>) -> T) -> [T; 2] {
    let prepared = prepared(module);
    let verified = verify(prepared.module(), &TABLES).expect("it was prepared");
    let program = Program::new(&verified);
    // The code is loaded for both, so that sites have the same names.
    let mut code = Engine::code(&prepared);
    let mut evaluator = Engine::evaluator(&program);
    let evaluated = f(&mut evaluator);
    if let Engine::Evaluator(session) = &evaluator {
        assert_eq!(session.stopped(), None);
    }
    let compiled = f(&mut code);
    if let Engine::Code(unit) = code {
        unit.release()
            .map_err(|(_, error)| error)
            .expect("nobody refers to it");
    }
    [evaluated, compiled]
}
