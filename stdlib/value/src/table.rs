//! The table of intrinsics for dynamic values.

/// Hands the rows of the value table to a macro, after the given arguments.
#[macro_export]
macro_rules! value_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// A string of `len` bytes copied from `ptr`; the result is kept by a global for a literal.
        value_string(ptr: ptr, len: u64) -> value, fails [THREW], does [Allocates];
        /// A function value; `code` has the signature `(self: value, args...) -> value throws`. Bit
        /// 31 of the arity: any isolate may run it, for it uses no variables of the module.
        value_function(code: code, arity: u32, name: ptr, len: u64) -> value,
            fails [THREW], does [Allocates];
        /// A function value with the `count` value words at `captured`, which lie behind it.
        value_closure(code: code, arity: u32, name: ptr, len: u64, captured: ptr, count: u64)
            -> value, fails [THREW], does [Allocates];
        /// A box: a variable that several functions share.
        value_box(v: value) -> value, fails [THREW], does [Allocates];
        /// A native as a value.
        value_native(id: u32) -> value, fails [THREW], does [Allocates];
        /// Calls a native with the `argc` value words at `argv`.
        value_native_call(id: u32, argv: ptr, argc: u32) -> value,
            fails [THREW], does [UserCode Allocates];
        /// The code of a value that is called with `argc` arguments: code of the signature
        /// `(self: value, args...) -> value throws`. Throws when it is not callable.
        value_callee(f: value, argc: u32) -> code, fails [THREW], does [];
        /// Sum of numbers, or both as text, joined.
        value_add(a: value, b: value) -> value, fails [THREW], does [Allocates];
        /// Difference of numbers.
        value_sub(a: value, b: value) -> value, fails [THREW], does [];
        /// Product of numbers.
        value_mul(a: value, b: value) -> value, fails [THREW], does [];
        /// Quotient of numbers; throws when the divisor is 0.
        value_div(a: value, b: value) -> value, fails [THREW], does [];
        /// Remainder of numbers with the sign of the dividend; throws when the divisor is 0.
        value_rem(a: value, b: value) -> value, fails [THREW], does [];
        /// Power of numbers.
        value_pow(a: value, b: value) -> value, fails [THREW], does [];
        /// Negated number.
        value_neg(a: value) -> value, fails [THREW], does [];
        /// Complement of the 32-bit integer that the number is cast to.
        value_bit_not(a: value) -> value, fails [THREW], does [];
        /// Bitwise and of 32-bit integers.
        value_bit_and(a: value, b: value) -> value, fails [THREW], does [];
        /// Bitwise or of 32-bit integers.
        value_bit_or(a: value, b: value) -> value, fails [THREW], does [];
        /// Bitwise exclusive or of 32-bit integers.
        value_bit_xor(a: value, b: value) -> value, fails [THREW], does [];
        /// The unsigned 32-bit integer shifted left; throws unless the count is 0 to 31.
        value_shl(a: value, b: value) -> value, fails [THREW], does [];
        /// The unsigned 32-bit integer shifted right; throws unless the count is 0 to 31.
        value_shr(a: value, b: value) -> value, fails [THREW], does [];
        /// Equality: numbers by value, strings by content, the rest by identity.
        value_eq(a: value, b: value) -> bool, fails [], does [];
        /// Whether number `a` is below number `b`.
        value_lt(a: value, b: value) -> bool, fails [THREW], does [];
        /// Whether number `a` is not above number `b`.
        value_le(a: value, b: value) -> bool, fails [THREW], does [];
        /// Whether number `a` is above number `b`.
        value_gt(a: value, b: value) -> bool, fails [THREW], does [];
        /// Whether number `a` is not below number `b`.
        value_ge(a: value, b: value) -> bool, fails [THREW], does [];
        /// The number; throws when it is none.
        value_to_f64(a: value) -> f64, fails [THREW], does [];
        /// Remainder of doubles with the sign of the dividend.
        value_rem_f64(a: f64, b: f64) -> f64, fails [], does [];
        /// Power of doubles.
        value_pow_f64(a: f64, b: f64) -> f64, fails [], does [];
        /// An empty list with room for `capacity` elements.
        value_list(capacity: u64) -> value, fails [THREW], does [Allocates];
        /// Appends to a list.
        value_list_push(l: value, v: value) -> unit, fails [THREW], does [Allocates];
        /// Appends the `count` value words at `items` to a list.
        value_list_extend(l: value, items: ptr, count: u64) -> unit,
            fails [THREW], does [Allocates];
        /// An empty dictionary.
        value_dict() -> value, fails [THREW], does [Allocates];
        /// Adds an entry of a literal: the first of equal keys wins.
        value_dict_init(d: value, k: value, v: value) -> unit, fails [THREW], does [Allocates];
        /// An element of a list, or an entry of a dictionary or record (null when it is missing).
        value_index(o: value, i: value) -> value, fails [THREW], does [];
        /// Replaces an element of a list, or sets an entry of a dictionary or record.
        value_index_set(o: value, i: value, v: value) -> unit, fails [THREW], does [Allocates];
        /// A member by its name, a string.
        value_member(o: value, name: value) -> value, fails [THREW], does [];
        /// Sets a member by its name, a string.
        value_member_set(o: value, name: value, v: value) -> unit,
            fails [THREW], does [Allocates];
        /// Prints a value and a newline.
        value_print(v: value) -> unit, fails [], does [];
        /// Throws a message of the language: 0 undefined variable `name`, 1 `a` arguments expected
        /// but got `b`, 2 division by zero, 3 modulo by zero, 4 operands must be numbers.
        value_fail(kind: u32, a: i64, b: i64, name: ptr, len: u64) -> unit,
            fails [THREW], does [Diverges];
        /// What `recovery (e)` binds for an exception word: a fault becomes its message.
        value_exception(word: value) -> value, fails [], does [];
        /// A `resilient` without a name for the error caught this exception word.
        value_recovered(word: value) -> unit, fails [], does [];
        /// A task value, for a task of this scope (an object of `value_scope`, or null).
        value_task(scope: value) -> value, fails [THREW], does [Allocates];
        /// The task of a task value was started.
        value_task_started(object: value, task: task) -> unit, fails [], does [GivesUp];
        /// The task ended: 0 with this result, 1 with this exception, 2 cancelled.
        value_task_end(object: value, how: u32, v: value) -> unit, fails [], does [];
        /// The result of a task, waited for; any other value is itself. Throws the exception of a
        /// task that failed, and when the task was cancelled.
        value_await(v: value) -> value, fails [THREW CANCELLED], does [CancelPoint], slot 128;
        /// Asks a task to cancel.
        value_cancel(task: value) -> unit, fails [THREW], does [];
        /// Waits for so many milliseconds.
        value_sleep(ms: value) -> unit, fails [THREW CANCELLED], does [CancelPoint], slot 128;
        /// A channel for so many values.
        value_channel(capacity: value) -> value, fails [THREW], does [Allocates];
        /// Sends a value, once there is a place for it.
        value_send(channel: value, v: value) -> unit, fails [THREW CANCELLED],
            does [CancelPoint], slot 128;
        /// The next value of a channel; null once it is closed and empty.
        value_recv(channel: value) -> value, fails [THREW CANCELLED], does [CancelPoint], slot 128;
        /// Closes a channel: nothing is sent any more.
        value_close(channel: value) -> unit, fails [THREW], does [];
        /// What a scope of the running task is known by: once a task of it fails, the next wait of
        /// the running task throws that failure.
        value_scope() -> value, fails [THREW], does [Allocates];
        /// The body of the scope ends: its waits throw no more.
        value_scope_end(scope: value) -> unit, fails [], does [];
        /// Throws the first failure of a task of the scope, if there is one.
        value_scope_check(scope: value) -> unit, fails [THREW], does [];
        /// Starts a task in an isolate of its own: `run(sent: i64) -> value` is async, and gets a
        /// copy of the `count` value words at `words`, a function and arguments. A task value,
        /// which the caller awaits in a task.
        value_isolate(run: code, words: ptr, count: u64) -> value,
            fails [THREW], does [Allocates];
        /// What was sent to this isolate, as a list; its cells are filled.
        value_isolate_begin(sent: i64) -> value, fails [THREW], does [Allocates];
        /// The first task of this isolate ended, as for `value_task_end`.
        value_isolate_end(sent: i64, how: u32, v: value) -> unit, fails [], does [];
        /// The cells of this isolate: value words.
        value_cells() -> ptr, fails [], does [];
        /// Makes the cells of this isolate.
        value_cells_make(count: u32) -> unit, fails [], does [];
    } };
}

/// The value table as data.
pub const TABLE: asr_intrinsics::Table = crate::value_table!(asr_intrinsics::rows, "value");
