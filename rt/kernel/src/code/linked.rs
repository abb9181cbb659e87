//! Code linked into the executable: sections `asr_code` and `asr_start`.
//!
//! The linker defines `__start_<section>` and `__stop_<section>` when an object has the section.
//! They are weak here, so that a program without compiled code links too: both are null then.
#![allow(unsafe_code, reason = "reads sections that the linker bounds")]

use asr_abi::{CodeRecord, StartHandler};

use super::registry::{RegisterError, register};

/// The address of a weak symbol, through the global offset table; null when it is not defined.
macro_rules! weak_address {
    ($name:literal) => {{
        let address: *const u8;
        #[cfg(target_arch = "x86_64")]
        // SAFETY: loads one entry of the global offset table, no memory of ours, no flags.
        unsafe {
            std::arch::asm!(
                concat!(".weak ", $name),
                concat!("mov {}, qword ptr [rip + ", $name, "@GOTPCREL]"),
                out(reg) address,
                options(nostack, preserves_flags, pure, readonly)
            );
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        unsafe {
            std::arch::asm!(
                concat!(".weak ", $name),
                concat!("adrp {0}, :got:", $name),
                concat!("ldr {0}, [{0}, :got_lo12:", $name, "]"),
                out(reg) address,
                options(nostack, preserves_flags, pure, readonly)
            );
        }
        address
    }};
}

/// The items between two bounds.
fn between<T>(start: *const u8, stop: *const u8) -> &'static [T] {
    let bytes = (stop as usize).saturating_sub(start as usize);
    if start.is_null() || bytes == 0 {
        return &[];
    }
    // SAFETY: the section holds only items of this type, each as long as its alignment allows
    // without padding between objects; it is mapped for the life of the process.
    unsafe { std::slice::from_raw_parts(start.cast::<T>(), bytes / size_of::<T>()) }
}

/// The records of linked objects.
pub fn records() -> &'static [CodeRecord] {
    between(
        weak_address!("__start_asr_code"),
        weak_address!("__stop_asr_code"),
    )
}

/// The handlers that linked objects register at start, in link order.
pub fn handlers() -> &'static [StartHandler] {
    between(
        weak_address!("__start_asr_start"),
        weak_address!("__stop_asr_start"),
    )
}

/// Registers every linked record; once per process.
///
/// # Errors
/// The first record that is refused; those before it stay registered.
pub fn register_all() -> Result<(), RegisterError> {
    static DONE: std::sync::OnceLock<Result<(), RegisterError>> = std::sync::OnceLock::new();
    *DONE.get_or_init(|| {
        // SAFETY: the sections are part of the executable and written by the compiler alone.
        records()
            .iter()
            .try_for_each(|record| unsafe { register(record) })
    })
}
