//! A table as data: what the compiler, the header generator and the reference page read.

/// Names that no row may yield: the three functions of `asr_runtime.h` (rule ABI-12).
pub const RESERVED: [&str; 3] = [
    "asr_register_handler",
    "asr_checkpoint",
    "asr_report_anomaly",
];

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
        }
    }

    /// The C type of a parameter.
    pub const fn c_name(self) -> &'static str {
        match self {
            Ty::Unit => "void",
            Ty::I32 => "int32_t",
            Ty::U32 => "uint32_t",
            Ty::I64 => "int64_t",
            Ty::U64 | Ty::Value => "uint64_t",
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
    /// Bytes of its op slot in the caller's frame: 0 (never waits), 32, 64 or 128.
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
