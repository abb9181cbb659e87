//! What a caller may choose.

/// Which probes the compiled code carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProbeMode {
    /// None at all, those of the front end included. For measurements only: such code can be
    /// neither cancelled nor repaired.
    Off,
    /// What rule ABI-1 asks for, with the elisions of ABI-2.
    #[default]
    Auto,
    /// Every guard of ABI-1 as an explicit probe.
    Every,
    /// Exactly what stands in the module. The check of rule ABI-30 is not run.
    AsIs,
}

impl ProbeMode {
    /// The mode of this name: `off`, `auto`, `every` or `as-is`.
    pub fn from_name(name: &str) -> Option<ProbeMode> {
        Some(match name {
            "off" => ProbeMode::Off,
            "auto" => ProbeMode::Auto,
            "every" => ProbeMode::Every,
            "as-is" => ProbeMode::AsIs,
            _ => return None,
        })
    }
}

/// How hard Cranelift tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OptLevel {
    /// No optimization: for a prompt.
    None,
    /// For everything else.
    #[default]
    Speed,
}

/// For which machine an object is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// 64-bit x86 Linux with SSE4.2 and POPCNT (level x86-64-v2).
    X86_64,
    /// 64-bit Arm Linux.
    Aarch64,
}

impl Target {
    /// The machine that this program runs on, if it is one of the targets.
    pub fn host() -> Option<Target> {
        if cfg!(target_arch = "x86_64") {
            Some(Target::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Target::Aarch64)
        } else {
            None
        }
    }

    /// The target of this name: `x86_64` or `aarch64`.
    pub fn from_name(name: &str) -> Option<Target> {
        match name {
            "x86_64" => Some(Target::X86_64),
            "aarch64" => Some(Target::Aarch64),
            _ => None,
        }
    }

    /// Its triple.
    pub const fn triple(self) -> &'static str {
        match self {
            Target::X86_64 => "x86_64-unknown-linux-gnu",
            Target::Aarch64 => "aarch64-unknown-linux-gnu",
        }
    }
}

/// Choices of a compilation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Which probes.
    pub probes: ProbeMode,
    /// Every probe takes its cold path (rule ABI-11).
    pub force_slow: bool,
    /// How hard Cranelift tries.
    pub opt: OptLevel,
    /// For which machine; `None` is the one that this program runs on. The JIT accepts no other.
    pub target: Option<Target>,
    /// A path that leaks a handle is no error (rule ABI-31); see [`crate::air::verify_with`].
    pub allow_leaks: bool,
    /// Runs Cranelift's verifier, and the check that no plain load of the flag word exists (rule
    /// ABI-30 d). On by default where debug assertions are.
    pub verify_clif: bool,
    /// JIT: tells debuggers of the code (gdb's JIT interface), with its frames and lines. Objects
    /// carry these always.
    pub debugger: bool,
    /// JIT: writes the functions into `/tmp/perf-<pid>.map`, where `perf` looks for them.
    pub perf_map: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            probes: ProbeMode::Auto,
            force_slow: false,
            opt: OptLevel::Speed,
            target: None,
            allow_leaks: false,
            verify_clif: cfg!(debug_assertions),
            debugger: false,
            perf_map: false,
        }
    }
}
