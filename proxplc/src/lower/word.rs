//! Words of dynamic values, as far as compiled code looks into them. The layout is that of
//! `asr-value`; a test compares.

use asr_value::object::list_layout;

/// Words below this are doubles.
pub(super) const DOUBLES_END: u64 = 0xFFF9 << 48;
/// Words from [`DOUBLES_END`] to here are 32-bit integers.
pub(super) const NUMBERS_END: u64 = 0xFFFA << 48;
/// Null.
pub(super) const NULL: u64 = 0xFFFB << 48;
/// False. Null and false are the words that agree with [`NULL`] but for this bit.
pub(super) const FALSE: u64 = NULL | FALSE_BIT;
/// The bit in which false differs from null.
pub(super) const FALSE_BIT: u64 = 2;
/// True.
pub(super) const TRUE: u64 = NULL | 3;
/// A top-level variable before its declaration.
pub(super) const UNDEFINED: u64 = NULL | 4;
/// Tag of objects: exclusive or with it leaves the address.
pub(super) const OBJECT_TAG: u64 = 0xFFFA << 48;
/// Addresses are below this.
pub(super) const ADDRESS_END: u64 = 1 << 48;
/// Offset of an object's kind, an `i32`.
pub(super) const KIND: i32 = list_layout::KIND_OFFSET as i32;
/// The kind of a list.
pub(super) const KIND_LIST: u64 = list_layout::KIND as u64;
/// Offset of a list's number of items.
pub(super) const LIST_LEN: i32 = list_layout::LEN_OFFSET as i32;
/// Offset of the address of a list's items.
pub(super) const LIST_ITEMS: i32 = list_layout::ITEMS_OFFSET as i32;

/// Offset of what is in a box.
pub(super) const BOX_VALUE: i32 = asr_value::object::BOX_VALUE_OFFSET as i32;
/// Offset of what a function captured.
pub(super) const CAPTURED: i32 = asr_value::object::CAPTURED_OFFSET as i32;

#[cfg(test)]
mod tests {
    use asr_value::{Value, word};

    #[test]
    fn the_words_are_those_of_the_library() {
        assert_eq!(super::DOUBLES_END, word::INT_TAG);
        assert_eq!(super::NUMBERS_END, word::OBJECT_TAG);
        assert_eq!(super::OBJECT_TAG, word::OBJECT_TAG);
        assert_eq!(super::ADDRESS_END - 1, word::PAYLOAD);
        assert_eq!(super::NULL, Value::NULL.word());
        assert_eq!(super::FALSE, Value::FALSE.word());
        assert_eq!(super::FALSE, super::NULL | super::FALSE_BIT);
        assert_eq!(super::TRUE, Value::TRUE.word());
        assert_eq!(super::UNDEFINED, Value::UNDEFINED.word());
    }
}
