//! Asynchronous functions, found by their poll addresses (ABI-46, ABI-48).
#![allow(unsafe_code, reason = "reads the raw tables of registered code")]

use asr_abi::{CodeRecord, FrameMeta, SuspendPoint};

use super::place::items;
use super::registry::records;

/// What is known of the asynchronous function with this poll address, while its unit is
/// registered. Takes no lock.
///
/// The result lives as long as the unit stays registered; whoever has a frame of the function keeps
/// it from being freed (invariant 1 of the registry).
pub fn frame_meta(poll: usize) -> Option<&'static FrameMeta> {
    // SAFETY: registered records are as the ABI says.
    records().find_map(|record| unsafe { of_record(record, poll) })
}

/// # Safety
/// The record is as the ABI says.
unsafe fn of_record(record: *const CodeRecord, poll: usize) -> Option<&'static FrameMeta> {
    // SAFETY: by the contract.
    unsafe {
        let table = (*record).frames.as_ref()?;
        let frames = items(table.frames, u32::try_from(table.len).ok()?);
        let at = frames
            .binary_search_by_key(&poll, |frame| frame.poll as usize)
            .ok()?;
        frames[at].meta.as_ref()
    }
}

/// The suspend point of a state that is neither the start nor the end.
///
/// # Safety
/// `meta` is as the ABI says.
pub(crate) unsafe fn suspend_point(meta: &FrameMeta, state: u32) -> Option<&'static SuspendPoint> {
    // SAFETY: by the contract.
    let points = unsafe { items(meta.points, meta.n_points) };
    points.get(state.checked_sub(1)? as usize)
}

/// One of the arrays of a suspend point.
///
/// # Safety
/// It has `len` items.
pub(crate) unsafe fn offsets(of: *const u32, len: u32) -> &'static [u32] {
    // SAFETY: by the contract.
    unsafe { items(of, len) }
}

/// The name of an asynchronous function.
pub(crate) fn name(meta: &FrameMeta) -> String {
    // SAFETY: whoever has a reference to it found it in a registered record.
    String::from_utf8_lossy(unsafe { items(meta.name, meta.name_len) }).into_owned()
}
