//! Calling values: functions of the program by their code, natives through a trampoline.
#![allow(unsafe_code, reason = "calls compiled code by its address")]

use asr_abi::{Ret, Thread, status};

use crate::error::{Res, Thrown, message};
use crate::natives::{self, Cx};
use crate::word::Value;

/// "Expected a arguments but got b."
pub(crate) fn wrong_count(cx: &Cx<'_>, expected: i64, got: i64) -> Thrown {
    let text = format!("Expected {expected} arguments but got {got}.");
    cx.heap.thrown_text(&text)
}

/// Most arguments with which a native can be called as a value.
pub const NATIVE_ARGS_MAX: u32 = 8;

/// The code of a value that is called with `argc` arguments.
pub(crate) fn callee(cx: &Cx<'_>, f: Value, argc: u32) -> Res<*const u8> {
    if let Some(function) = f.as_function() {
        return if function.arity() == argc {
            Ok(function.code())
        } else {
            Err(wrong_count(cx, function.arity().into(), argc.into()))
        };
    }
    if f.as_native().is_none() {
        return Err(cx.heap.thrown(message::NOT_CALLABLE));
    }
    TRAMPOLINES.get(argc as usize).copied().map_or_else(
        || {
            let text = format!("Natives take at most {NATIVE_ARGS_MAX} arguments.");
            Err(cx.heap.thrown_text(&text))
        },
        |code| Ok(code.0),
    )
}

/// An address of code, which may be shared.
#[derive(Clone, Copy)]
struct Code(*const u8);

// SAFETY: an address of code, never written through.
unsafe impl Sync for Code {}

macro_rules! trampolines {
    ($($name:ident($($arg:ident),*);)*) => {
        $(
            /// A native called as a value.
            unsafe extern "C" fn $name(th: *const Thread, this: u64 $(, $arg: u64)*) -> Ret {
                // SAFETY: the caller passes its own thread state and value words.
                unsafe { native(th, this, &[$(Value::from_word($arg)),*]) }
            }
        )*
        /// By the number of arguments.
        static TRAMPOLINES: [Code; NATIVE_ARGS_MAX as usize + 1] =
            [$(Code($name as *const () as *const u8)),*];
    };
}

trampolines! {
    call0();
    call1(a);
    call2(a, b);
    call3(a, b, c);
    call4(a, b, c, d);
    call5(a, b, c, d, e);
    call6(a, b, c, d, e, f);
    call7(a, b, c, d, e, f, g);
    call8(a, b, c, d, e, f, g, h);
}

/// # Safety
/// `th` is null or the state of the calling thread; `this` is a value word.
unsafe fn native(th: *const Thread, this: u64, args: &[Value]) -> Ret {
    // SAFETY: the caller's promise.
    let (th, this) = unsafe { (th.as_ref(), Value::from_word(this)) };
    let (Some(th), Some(native)) = (th, this.as_native()) else {
        return Ret {
            value: 0,
            status: status::SHUTDOWN.into(),
        };
    };
    let cx = Cx {
        th,
        heap: crate::Heap::of(th),
    };
    asr_intrinsics::IntoRet::into_ret(
        natives::call(&cx, native.id(), args)
            .map(Value::word)
            .map_err(asr_intrinsics::Refusal::from),
    )
}

/// How code is called; an evaluator, whose functions are no machine code, brings its own.
pub type CallCode = fn(&Thread, *const u8, Value, &[Value]) -> Ret;

/// Most arguments with which the library calls a function of the program.
pub const CALL_ARGS_MAX: usize = 8;

macro_rules! arms {
    ($th:expr, $code:expr, $this:expr, $args:expr; $(($($arg:ident),*))*) => {
        match $args {
            $([$($arg),*] => {
                type Code = unsafe extern "C" fn(*const Thread, u64 $(, arms!(@ $arg))*) -> Ret;
                // SAFETY: the code of a function value of this arity (`Function::make` and the
                // caller's check) has this signature; null is refused by the caller.
                unsafe {
                    let code = std::mem::transmute::<*const u8, Code>($code);
                    code($th, $this.word() $(, $arg.word())*)
                }
            })*
            _ => Ret { value: 0, status: status::BAD_ARGUMENT.into() },
        }
    };
    (@ $arg:ident) => { u64 };
}

/// Calls machine code of the signature `(self: value, args...) -> value throws`.
pub(crate) fn machine_code(th: &Thread, code: *const u8, this: Value, args: &[Value]) -> Ret {
    arms! { th, code, this, args;
        () (a) (a, b) (a, b, c) (a, b, c, d) (a, b, c, d, e) (a, b, c, d, e, f)
        (a, b, c, d, e, f, g) (a, b, c, d, e, f, g, h)
    }
}
