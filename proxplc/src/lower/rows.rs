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
}

/// What [`FAIL`] throws.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    UndefinedVariable = 0,
    Arity = 1,
    DivisionByZero = 2,
    ModuloByZero = 3,
}
