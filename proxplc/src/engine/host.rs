//! The evaluator's way to the real runtime: memory is the memory of this process, and the
//! runtime is the one that compiled code calls. So a program that is evaluated differs from a
//! compiled one in nothing but who executes its instructions.

#![allow(
    unsafe_code,
    reason = "reads and writes the memory of the program, calls the runtime"
)]

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use asr_abi::thread::SUSPENDABLE;
use asr_abi::{Ret, Thread, status};
use asr_codegen::air::{FuncId, ProbeKind, Signature, Type};
use asr_codegen::eval::{Host, Machine, Trap};
use asr_intrinsics::Row;
use asr_rt::kernel::compiled::RootFrame;

use super::tasks::Tasks;
use super::{native, thunk};

/// Stack slots of all activations together, in units of 16 bytes: 64 MiB, used as needed.
const STACK_UNITS: usize = 4 << 20;

/// See the module.
pub(super) struct NativeHost {
    pub(super) th: *const Thread,
    symbols: HashMap<&'static str, *const u8>,
    force_slow: bool,
    /// Constants of the module; their addresses are in use.
    data: Vec<Box<[u128]>>,
    stack: Vec<u128>,
    /// Units of the stack in use.
    used: usize,
    /// Functions that have an address; the index is the number of the thunk.
    addressed: Vec<FuncId>,
    /// Why an evaluation inside a call of the runtime stopped.
    stopped: Option<String>,
    pub(super) tasks: Tasks,
    /// The session, for its frames; null where no task can be started.
    pub(super) session: *mut (),
    /// Why the first task that stopped did.
    pub(super) stopped_task: Option<String>,
}

impl NativeHost {
    /// A host for the thread whose state is `th`, which stays valid while the host lives.
    pub(super) fn new(
        th: *const Thread,
        symbols: &[(&'static str, *const u8)],
        force_slow: bool,
    ) -> Self {
        Self {
            th,
            symbols: symbols.iter().copied().collect(),
            force_slow,
            data: Vec::new(),
            stack: vec![0; STACK_UNITS],
            used: 0,
            addressed: Vec::new(),
            stopped: None,
            tasks: Tasks::default(),
            session: std::ptr::null_mut(),
            stopped_task: None,
        }
    }

    pub(super) fn symbol(&self, name: &str) -> Result<*const u8, Trap> {
        let found = self.symbols.get(name).copied();
        found.ok_or_else(|| Trap::new(format!("the runtime has no '{name}'")))
    }

    /// Run `call` with this evaluation as what thunks enter.
    pub(super) fn call_out(
        &mut self,
        vm: &mut Machine<'_>,
        call: impl FnOnce() -> Option<Ret>,
    ) -> Result<Ret, Trap> {
        let mut pair = Pair {
            host: self,
            vm: (&raw mut *vm).cast(),
        };
        let active = thunk::Active {
            target: (&raw mut pair).cast(),
            enter,
        };
        let ret = thunk::with(active, call);
        match self.stopped.take() {
            Some(message) => Err(Trap::new(message)),
            None => ret.ok_or_else(|| Trap::new("a call with too many arguments")),
        }
    }

    /// Call a row of the core by its name.
    fn core(&mut self, vm: &mut Machine<'_>, name: &str, args: &[u64]) -> Result<Ret, Trap> {
        let row = asr_intrinsics::CORE.row(name);
        let row = row.ok_or_else(|| Trap::new(format!("the core has no row '{name}'")))?;
        self.intrinsic(vm, row, args)
    }
}

/// What a thunk needs to go on with an evaluation.
struct Pair {
    host: *mut NativeHost,
    vm: *mut Machine<'static>,
}

/// A function of the program is called by the runtime.
///
/// # Safety
/// `target` is the [`Pair`] of a call out that has not returned.
unsafe fn enter(target: *mut (), number: usize, words: &[u64; 7]) -> Ret {
    // SAFETY: by the caller's promise; `call_out` does not touch host and machine until the call
    // has returned, so these are the only references in use.
    let (host, vm) = unsafe {
        let pair = &*target.cast::<Pair>();
        (&mut *pair.host, &mut *pair.vm)
    };
    let cancelled = Ret {
        value: 0,
        status: status::CANCELLED.into(),
    };
    let Some(func) = host.addressed.get(number).copied() else {
        return cancelled;
    };
    let params = vm.program().module().funcs[func.index()].params as usize;
    if params > words.len() {
        host.stopped = Some(format!(
            "the evaluator hands on {} arguments at most",
            words.len()
        ));
        return cancelled;
    }
    vm.call(host, func, &words[..params])
        .unwrap_or_else(|stopped| {
            host.stopped = Some(stopped.to_string());
            cancelled
        })
}

/// The frame of an async function that the runtime starts by the address it has here.
pub(super) fn frame_of(run: *const u8, argument: u64) -> Option<RootFrame> {
    let target = thunk::target()?;
    // SAFETY: as in `enter`: the row that asks is being called out to.
    let (host, vm) = unsafe {
        let pair = &*target.cast::<Pair>();
        (&mut *pair.host, &mut *pair.vm)
    };
    let func = host.func_at(run.expose_provenance() as u64)?;
    let task = vm.task(host, func, &[argument]).ok()?;
    super::task::frame(host, task)
}

/// Machine code leaves the upper bits of a narrow result undefined.
pub(super) fn canonical(row: &Row, ret: Ret) -> Ret {
    match Type::of_row(row.result).filter(|_| ret.status == 0) {
        Some(ty) => Ret {
            value: ty.canonical(ret.value),
            ..ret
        },
        None => ret,
    }
}

impl Host for NativeHost {
    fn load(&mut self, addr: u64, size: u32) -> Result<u64, Trap> {
        let at = std::ptr::with_exposed_provenance::<u8>(addr as usize);
        // SAFETY: what the program may read is what compiled code may read; a wild address ends the
        // process with a message, as it does there.
        Ok(unsafe {
            match size {
                1 => at.read().into(),
                2 => at.cast::<u16>().read_unaligned().into(),
                4 => at.cast::<u32>().read_unaligned().into(),
                _ => at.cast::<u64>().read_unaligned(),
            }
        })
    }

    fn store(&mut self, addr: u64, size: u32, bits: u64) -> Result<(), Trap> {
        let at = std::ptr::with_exposed_provenance_mut::<u8>(addr as usize);
        // SAFETY: as for `load`.
        unsafe {
            match size {
                1 => at.write(bits as u8),
                2 => at.cast::<u16>().write_unaligned(bits as u16),
                4 => at.cast::<u32>().write_unaligned(bits as u32),
                _ => at.cast::<u64>().write_unaligned(bits),
            }
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<u64, Trap> {
        let chunks = bytes.chunks(16).map(|chunk| {
            let mut unit = [0; 16];
            unit[..chunk.len()].copy_from_slice(chunk);
            u128::from_ne_bytes(unit)
        });
        let mut units: Vec<u128> = chunks.collect();
        units.push(0);
        let units = units.into_boxed_slice();
        let address = units.as_ptr().expose_provenance() as u64;
        self.data.push(units);
        Ok(address)
    }

    fn enter_frame(&mut self, bytes: u32) -> Result<u64, Trap> {
        let units = bytes.div_ceil(16) as usize;
        let Some(slots) = self.stack.get_mut(self.used..self.used + units) else {
            return Err(Trap::new("no memory for stack slots"));
        };
        self.used += units;
        Ok(slots.as_mut_ptr().expose_provenance() as u64)
    }

    fn leave_frame(&mut self, _addr: u64, bytes: u32) {
        self.used -= bytes.div_ceil(16) as usize;
    }

    fn keep_frame(&mut self, bytes: u32) -> Result<u64, Trap> {
        Ok(self.tasks.keep(bytes))
    }

    fn drop_frame(&mut self, addr: u64, _: u32) {
        self.tasks.forget(addr);
    }

    fn op_poll(&mut self, vm: &mut Machine<'_>, row: &'static Row) -> Result<Ret, Trap> {
        self.poll_slot(vm, row)
    }

    fn spawn(
        &mut self,
        vm: &mut Machine<'_>,
        region: Option<u64>,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Trap> {
        self.start_task(vm, region, func, args)
    }

    fn func_addr(&mut self, func: FuncId) -> u64 {
        let known = self.addressed.iter().position(|f| *f == func);
        let number = known.unwrap_or_else(|| {
            self.addressed.push(func);
            self.addressed.len() - 1
        });
        if number >= thunk::MAX {
            // Called, it stops the evaluation: the host knows no function there.
            return u64::MAX - number as u64;
        }
        thunk::address(number)
    }

    fn func_at(&mut self, addr: u64) -> Option<FuncId> {
        let number = thunk::number(addr)?;
        self.addressed.get(number).copied()
    }

    fn call_address(
        &mut self,
        vm: &mut Machine<'_>,
        addr: u64,
        sig: &Signature,
        args: &[u64],
    ) -> Result<Ret, Trap> {
        if u64::MAX - addr < 1 << 32 || sig.params.iter().any(|ty| ty.is_float()) {
            let message = format!("no more than {} functions can be values here", thunk::MAX);
            return Err(Trap::new(message));
        }
        let (th, code) = (
            self.th,
            std::ptr::with_exposed_provenance::<u8>(addr as usize),
        );
        // SAFETY: code of a function value that the library made: it takes words and returns a
        // `Ret`, as the signature of function values says.
        self.call_out(vm, || unsafe { native::call_words(th, code, args) })
    }

    fn call_extern(
        &mut self,
        _vm: &mut Machine<'_>,
        name: &str,
        sig: &Signature,
        args: &[u64],
    ) -> Result<u64, Trap> {
        super::foreign::call(name, sig, args).map_err(Trap::new)
    }

    fn intrinsic(
        &mut self,
        vm: &mut Machine<'_>,
        row: &'static Row,
        args: &[u64],
    ) -> Result<Ret, Trap> {
        let code = self.symbol(&row.compiled_symbol())?;
        let (th, slot) = (self.th, self.tasks.slot(row)?);
        // SAFETY: the symbol implements the row, `th` is this thread's, the slot is that of the
        // task, and the verifier has checked the arguments against the row.
        let ret = self.call_out(vm, || unsafe {
            native::call_row(th, row, slot, code, args)
        })?;
        Ok(canonical(row, ret))
    }

    fn fault(&mut self, vm: &mut Machine<'_>, site: u64, code: u32) -> Result<Ret, Trap> {
        self.core(vm, "fault", &[site, code.into()])
    }

    fn trace(&mut self, site: u64) {
        if let (Ok(code), Some(row)) = (
            self.symbol("asr_i_trace"),
            asr_intrinsics::CORE.row("trace"),
        ) {
            // SAFETY: the symbol implements the row; it runs no code of the program.
            let _ = unsafe { native::call_row(self.th, row, None, code, &[site]) };
        }
    }

    fn probe(
        &mut self,
        vm: &mut Machine<'_>,
        site: u64,
        _: ProbeKind,
        may_wait: bool,
    ) -> Result<Ret, Trap> {
        // SAFETY: the state of this thread lives as long as the thread.
        let th = unsafe { &*self.th };
        // Relaxed, as in compiled code: the slow path acquires.
        if th.flag.load(Ordering::Relaxed) == 0 && !self.force_slow {
            return Ok(Ret {
                value: 0,
                status: 0,
            });
        }
        th.site
            .set(if may_wait { site | SUSPENDABLE } else { site });
        let code = self.symbol("asr_checkpoint")?;
        // SAFETY: `asr_checkpoint` takes the thread state alone; the registers of a result that it
        // does not give are not looked at.
        self.call_out(vm, || unsafe { native::call_words(th, code, &[]) })?;
        Ok(Ret {
            value: th.exc.get(),
            status: th.action.get().into(),
        })
    }
}
