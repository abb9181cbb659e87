//! Cranelift's settings for a target.

use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};

use crate::{Error, OptLevel, Options, Target};

/// What every x86-64 machine since 2009 has (level x86-64-v2). Without these, rounding a float
/// would be a call of the C library.
const X86_64_V2: [&str; 6] = [
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
    "has_cmpxchg16b",
];

/// The target that the options name.
pub(crate) fn target(options: &Options) -> Result<Target, Error> {
    options
        .target
        .or_else(Target::host)
        .ok_or_else(|| Error::Unsupported("this machine as a target".to_owned()))
}

/// The instruction set of the options' target, for an object (`pic`) or for the JIT.
pub(crate) fn isa(options: &Options, pic: bool) -> Result<OwnedTargetIsa, Error> {
    let target = target(options)?;
    let refused = |error: &dyn std::fmt::Display| Error::Cranelift(error.to_string());
    let mut flags = settings::builder();
    let opt = match options.opt {
        OptLevel::None => "none",
        OptLevel::Speed => "speed",
    };
    for (name, value) in [
        ("opt_level", opt),
        ("is_pic", if pic { "true" } else { "false" }),
        ("use_colocated_libcalls", "false"),
        (
            "enable_verifier",
            if options.verify_clif { "true" } else { "false" },
        ),
        ("unwind_info", "true"),
        // Frames larger than a page touch each page, so that a guard page is not skipped.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
    ] {
        flags.set(name, value).map_err(|error| refused(&error))?;
    }
    let triple = target
        .triple()
        .parse()
        .map_err(|error| refused(&format!("{error:?}")))?;
    let mut builder = isa::lookup(triple).map_err(|error| refused(&error))?;
    if target == Target::X86_64 {
        for name in X86_64_V2 {
            // A flag that this version does not know changes nothing.
            let _ = builder.enable(name);
        }
    }
    builder
        .finish(settings::Flags::new(flags))
        .map_err(|error| refused(&error))
}
