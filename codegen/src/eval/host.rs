//! What an evaluated program reaches besides its own locals.

use std::fmt;

use asr_abi::Ret;
use asr_intrinsics::Row;

use super::machine::Machine;
use crate::air::{FuncId, ProbeKind, Signature};

/// What a host cannot do: the program did what compiled code would not survive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trap {
    /// A sentence without full stop.
    pub message: String,
}

impl Trap {
    /// A trap with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Trap {
            message: message.into(),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Memory, foreign functions and the runtime of an evaluated program.
///
/// Addresses are the host's business: the evaluator only adds offsets to them.
/// Arguments and results are canonical bits. A status of 0 is OK; any other takes the error edge.
pub trait Host {
    /// The value of `size` bytes (1, 2, 4, 8) at `addr`, zero-extended, little-endian.
    fn load(&mut self, addr: u64, size: u32) -> Result<u64, Trap>;

    /// Stores the low `size` bytes of `bits`.
    fn store(&mut self, addr: u64, size: u32, bits: u64) -> Result<(), Trap>;

    /// The address of constant bytes, aligned to 16; called once for each by [`Machine::start`].
    fn data(&mut self, bytes: &[u8]) -> Result<u64, Trap>;

    /// Memory for the stack slots of an activation: `bytes`, aligned to 16, with any contents.
    fn enter_frame(&mut self, bytes: u32) -> Result<u64, Trap>;

    /// The activation that got `addr` for `bytes` has ended. Activations end innermost first.
    fn leave_frame(&mut self, addr: u64, bytes: u32);

    /// The address of a function of the module; never null, always the same.
    fn func_addr(&mut self, func: FuncId) -> u64;

    /// The function at an address that [`Host::func_addr`] gave.
    fn func_at(&mut self, addr: u64) -> Option<FuncId>;

    /// The same for an activation of an asynchronous function: others may begin and end meanwhile.
    fn keep_frame(&mut self, bytes: u32) -> Result<u64, Trap> {
        let _ = bytes;
        Err(Trap::new("no task runs here"))
    }

    /// The activation that got `addr` from [`Host::keep_frame`] has ended.
    fn drop_frame(&mut self, addr: u64, bytes: u32) {
        let _ = (addr, bytes);
    }

    /// Calls what is at an address that is no function of the module.
    fn call_address(
        &mut self,
        _vm: &mut Machine<'_>,
        addr: u64,
        _sig: &Signature,
        _args: &[u64],
    ) -> Result<Ret, Trap> {
        Err(Trap::new(format!("there is no function at {addr:#x}")))
    }

    /// Calls a foreign C function.
    fn call_extern(
        &mut self,
        vm: &mut Machine<'_>,
        name: &str,
        sig: &Signature,
        args: &[u64],
    ) -> Result<u64, Trap>;

    /// Calls the runtime. A row that waits may answer PENDING: the task is suspended, and
    /// [`Host::op_poll`] is asked when it is resumed. A host that runs a function of the program
    /// meanwhile (a handler, a comparison) does so with [`Machine::call`] on `vm`.
    fn intrinsic(
        &mut self,
        vm: &mut Machine<'_>,
        row: &'static Row,
        args: &[u64],
    ) -> Result<Ret, Trap>;

    /// A check of the language failed: reports the anomaly and gives the exception word with
    /// THREW, as `asr_i_fault` does.
    fn fault(&mut self, vm: &mut Machine<'_>, site: u64, code: u32) -> Result<Ret, Trap>;

    /// The error in flight passed this site.
    fn trace(&mut self, site: u64);

    /// A probe is taken: OK to go on, or how the function ends. A host whose flag is clear answers
    /// OK at once. It may answer PENDING if `may_wait`: the probe is taken again on resume.
    fn probe(
        &mut self,
        vm: &mut Machine<'_>,
        site: u64,
        kind: ProbeKind,
        may_wait: bool,
    ) -> Result<Ret, Trap>;

    /// A task that answered PENDING from `row` is resumed: what the operation came to. PENDING
    /// again: nothing yet.
    fn op_poll(&mut self, vm: &mut Machine<'_>, row: &'static Row) -> Result<Ret, Trap> {
        let _ = vm;
        Err(Trap::new(format!("nothing waits for `{}` here", row.name)))
    }

    /// Starts a task that runs `func` in `region`, or in that of the current task: its handle. The
    /// host makes the task with [`Machine::task`], now or later.
    fn spawn(
        &mut self,
        vm: &mut Machine<'_>,
        region: Option<u64>,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Trap> {
        let _ = (vm, region, func, args);
        Err(Trap::new("no task can be started here"))
    }

    /// A repair handler of the module, before anything of it runs; slow when `bound_ns` is 0.
    fn handler(&mut self, type_id: u64, func: FuncId, bound_ns: u64) -> Result<(), Trap> {
        let _ = (type_id, func, bound_ns);
        Ok(())
    }
}
