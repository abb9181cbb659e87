//! C's `%.*g`, by the C library itself: the formats of the language are defined by it.
#![allow(unsafe_code, reason = "calls snprintf")]

/// Appends `%.<digits>g` of a number.
pub(super) fn general(out: &mut Vec<u8>, x: f64, digits: i32) {
    let mut buffer = [0u8; 64];
    // SAFETY: the format takes an int and a double; at most 63 bytes and a zero are written.
    let len = unsafe {
        libc::snprintf(
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            c"%.*g".as_ptr(),
            digits as libc::c_int,
            x,
        )
    };
    let len = usize::try_from(len).unwrap_or(0).min(buffer.len() - 1);
    out.extend_from_slice(&buffer[..len]);
}
