//! The row macros. A row is
//!
//! ```text
//! /// One sentence, and more lines if needed.
//! name(param: type, ...) -> type, fails [STATUS ...], does [Effect ...];
//! name(param: type, ...) -> type, fails [STATUS ...], does [Effect ...], slot 64;
//! ```
//!
//! with the types of `Ty` in lower case. `slot` is the class of the op slot of a row that may
//! wait, in bytes (rule ABI-46). A table is a macro that hands its rows to the
//! macro it is given, after a bracketed list of arguments for that macro; see `core_table!`.

/// The Rust type of a row's type.
#[macro_export]
macro_rules! rust_ty {
    (unit) => { () };
    (code) => { *const u8 };
    (ptr) => { *mut u8 };
    (value) => { u64 };
    (region) => { u64 };
    (region_ref) => { u64 };
    (task) => { u64 };
    (task_ref) => { u64 };
    (permit) => { u64 };
    (permit_ref) => { u64 };
    (ack) => { u64 };
    (ack_ref) => { u64 };
    (lease) => { u64 };
    (lease_ref) => { u64 };
    (op) => { u64 };
    (op_ref) => { u64 };
    ($t:ident) => { $t };
}

/// The type of the op slot of a row that may wait.
#[doc(hidden)]
#[macro_export]
macro_rules! slot_ty {
    ($slot:literal) => { *mut $crate::OpSlot };
}

/// The op slot, as an argument.
#[doc(hidden)]
#[macro_export]
macro_rules! slot_arg {
    ($slot:literal $arg:ident) => {
        $arg
    };
}

/// The [`Ty`](crate::Ty) of a row's type.
#[macro_export]
macro_rules! table_ty {
    (unit) => {
        $crate::Ty::Unit
    };
    (i32) => {
        $crate::Ty::I32
    };
    (u32) => {
        $crate::Ty::U32
    };
    (i64) => {
        $crate::Ty::I64
    };
    (u64) => {
        $crate::Ty::U64
    };
    (f64) => {
        $crate::Ty::F64
    };
    (bool) => {
        $crate::Ty::Bool
    };
    (ptr) => {
        $crate::Ty::Ptr
    };
    (code) => {
        $crate::Ty::Code
    };
    (value) => {
        $crate::Ty::Value
    };
    (region) => {
        $crate::Ty::Own($crate::Handle::Region)
    };
    (region_ref) => {
        $crate::Ty::Lent($crate::Handle::Region)
    };
    (task) => {
        $crate::Ty::Own($crate::Handle::Task)
    };
    (task_ref) => {
        $crate::Ty::Lent($crate::Handle::Task)
    };
    (permit) => {
        $crate::Ty::Own($crate::Handle::Permit)
    };
    (permit_ref) => {
        $crate::Ty::Lent($crate::Handle::Permit)
    };
    (ack) => {
        $crate::Ty::Own($crate::Handle::Ack)
    };
    (ack_ref) => {
        $crate::Ty::Lent($crate::Handle::Ack)
    };
    (lease) => {
        $crate::Ty::Own($crate::Handle::Lease)
    };
    (lease_ref) => {
        $crate::Ty::Lent($crate::Handle::Lease)
    };
    (op) => {
        $crate::Ty::Own($crate::Handle::Op)
    };
    (op_ref) => {
        $crate::Ty::Lent($crate::Handle::Op)
    };
}

/// Expands a table into data: `core_table!(asr_intrinsics::rows, "core")` is a
/// [`Table`](crate::Table).
#[macro_export]
macro_rules! rows {
    ([$table:literal] $(
        $(#[doc = $doc:literal])*
        $name:ident($($p:ident: $t:ident),* $(,)?) -> $r:ident,
        fails [$($status:ident)*], does [$($effect:ident)*] $(, slot $slot:literal)?;
    )*) => {
        $crate::Table {
            name: $table,
            rows: &[$($crate::Row {
                name: stringify!($name),
                doc: &[$($doc),*],
                params: &[$($crate::Param { name: stringify!($p), ty: $crate::table_ty!($t) }),*],
                result: $crate::table_ty!($r),
                fails: &[$(stringify!($status)),*],
                does: &[$($crate::Effect::$effect),*],
                slot: 0 $( + $slot)?,
            }),*],
        }
    };
}

/// Expands a table into the functions that compiled code calls.
///
/// The argument is the module of the implementations: for each row an
/// `unsafe fn <row>(th: *const Thread, args...) -> impl IntoRet`; a row that may wait takes its
/// `*mut OpSlot` after the thread. Put the expansion into a module
/// of its own: the functions are named like the rows, their symbols `asr_i_<row>`.
#[macro_export]
macro_rules! export_compiled {
    ([$imp:ident] $(
        $(#[doc = $doc:literal])*
        $name:ident($($p:ident: $t:ident),* $(,)?) -> $r:ident,
        fails [$($status:ident)*], does [$($effect:ident)*] $(, slot $slot:literal)?;
    )*) => { $(
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// `th` is the thread state of the calling thread; addresses are as the row says.
        #[unsafe(export_name = concat!("asr_i_", stringify!($name)))]
        pub unsafe extern "C" fn $name(
            th: *const $crate::Thread,
            $(slot: $crate::slot_ty!($slot),)?
            $($p: $crate::rust_ty!($t)),*
        ) -> $crate::Ret {
            // SAFETY: forwarded: the caller keeps the row's contract.
            $crate::IntoRet::into_ret(unsafe {
                $imp::$name(th, $($crate::slot_arg!($slot slot),)? $($p),*)
            })
        }
    )* };
}

/// Expands a table into the functions that C calls: `uint32_t asr_<row>(args..., result *out)`.
///
/// The arguments are the module of the implementations and a function
/// `fn() -> *const Thread` that gives the calling thread's state, adopting the thread if needed.
/// A null `out` is refused with `BAD_ARGUMENT` before anything happens. For the rows that may wait
/// the module also has `fn block(start: impl FnOnce(*const Thread, *mut OpSlot) -> Ret) -> Ret`,
/// which starts the operation and keeps the calling thread until it is done.
#[macro_export]
macro_rules! export_c {
    ([$imp:ident, $current:ident] $(
        $(#[doc = $doc:literal])*
        $name:ident($($p:ident: $t:ident),* $(,)?) -> $r:ident,
        fails [$($status:ident)*], does [$($effect:ident)*] $(, slot $slot:literal)?;
    )*) => { $(
        $crate::export_c_row! {
            $imp $current $name [$($slot)?] ($($p: $t),*) $r [$($doc)*]
        }
    )* };
}

/// The call of the implementation from C.
#[doc(hidden)]
#[macro_export]
macro_rules! call_from_c {
    ($imp:ident $current:ident $name:ident [] ($($p:ident),*)) => {
        // SAFETY: forwarded: the caller keeps the row's contract.
        $crate::IntoRet::into_ret(unsafe { $imp::$name($current(), $($p),*) })
    };
    ($imp:ident $current:ident $name:ident [$slot:literal] ($($p:ident),*)) => {
        $imp::block(|th, slot| {
            // SAFETY: forwarded: the caller keeps the row's contract; `block` gives a slot of the
            // largest class.
            $crate::IntoRet::into_ret(unsafe { $imp::$name(th, slot, $($p),*) })
        })
    };
}

/// One row of [`export_c!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_c_row {
    (
        $imp:ident $current:ident $name:ident [$($slot:literal)?]
        ($($p:ident: $t:ident),*) unit [$($doc:literal)*]
    ) => {
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// Addresses are as the row says.
        #[unsafe(export_name = concat!("asr_", stringify!($name)))]
        pub unsafe extern "C" fn $name($($p: $crate::rust_ty!($t)),*) -> u32 {
            let ret = $crate::call_from_c!($imp $current $name [$($slot)?] ($($p),*));
            ret.status as u32
        }
    };
    (
        $imp:ident $current:ident $name:ident [$($slot:literal)?]
        ($($p:ident: $t:ident),*) $r:ident [$($doc:literal)*]
    ) => {
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// Addresses are as the row says; `out` is null or may be written.
        #[unsafe(export_name = concat!("asr_", stringify!($name)))]
        pub unsafe extern "C" fn $name(
            $($p: $crate::rust_ty!($t),)* out: *mut $crate::rust_ty!($r)
        ) -> u32 {
            if out.is_null() || !out.is_aligned() {
                return $crate::abi::status::BAD_ARGUMENT;
            }
            let ret = $crate::call_from_c!($imp $current $name [$($slot)?] ($($p),*));
            // SAFETY: `out` is not null and aligned (checked above); C gave it for writing. What is
            // handed back with a refusal is a word of the same kind.
            unsafe { out.write($crate::Word::from_bits(ret.value)) };
            ret.status as u32
        }
    };
}

/// Expands a table into the list of its compiled symbols with their addresses, for the JIT.
///
/// The argument is the module into which [`export_compiled!`] was expanded.
#[macro_export]
macro_rules! symbols {
    ([$compiled:ident] $(
        $(#[doc = $doc:literal])*
        $name:ident($($p:ident: $t:ident),* $(,)?) -> $r:ident,
        fails [$($status:ident)*], does [$($effect:ident)*] $(, slot $slot:literal)?;
    )*) => {
        [$((concat!("asr_i_", stringify!($name)), $compiled::$name as *const () as *const u8)),*]
    };
}
