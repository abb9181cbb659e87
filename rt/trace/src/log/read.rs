//! A file becomes a log.
//!
//! A file that ends too early is not refused: it gives its whole events and says that it is
//! truncated. A file that says what this version would not write is refused.

use std::fmt;

use asr_abi::status;

use super::code::{self, Bad};
use super::{Dropped, HEADER, Log, MAGIC, MAJOR, MINOR, TRAILER, TRAILER_MARK, schema_hash};
use crate::clock::ClockMode;
use crate::hash::hash;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The whole events.
    pub log: Log,
    /// The file ends before its trailer does; dropped counts are unknown and the sum unchecked.
    pub truncated: bool,
    /// Events of kinds that only a later minor version knows.
    pub unknown: u64,
}

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// It does not start as a trace file does.
    Magic,
    /// It has a major version that this reader does not know: `VERSION_UNSUPPORTED`.
    Version(u16),
    /// It has this version, but other kinds or fields.
    Schema,
    /// The part at this byte is not what a writer writes.
    Malformed(usize),
    /// The checksum or the count of the trailer is wrong.
    Checksum,
}

impl ReadError {
    /// The status of VAL-33.
    pub fn status(self) -> u32 {
        match self {
            ReadError::Version(_) => status::VERSION_UNSUPPORTED,
            _ => status::BAD_FRAME,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Magic => f.write_str("not a trace file"),
            ReadError::Version(major) => {
                write!(f, "trace file of version {major}; this reads {MAJOR}")
            }
            ReadError::Schema => f.write_str("trace file of this version with other events"),
            ReadError::Malformed(at) => write!(f, "malformed trace file at byte {at}"),
            ReadError::Checksum => f.write_str("checksum or count of the trace file is wrong"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Why reading stops before the trailer was read.
enum Stop {
    /// The file ended inside of a part.
    End,
    Refused(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Stop {
        Stop::Refused(error)
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Read, ReadError> {
    let mut read = Read::default();
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] {
        return Err(ReadError::Magic);
    }
    let mut reader = Reader {
        bytes,
        at: known,
        later: false,
    };
    match reader.file(&mut read) {
        Ok(()) => {}
        Err(Stop::End) => read.truncated = true,
        Err(Stop::Refused(error)) => return Err(error),
    }
    Ok(read)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The file has a later minor version, and may hold more than this reader knows.
    later: bool,
}

impl<'a> Reader<'a> {
    fn file(&mut self, read: &mut Read) -> Result<(), Stop> {
        let major = self.length()?;
        if major != MAJOR {
            return Err(ReadError::Version(major).into());
        }
        self.later = self.length()? > MINOR;
        let header = self.part(HEADER)?;
        let mode = ClockMode::from_u8(header[0]);
        read.log.clock = mode.ok_or(ReadError::Malformed(self.at - header.len()))?;
        if !self.later && header[1..] != schema_hash().to_le_bytes() {
            return Err(ReadError::Schema.into());
        }
        loop {
            let at = self.at;
            let length = self.length()?;
            if length == TRAILER_MARK {
                return self.trailer(read);
            }
            let event = self.take(usize::from(length))?;
            match code::decode(event) {
                Ok((event, taken)) if taken == usize::from(length) || self.later => {
                    read.log.events.push(event);
                }
                Err(Bad::Unknown) if self.later => read.unknown += 1,
                _ => return Err(ReadError::Malformed(at).into()),
            }
        }
    }

    fn trailer(&mut self, read: &mut Read) -> Result<(), Stop> {
        let trailer = self.part(TRAILER)?;
        if self.at != self.bytes.len() {
            return Err(ReadError::Malformed(self.at).into());
        }
        let (covered, checksum) = trailer[..TRAILER].split_at(TRAILER - 16);
        let end = self.at - trailer.len() + covered.len();
        let word = |n: usize| number(&covered[8 * n..8 * n + 8]);
        let count = read.log.events.len() as u64 + read.unknown;
        if word(0) != count || hash(&self.bytes[..end]).to_le_bytes() != checksum {
            return Err(ReadError::Checksum.into());
        }
        read.log.dropped = Dropped {
            semantic: word(1),
            notes: word(2),
        };
        Ok(())
    }

    /// A part with its length in front: exactly `known` bytes, or more from a later version.
    fn part(&mut self, known: usize) -> Result<&'a [u8], Stop> {
        let at = self.at;
        let length = usize::from(self.length()?);
        if length < known || (length > known && !self.later) {
            return Err(ReadError::Malformed(at).into());
        }
        self.take(length)
    }

    fn length(&mut self) -> Result<u16, Stop> {
        Ok(number(self.take(2)?) as u16)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.checked_add(length).ok_or(Stop::End)?;
        let part = self.bytes.get(self.at..end).ok_or(Stop::End)?;
        self.at = end;
        Ok(part)
    }
}

/// The number in these bytes, little end first.
fn number(bytes: &[u8]) -> u64 {
    let digits = bytes.iter().rev();
    digits.fold(0, |number, &byte| number << 8 | u64::from(byte))
}
