//! Series A: anomalies (HEAL-1). The number is the 32-bit code of the report; its high byte is the class.

use super::Code;

/// The rows, in order of their numbers. Numbers are never reused.
pub(super) const ROWS: &[Code] = codes! { A
    0x0100_0001 DIVISION_BY_ZERO: "division or remainder by zero", do "test the divisor first";
    0x0100_0002 CONVERSION: "a float does not fit the integer type", do "test the range first";
    0x0100_0003 BOUNDS: "an index is not below the length", do "test the index first";
    0x0100_0004 NULL_ACCESS: "a null address was used", do "test for null first";
    0x0100_0005 UNREACHABLE: "code that cannot run was reached", do "report the front end's bug";
    0x0100_0006 RECURSION_DEPTH: "the native stack is nearly used up",
        do "recurse less deeply, or use a loop";
    0x0100_0007 OVERFLOW: "a quotient does not fit: the least integer divided by -1",
        do "test the operands first";
    0x0100_00F0 SIGNAL: "a signal in compiled code: a wild address or a bug of the compiler",
        do "report it with the message's location";
    0x0200_0001 CONTRACT: "a contract, type state or assertion was broken",
        do "look at the site that reported it";
    0x0300_0001 EXPIRED: "an expiry passed", do "extend it in time, or do less";
    0x0500_0001 INTEGRITY: "a checksum or a reference does not agree",
        do "let the handler rebuild the object";
};
