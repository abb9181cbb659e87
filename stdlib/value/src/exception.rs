//! What the program sees of an error, and what the user sees of one that nobody caught.

use asr_abi::Thread;
use asr_kernel::code::{self, PlaceBuf};
use asr_kernel::thread::trace;

use crate::error::message;
use crate::heap::Heap;
use crate::text::{self, Style};
use crate::word::Value;

/// The symbol of the main function: its lines in a traceback say "in script".
pub const MAIN: &str = "program_main";

/// The message of a fault of the language, by its code.
pub fn fault_message(code: u32) -> &'static str {
    match code {
        0x0100_0001 => message::DIVISION_BY_ZERO,
        0x0100_0002 => "Number does not fit an integer.",
        0x0100_0003 => message::INDEX_BOUNDS,
        0x0100_0004 => "Null access.",
        0x0100_0005 => "Unreachable code was reached.",
        0x0100_0006 => message::STACK_OVERFLOW,
        0x0100_0007 => "Integer overflow.",
        0x0100_00F0 => "Signal in compiled code.",
        _ => "Fault.",
    }
}

/// The value that `recovery (e)` binds for an exception word.
pub fn bind(heap: &Heap, word: Value) -> Value {
    match word.fault_site() {
        Some(site) => {
            let code = code::site(site).map_or(0, |place| place.code);
            heap.thrown(fault_message(code)).0
        }
        None => word,
    }
}

/// The report of an error that nobody caught: message and traceback, innermost first.
pub fn report(th: &Thread, heap: &Heap, word: Value) -> Vec<u8> {
    let mut out = b"runtime error: ".to_vec();
    text::push(&mut out, bind(heap, word), Style::ToString);
    out.push(b'\n');
    let Some(trace) = trace::take(th) else {
        return out;
    };
    let mut line = |site: u64| {
        if let Some(place) = code::site(site) {
            out.extend_from_slice(frame(&place).as_bytes());
        }
    };
    trace.sites().iter().for_each(|site| line(*site));
    let outermost = trace.outermost();
    if trace.skipped() > 0 {
        out.extend_from_slice(format!("  ... {} more\n", trace.skipped()).as_bytes());
    }
    if let Some(place) = outermost.and_then(code::site) {
        out.extend_from_slice(frame(&place).as_bytes());
    }
    out
}

fn frame(place: &PlaceBuf) -> String {
    if place.func == MAIN || place.func == "script" {
        format!("  [line {}] in script\n", place.line)
    } else {
        format!("  [line {}] in {}()\n", place.line, place.func)
    }
}
