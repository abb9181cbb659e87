//! One event as bytes, and back. Equal events have equal bytes, and no other bytes are accepted.
//!
//! Kind, sub-event and shape take a byte each; the shape tells what follows: bit 0 a task, bit 1
//! a region, bits 2 and 3 the number of objects, bits 4 and 5 that of causes. Numbers are in
//! base 128, low group first, the upper bit of each byte set but in the last. In order: sequence
//! number, logical time, time, task, region, objects, causes, `a`, `b`, `c`. An object is a byte
//! (its sort, the upper bit set for a write), its number, and for a place its kind.

use asr_base::{RegionId, TaskId, Time};

use crate::event::{Causes, Event};
use crate::kind::Kind;
use crate::resource::{Access, End, Object, Objects, Resource};
use crate::sub::Sub;

const WRITES: u8 = 0x80;

/// Why bytes are no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// A kind or sub-event that this version does not know.
    Unknown,
    /// Not what `encode` writes.
    Malformed,
}

/// Appends the event.
pub(super) fn encode(event: &Event, out: &mut Vec<u8>) {
    let (objects, causes) = (event.objects.len() as u8, event.causes.len() as u8);
    let shape = u8::from(event.task.is_some())
        | u8::from(event.region.is_some()) << 1
        | objects << 2
        | causes << 4;
    out.extend([event.kind as u8, event.sub as u8, shape]);
    put(event.seq, out);
    put(event.logical, out);
    put(event.time.as_nanos(), out);
    if let Some(task) = event.task {
        put(task.to_bits(), out);
    }
    if let Some(region) = event.region {
        put(region.to_bits(), out);
    }
    for object in event.objects.iter() {
        put_object(object, out);
    }
    for cause in event.causes.iter() {
        put(cause, out);
    }
    for word in event.words() {
        put(word, out);
    }
}

/// The event at the start of the bytes, and how many of them it takes.
pub(super) fn decode(bytes: &[u8]) -> Result<(Event, usize), Bad> {
    let mut input = bytes;
    let input = &mut input;
    let (kind, sub) = (Kind::from_u8(byte(input)?), Sub::from_u8(byte(input)?));
    let (kind, sub) = kind.zip(sub).ok_or(Bad::Unknown)?;
    let shape = byte(input)?;
    let (seq, logical, time) = (get(input)?, get(input)?, get(input)?);
    let mut event = Event {
        seq,
        kind,
        sub,
        logical,
        time: Time::from_nanos(time),
        task: None,
        region: None,
        objects: Objects::NONE,
        causes: Causes::NONE,
        a: 0,
        b: 0,
        c: 0,
    };
    if shape & 1 != 0 {
        event.task = Some(task(input)?);
    }
    if shape & 2 != 0 {
        event.region = Some(region(input)?);
    }
    for _ in 0..shape >> 2 & 3 {
        if !event.objects.push(get_object(input)?) {
            return Err(Bad::Malformed);
        }
    }
    event.causes = match shape >> 4 & 3 {
        0 => Causes::NONE,
        1 => Causes::one(get(input)?),
        _ => Causes::two(get(input)?, get(input)?),
    };
    (event.a, event.b, event.c) = (get(input)?, get(input)?, get(input)?);
    let taken = bytes.len() - input.len();
    // Overlong numbers, a zero cause, stray bits of the shape: all that is not canonical.
    let mut again = Vec::with_capacity(taken);
    encode(&event, &mut again);
    if again != bytes[..taken] {
        return Err(Bad::Malformed);
    }
    Ok((event, taken))
}

fn put_object(object: &Object, out: &mut Vec<u8>) {
    let (sort, number, kind) = match object.resource {
        Resource::Cell(number) => (0, number, None),
        Resource::Lock(number) => (1, number, None),
        Resource::Channel(number, End::Send) => (2, number, None),
        Resource::Channel(number, End::Receive) => (3, number, None),
        Resource::Region(region) => (4, region.to_bits(), None),
        Resource::Place(region, kind) => (5, region.to_bits(), Some(kind)),
        Resource::TimerHead => (6, 0, None),
        Resource::Name(number) => (7, number, None),
        Resource::Task(task) => (8, task.to_bits(), None),
    };
    let writes = object.access == Access::Write;
    out.push(if writes { sort | WRITES } else { sort });
    put(number, out);
    out.extend(kind);
}

fn get_object(input: &mut &[u8]) -> Result<Object, Bad> {
    let head = byte(input)?;
    let resource = match head & !WRITES {
        0 => Resource::Cell(get(input)?),
        1 => Resource::Lock(get(input)?),
        2 => Resource::Channel(get(input)?, End::Send),
        3 => Resource::Channel(get(input)?, End::Receive),
        4 => Resource::Region(region(input)?),
        5 => Resource::Place(region(input)?, byte(input)?),
        6 => {
            get(input)?;
            Resource::TimerHead
        }
        7 => Resource::Name(get(input)?),
        8 => Resource::Task(task(input)?),
        _ => return Err(Bad::Malformed),
    };
    Ok(if head & WRITES != 0 {
        Object::write(resource)
    } else {
        Object::read(resource)
    })
}

fn region(input: &mut &[u8]) -> Result<RegionId, Bad> {
    RegionId::from_bits(get(input)?).ok_or(Bad::Malformed)
}

fn task(input: &mut &[u8]) -> Result<TaskId, Bad> {
    TaskId::from_bits(get(input)?).ok_or(Bad::Malformed)
}

fn byte(input: &mut &[u8]) -> Result<u8, Bad> {
    let (&first, rest) = input.split_first().ok_or(Bad::Malformed)?;
    *input = rest;
    Ok(first)
}

fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn get(input: &mut &[u8]) -> Result<u64, Bad> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let group = byte(input)?;
        number |= u64::from(group & 0x7f) << shift;
        if group & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Bad::Malformed)
}
