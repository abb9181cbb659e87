//! Names of the rows of the value table that compiled code calls. A test looks each up.

macro_rules! rows {
    ($($ident:ident = $name:literal;)*) => {
        $(pub(super) const $ident: &str = $name;)*
        /// All of them.
        #[cfg(test)]
        pub(super) const ALL: &[&str] = &[$($name),*];
    };
}

rows! {
    STRING = "value_string";
    FUNCTION = "value_function";
    CLOSURE = "value_closure";
    BOX = "value_box";
    NATIVE = "value_native";
    NATIVE_CALL = "value_native_call";
    CALLEE = "value_callee";
    ADD = "value_add";
    NEG = "value_neg";
    BIT_NOT = "value_bit_not";
    BIT_AND = "value_bit_and";
    BIT_OR = "value_bit_or";
    BIT_XOR = "value_bit_xor";
    SHL = "value_shl";
    SHR = "value_shr";
    EQ = "value_eq";
    TO_F64 = "value_to_f64";
    REM_F64 = "value_rem_f64";
    POW_F64 = "value_pow_f64";
    LIST = "value_list";
    LIST_EXTEND = "value_list_extend";
    DICT = "value_dict";
    DICT_INIT = "value_dict_init";
    INDEX = "value_index";
    INDEX_SET = "value_index_set";
    MEMBER = "value_member";
    MEMBER_SET = "value_member_set";
    PRINT = "value_print";
    FAIL = "value_fail";
    EXCEPTION = "value_exception";
    RECOVERED = "value_recovered";
    TASK = "value_task";
    TASK_STARTED = "value_task_started";
    TASK_END = "value_task_end";
    AWAIT = "value_await";
    CANCEL = "value_cancel";
    SLEEP = "value_sleep";
    CHANNEL = "value_channel";
    SEND = "value_send";
    RECV = "value_recv";
    CLOSE = "value_close";
    SCOPE = "value_scope";
    SCOPE_END = "value_scope_end";
    SCOPE_CHECK = "value_scope_check";
    ISOLATE = "value_isolate";
    ISOLATE_BEGIN = "value_isolate_begin";
    ISOLATE_END = "value_isolate_end";
    CELLS = "value_cells";
    CELLS_MAKE = "value_cells_make";
}

/// Rows of the table `tasks`. A test looks each up.
pub(super) mod tasks {
    pub(in super::super) const REGION_OPEN: &str = "region_open";
    pub(in super::super) const REGION_CLOSE: &str = "region_close";
    pub(in super::super) const REGION_ABANDON: &str = "region_abandon";
    pub(in super::super) const MASK_ENTER: &str = "mask_enter";
    pub(in super::super) const MASK_LEAVE: &str = "mask_leave";
    #[cfg(test)]
    pub(in super::super) const ALL: &[&str] = &[
        REGION_OPEN,
        REGION_CLOSE,
        REGION_ABANDON,
        MASK_ENTER,
        MASK_LEAVE,
    ];
}

/// What [`FAIL`] throws.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    UndefinedVariable = 0,
    Arity = 1,
    DivisionByZero = 2,
    ModuloByZero = 3,
}
