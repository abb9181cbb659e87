//! A log becomes a file.

use super::{HEADER, Log, MAGIC, MAJOR, MINOR, TRAILER, TRAILER_MARK, code, schema_hash};
use crate::hash::hash;

pub(super) fn write(log: &Log) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + 40 * log.events.len());
    out.extend(MAGIC);
    out.extend(MAJOR.to_le_bytes());
    out.extend(MINOR.to_le_bytes());
    out.extend((HEADER as u16).to_le_bytes());
    out.push(log.clock as u8);
    out.extend(schema_hash().to_le_bytes());
    let mut bytes = Vec::with_capacity(128);
    for event in &log.events {
        bytes.clear();
        code::encode(event, &mut bytes);
        // An event is fixed in size: less than 200 bytes in any case.
        out.extend((bytes.len() as u16).to_le_bytes());
        out.extend(&bytes);
    }
    out.extend(TRAILER_MARK.to_le_bytes());
    out.extend((TRAILER as u16).to_le_bytes());
    out.extend((log.events.len() as u64).to_le_bytes());
    out.extend(log.dropped.semantic.to_le_bytes());
    out.extend(log.dropped.notes.to_le_bytes());
    let checksum = hash(&out);
    out.extend(checksum.to_le_bytes());
    out
}
