//! Stand-in for the table of `asr-value`.
macro_rules! value_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// .
        value_string(ptr: ptr, len: u64) -> value, fails [THREW], does [Allocates];
        /// .
        value_function(code: code, arity: u32, name: ptr, len: u64) -> value, fails [THREW], does [Allocates];
        /// .
        value_native(id: u32) -> value, fails [THREW], does [Allocates];
        /// .
        value_native_call(id: u32, argv: ptr, argc: u32) -> value, fails [THREW], does [UserCode Allocates];
        /// .
        value_callee(f: value, argc: u32) -> code, fails [THREW], does [];
        /// .
        value_add(a: value, b: value) -> value, fails [THREW], does [Allocates];
        /// .
        value_neg(a: value) -> value, fails [THREW], does [];
        /// .
        value_bit_not(a: value) -> value, fails [THREW], does [];
        /// .
        value_bit_and(a: value, b: value) -> value, fails [THREW], does [];
        /// .
        value_bit_or(a: value, b: value) -> value, fails [THREW], does [];
        /// .
        value_bit_xor(a: value, b: value) -> value, fails [THREW], does [];
        /// .
        value_shl(a: value, b: value) -> value, fails [THREW], does [];
        /// .
        value_shr(a: value, b: value) -> value, fails [THREW], does [];
        /// .
        value_eq(a: value, b: value) -> bool, fails [], does [];
        /// .
        value_to_f64(a: value) -> f64, fails [THREW], does [];
        /// .
        value_rem_f64(a: f64, b: f64) -> f64, fails [], does [];
        /// .
        value_pow_f64(a: f64, b: f64) -> f64, fails [], does [];
        /// .
        value_list(capacity: u64) -> value, fails [THREW], does [Allocates];
        /// .
        value_list_push(l: value, v: value) -> unit, fails [THREW], does [Allocates];
        /// .
        value_dict() -> value, fails [THREW], does [Allocates];
        /// .
        value_dict_init(d: value, k: value, v: value) -> unit, fails [THREW], does [Allocates];
        /// .
        value_index(o: value, i: value) -> value, fails [THREW], does [];
        /// .
        value_index_set(o: value, i: value, v: value) -> unit, fails [THREW], does [Allocates];
        /// .
        value_member(o: value, name: value) -> value, fails [THREW], does [];
        /// .
        value_member_set(o: value, name: value, v: value) -> unit, fails [THREW], does [];
        /// .
        value_print(v: value) -> unit, fails [], does [];
        /// .
        value_fail(kind: u32, a: i64, b: i64, name: ptr, len: u64) -> unit, fails [THREW], does [Diverges];
        /// .
        value_exception(word: value) -> value, fails [], does [];
        /// .
        value_recovered(word: value) -> unit, fails [], does [];
    } };
}
pub(super) const TABLE: asr_intrinsics::Table = value_table!(asr_intrinsics::rows, "value");
