//! Why a module was not compiled or loaded.

use std::fmt;

/// Why a module was not compiled or loaded. Nothing was registered and nothing stays behind.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The module imports a table that was not given.
    UnknownTable(String),
    /// The module calls a row that no imported table has.
    UnknownIntrinsic(String),
    /// Symbols that the module needs and the caller did not give.
    UnknownSymbols(Vec<String>),
    /// The host or the request is not supported.
    Unsupported(String),
    /// The module breaks a rule that the verifier checks; compile only verified modules.
    Invalid(String),
    /// The check of the probes (rule ABI-30 a to c, and k) found these.
    Probes(Vec<crate::air::VerifyError>),
    /// The check of the cleanup edges (rule ABI-30 f, h, m) found these.
    Unwinding(Vec<crate::air::VerifyError>),
    /// Cranelift refused; a defect of the lowering.
    Cranelift(String),
    /// No memory for the code.
    Memory(String),
    /// The runtime refused the code record or a handler with this status.
    Refused {
        /// What was refused.
        what: String,
        /// A status of `asr_abi::status`.
        status: u32,
    },
    /// The unit is still in use and stays loaded.
    Busy,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownTable(name) => write!(f, "no intrinsic table is named `{name}`"),
            Error::UnknownIntrinsic(name) => {
                write!(f, "no imported table has an intrinsic `{name}`")
            }
            Error::UnknownSymbols(names) => {
                write!(f, "no address was given for {}", names.join(", "))
            }
            Error::Unsupported(what) => write!(f, "not supported: {what}"),
            Error::Invalid(what) => write!(f, "the module is not valid: {what}"),
            Error::Probes(list) => {
                write!(f, "{} places are not guarded by a probe", list.len())?;
                list.iter().try_for_each(|v| write!(f, "\n{v}"))
            }
            Error::Unwinding(list) => {
                write!(f, "{} failures would leave something held", list.len())?;
                list.iter().try_for_each(|v| write!(f, "\n{v}"))
            }
            Error::Cranelift(what) => write!(f, "cranelift refused: {what}"),
            Error::Memory(what) => write!(f, "no memory for code: {what}"),
            Error::Refused { what, status } => {
                write!(f, "the runtime refused {what} with status {status}")
            }
            Error::Busy => write!(f, "the unit is still in use"),
        }
    }
}

impl std::error::Error for Error {}

impl From<cranelift_module::ModuleError> for Error {
    fn from(error: cranelift_module::ModuleError) -> Self {
        use cranelift_module::ModuleError;
        match error {
            ModuleError::Allocation { .. } => Error::Memory(error.to_string()),
            // The default form of a verifier error prints the whole function.
            ModuleError::Compilation(inner) => Error::Cranelift(inner.to_string()),
            _ => Error::Cranelift(error.to_string()),
        }
    }
}

impl From<cranelift_codegen::CodegenError> for Error {
    fn from(error: cranelift_codegen::CodegenError) -> Self {
        use cranelift_codegen::CodegenError;
        match error {
            CodegenError::Verifier(errors) => Error::Cranelift(errors.to_string()),
            _ => Error::Cranelift(error.to_string()),
        }
    }
}
