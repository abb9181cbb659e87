//! Foreign C functions of a module that is evaluated, found among the symbols of this process.

#![allow(unsafe_code, reason = "calls C functions by name")]

use std::ffi::CString;

use asr_codegen::air::{Signature, Type};

type Ints = [u64; 6];
type Floats = [f64; 4];

/// Call the C function `name`.
///
/// # Errors
/// A sentence, if there is no such function or the evaluator cannot call it.
pub(super) fn call(name: &str, sig: &Signature, args: &[u64]) -> Result<u64, String> {
    let address = lookup(name).ok_or_else(|| format!("there is no C function '{name}'"))?;
    let (mut ints, mut floats): (Ints, Floats) = ([0; 6], [0.0; 4]);
    let (mut next_int, mut next_float) = (ints.iter_mut(), floats.iter_mut());
    for (ty, bits) in sig.params.iter().zip(args) {
        let slot = match ty {
            Type::F64 => next_float.next().map(|f| *f = f64::from_bits(*bits)),
            Type::F32 => return Err(format!("'{name}' takes a float, which needs compiled code")),
            _ => next_int.next().map(|i| *i = *bits),
        };
        slot.ok_or_else(|| format!("'{name}' takes too many arguments to be evaluated"))?;
    }
    let [a, b, c, d, e, f] = ints;
    let [w, x, y, z] = floats;
    macro_rules! invoke {
        ($ret:ty) => {{
            type Code =
                unsafe extern "C" fn(u64, u64, u64, u64, u64, u64, f64, f64, f64, f64) -> $ret;
            // SAFETY: the module declares the function with this signature, and unused registers
            // are not read; that the declaration is true is the promise of `extern`.
            unsafe { std::mem::transmute::<*const (), Code>(address)(a, b, c, d, e, f, w, x, y, z) }
        }};
    }
    Ok(match sig.ret {
        Some(Type::F64) => invoke!(f64).to_bits(),
        Some(Type::F32) => {
            return Err(format!("'{name}' gives a float, which needs compiled code"));
        }
        Some(ty) => ty.canonical(invoke!(u64)),
        None => {
            invoke!(());
            0
        }
    })
}

/// The address of a C function in this process.
pub(super) fn lookup(name: &str) -> Option<*const ()> {
    let name = CString::new(name).ok()?;
    // SAFETY: a terminated string; the default handle is always valid.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address.cast_const().cast())
}
