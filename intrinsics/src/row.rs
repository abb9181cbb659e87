//! A table as data: what the compiler, the header generator and the reference page read.

/// Names that no row may yield: the three functions of `asr_runtime.h` (rule ABI-12).
pub const RESERVED: [&str; 3] = [
    "asr_register_handler",
    "asr_checkpoint",
    "asr_report_anomaly",
];

/// What a linear handle stands for. A handle is a 64-bit id; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Handle {
    /// An open region: to be closed.
    Region,
    /// A task: to be joined or detached.
    Task,
    /// A permit to send, a lock or units of a semaphore: to be used or given up.
    Permit,
    /// An item that was received: to be acknowledged or given back.
    Ack,
    /// A lease: to be released.
    Lease,
    /// An operation in flight: to be waited for or cancelled.
    Op,
}

impl Handle {
    /// All kinds, in the order of the reference.
    pub const ALL: [Handle; 6] = [
        Handle::Region,
        Handle::Task,
        Handle::Permit,
        Handle::Ack,
        Handle::Lease,
        Handle::Op,
    ];

    /// The name as written in a table and in AIR.
    pub const fn name(self) -> &'static str {
        match self {
            Handle::Region => "region",
            Handle::Task => "task",
            Handle::Permit => "permit",
            Handle::Ack => "ack",
            Handle::Lease => "lease",
            Handle::Op => "op",
        }
    }
}

/// The type of a parameter or result of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ty {
    /// No result.
    Unit,
    /// 32-bit signed integer.
    I32,
    /// 32-bit unsigned integer; an `i32` in AIR.
    U32,
    /// 64-bit signed integer.
    I64,
    /// 64-bit unsigned integer, ids and sites among them; an `i64` in AIR.
    U64,
    /// IEEE double. As a result it travels bitcast in `Ret::value`.
    F64,
    /// A truth value, 0 or 1 in one byte.
    Bool,
    /// A raw address.
    Ptr,
    /// The address of a function.
    Code,
    /// A dynamic value word.
    Value,
    /// A linear handle. As a parameter it is used up whatever the status; as a result it is held
    /// from then on, if the status is OK.
    Own(Handle),
    /// A linear handle that is only lent, and held as before; no result is of this type.
    Lent(Handle),
}

impl Ty {
    /// The name as written in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Ty::Unit => "unit",
            Ty::I32 => "i32",
            Ty::U32 => "u32",
            Ty::I64 => "i64",
            Ty::U64 => "u64",
            Ty::F64 => "f64",
            Ty::Bool => "bool",
            Ty::Ptr => "ptr",
            Ty::Code => "code",
            Ty::Value => "value",
            Ty::Own(handle) => handle.name(),
            Ty::Lent(Handle::Region) => "region_ref",
            Ty::Lent(Handle::Task) => "task_ref",
            Ty::Lent(Handle::Permit) => "permit_ref",
            Ty::Lent(Handle::Ack) => "ack_ref",
            Ty::Lent(Handle::Lease) => "lease_ref",
            Ty::Lent(Handle::Op) => "op_ref",
        }
    }

    /// The C type of a parameter.
    pub const fn c_name(self) -> &'static str {
        match self {
            Ty::Unit => "void",
            Ty::I32 => "int32_t",
            Ty::U32 => "uint32_t",
            Ty::I64 => "int64_t",
            Ty::U64 | Ty::Value | Ty::Own(_) | Ty::Lent(_) => "uint64_t",
            Ty::F64 => "double",
            Ty::Bool => "bool",
            Ty::Ptr => "void *",
            Ty::Code => "asr_code_fn",
        }
    }
}

/// What a row does besides computing its result. The verifier and the probe pass read these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// May answer `CANCELLED` (a cancel point).
    CancelPoint,
    /// May park the native stack or block the thread; a probe stands after it.
    Parks,
    /// Allocates from the program heap; must be guarded by a probe.
    Allocates,
    /// Runs code of the user; its panics are caught.
    UserCode,
    /// Opens a block that [`Effect::ClosesIntent`] closes.
    OpensIntent,
    /// Closes the block of the innermost open intent.
    ClosesIntent,
    /// Opens a masked block.
    OpensMask,
    /// Closes the innermost masked block.
    ClosesMask,
    /// Opens a commit section.
    OpensCommit,
    /// Closes the innermost commit section.
    ClosesCommit,
    /// Gives up the handle that it takes, on a way out by failure: the compiler calls it there.
    /// Its one parameter is the handle.
    GivesUp,
    /// Its result is a raw address behind a handle, and holds until the next probe, wait or call.
    Borrows,
    /// Does not return to the caller's normal path: always refuses.
    Diverges,
}

/// One parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Param {
    /// Name, as in the reference page and the C header.
    pub name: &'static str,
    /// Type.
    pub ty: Ty,
}

/// One intrinsic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Name: `asr_i_<name>` for compiled code, `asr_<name>` for C.
    pub name: &'static str,
    /// Documentation, one line per item.
    pub doc: &'static [&'static str],
    /// Parameters after the hidden thread argument.
    pub params: &'static [Param],
    /// Result.
    pub result: Ty,
    /// Names of the statuses other than `OK` that it may answer; see `asr_abi::codes`.
    pub fails: &'static [&'static str],
    /// What else it does.
    pub does: &'static [Effect],
    /// Bytes of its op slot in the caller's frame: 0 (never waits), 32, 64 or 128. A row that may
    /// wait is called from asynchronous functions only.
    pub slot: u32,
}

impl Row {
    /// Symbol for compiled code.
    pub fn compiled_symbol(&self) -> String {
        format!("asr_i_{}", self.name)
    }

    /// Symbol for C.
    pub fn c_symbol(&self) -> String {
        format!("asr_{}", self.name)
    }

    /// Whether it may answer anything but `OK`.
    pub fn can_fail(&self) -> bool {
        !self.fails.is_empty()
    }

    /// Whether it may wait: it then takes an op slot after the thread, and may answer PENDING.
    pub fn waits(&self) -> bool {
        self.slot != 0
    }

    /// Whether it has an effect.
    pub fn has(&self, effect: Effect) -> bool {
        self.does.contains(&effect)
    }
}

/// One table: the core's or a library's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// The name by which a module imports it.
    pub name: &'static str,
    /// The rows, in order of their indices.
    pub rows: &'static [Row],
}

impl Table {
    /// The row of this name.
    pub fn row(&self, name: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}
