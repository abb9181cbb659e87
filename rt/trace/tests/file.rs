//! The trace file: TRC-22 and TRC-26.

use asr_abi::status;
use asr_base::{RegionId, Rng, TaskId, Time};
use asr_trace::{
    ClockMode, Draft, Dropped, End, Event, Kind, Log, MAJOR, MINOR, Object, ReadError, Resource,
    Sub, hash, schema_hash,
};
use proptest::prelude::*;

/// Where the minor version stands, and the length of the header.
const MINOR_AT: usize = 10;
const HEADER_AT: usize = 12;
const EVENTS_AT: usize = 14 + 17;
const TRAILER: usize = 4 + 40;

fn resource(rng: &mut Rng) -> Resource {
    let n = rng.next_u64() >> rng.below(64);
    let region = RegionId::new(n as u32, 1 + (rng.next_u64() as u32 >> 1));
    match rng.below(9) {
        0 => Resource::Cell(n),
        1 => Resource::Lock(n),
        2 => Resource::Channel(n, End::Send),
        3 => Resource::Channel(n, End::Receive),
        4 => Resource::Region(region),
        5 => Resource::Place(region, n as u8),
        6 => Resource::TimerHead,
        7 => Resource::Name(n),
        _ => Resource::Task(TaskId::new(n as u32, 1)),
    }
}

fn event(seq: u64, rng: &mut Rng) -> Event {
    let word = |rng: &mut Rng| rng.next_u64() >> rng.below(64);
    let sub = Sub::from_u8(rng.below(Sub::ALL.len() as u64 + 1) as u8).unwrap();
    let any = Kind::ALL[rng.below(Kind::ALL.len() as u64) as usize];
    let mut draft = Draft::new(sub.parent().unwrap_or(any), Time::from_nanos(word(rng)));
    draft.sub = sub;
    if rng.below(2) == 0 {
        draft = draft.task(TaskId::new(rng.below(9) as u32, 1));
    }
    if rng.below(2) == 0 {
        draft = draft.region(RegionId::new(rng.below(9) as u32, 1));
    }
    for _ in 0..rng.below(3) {
        let resource = resource(rng);
        let object = Object::compare_and_swap(resource, rng.below(2) == 0);
        draft = draft.object(object);
    }
    for _ in 0..rng.below(3) {
        draft = draft.cause(word(rng));
    }
    let words = [word(rng), word(rng), word(rng)];
    draft
        .words(words[0], words[1], words[2])
        .event(seq, word(rng))
}

fn log(seed: u64, events: u64) -> Log {
    let mut rng = Rng::seeded(seed);
    Log {
        events: (1..=events).map(|seq| event(seq, &mut rng)).collect(),
        clock: ClockMode::ALL[rng.below(3) as usize],
        dropped: Dropped {
            semantic: rng.below(3),
            notes: rng.below(1000),
        },
    }
}

/// The bytes with the sum of the trailer made right again.
fn summed(mut bytes: Vec<u8>, extra: usize) -> Vec<u8> {
    let at = bytes.len() - 16 - extra;
    let sum = hash(&bytes[..at]).to_le_bytes();
    bytes[at..at + 16].copy_from_slice(&sum);
    bytes
}

#[test]
fn trc_22_a_log_comes_back_as_it_was() {
    for seed in 0..50 {
        let log = log(seed, seed * 3);
        let read = Log::from_bytes(&log.to_bytes()).unwrap();
        assert_eq!(read.log, log);
        assert!(!read.truncated && read.unknown == 0);
        assert_eq!(read.log.hash(), log.hash());
    }
    assert_ne!(log(1, 5).hash(), log(2, 5).hash());
}

#[test]
fn trc_22_parts_stand_where_the_format_says() {
    let log = log(3, 4);
    let bytes = log.to_bytes();
    assert_eq!(bytes[..8], *b"ASRTRACE");
    assert_eq!(bytes[8..10], MAJOR.to_le_bytes());
    assert_eq!(bytes[MINOR_AT..HEADER_AT], MINOR.to_le_bytes());
    assert_eq!(bytes[14], log.clock as u8);
    assert_eq!(bytes[15..EVENTS_AT], schema_hash().to_le_bytes());
    let trailer = &bytes[bytes.len() - TRAILER..];
    assert_eq!(trailer[..4], [0xff, 0xff, 40, 0]);
    assert_eq!(trailer[4..12], 4u64.to_le_bytes());
}

/// The bounds of the events: where each starts, and where the trailer does.
fn bounds(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut bounds) = (EVENTS_AT, vec![EVENTS_AT]);
    while bytes[at..at + 2] != [0xff, 0xff] {
        at += 2 + usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        bounds.push(at);
    }
    bounds
}

#[test]
fn trc_22_cut_at_each_byte_gives_the_whole_events_and_says_so() {
    let log = log(4, 20);
    let bytes = log.to_bytes();
    let bounds = bounds(&bytes);
    assert_eq!(bounds.len(), 21);
    for cut in 0..bytes.len() {
        let read = Log::from_bytes(&bytes[..cut]).unwrap();
        let whole = bounds
            .iter()
            .filter(|&&end| end <= cut)
            .count()
            .saturating_sub(1);
        assert!(read.truncated, "cut at {cut}");
        assert_eq!(read.log.events, log.events[..whole], "cut at {cut}");
    }
}

#[test]
fn trc_22_each_changed_byte_of_a_whole_file_is_found() {
    let log = log(5, 12);
    let bytes = log.to_bytes();
    for at in 0..bytes.len() {
        for flip in [1, 0x80] {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            // A changed length may point past the end: then the file is truncated.
            match Log::from_bytes(&bytes) {
                Err(_) => {}
                Ok(read) => assert!(read.truncated, "byte {at}"),
            }
        }
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(
        Log::from_bytes(&longer),
        Err(ReadError::Malformed(bytes.len()))
    );
}

#[test]
fn trc_22_only_canonical_bytes_are_an_event() {
    let log = Log {
        events: vec![Draft::new(Kind::User, Time::ZERO).event(1, 1)],
        ..Log::default()
    };
    let bytes = log.to_bytes();
    let body = EVENTS_AT + 2;
    // The sequence number 1 in two bytes, and a stray bit of the shape.
    let mut overlong = bytes.clone();
    overlong.splice(body + 3..body + 4, [0x81, 0]);
    overlong[EVENTS_AT] += 1;
    let mut stray = bytes.clone();
    stray[body + 2] |= 0x40;
    for bytes in [overlong, stray] {
        assert_eq!(
            Log::from_bytes(&summed(bytes, 0)),
            Err(ReadError::Malformed(EVENTS_AT))
        );
    }
}

#[test]
fn trc_26_an_unknown_major_is_refused() {
    for major in [0, MAJOR + 1, u16::MAX] {
        let mut bytes = log(6, 3).to_bytes();
        bytes[8..10].copy_from_slice(&major.to_le_bytes());
        let error = Log::from_bytes(&summed(bytes, 0)).unwrap_err();
        assert_eq!(error, ReadError::Version(major));
        assert_eq!(error.status(), status::VERSION_UNSUPPORTED);
    }
}

#[test]
fn trc_26_fields_of_a_later_minor_are_passed_over() {
    let log = log(7, 6);
    let old = log.to_bytes();
    let bounds = bounds(&old);
    let part = |bytes: &[u8], extra: &[u8]| {
        let length = (bytes.len() + extra.len()) as u16;
        [&length.to_le_bytes(), bytes, extra].concat()
    };
    let mut new = old[..MINOR_AT].to_vec();
    new.extend((MINOR + 1).to_le_bytes());
    // Another schema, a longer header, longer events, a sub-event of tomorrow, a longer trailer.
    let mut header = old[14..EVENTS_AT].to_vec();
    header[5] ^= 1;
    new.extend(part(&header, b"more"));
    for pair in bounds.windows(2) {
        new.extend(part(&old[pair[0] + 2..pair[1]], b"and more"));
    }
    let tomorrow = [Kind::User as u8, 200, 0, 9, 9, 9, 9, 9, 9];
    new.extend(part(&tomorrow, b""));
    let mut trailer = old[old.len() - 40..].to_vec();
    trailer[0] += 1;
    new.extend([0xff, 0xff]);
    new.extend(part(&trailer, b"rest"));
    let read = Log::from_bytes(&summed(new.clone(), 4)).unwrap();
    assert_eq!(read.log, log);
    assert_eq!((read.truncated, read.unknown), (false, 1));
    // The same bytes under this minor version are wrong.
    new[MINOR_AT..HEADER_AT].copy_from_slice(&MINOR.to_le_bytes());
    assert!(Log::from_bytes(&summed(new, 4)).is_err());
}

#[test]
fn trc_26_another_schema_under_this_version_is_refused() {
    let mut bytes = log(8, 2).to_bytes();
    bytes[20] ^= 1;
    assert_eq!(Log::from_bytes(&summed(bytes, 0)), Err(ReadError::Schema));
}

proptest! {
    #[test]
    fn trc_22_no_bytes_make_the_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = Log::from_bytes(&bytes);
        let mut led = Log::default().to_bytes()[..EVENTS_AT].to_vec();
        led.extend(&bytes);
        let _ = Log::from_bytes(&led);
        led[MINOR_AT] = 9;
        let _ = Log::from_bytes(&led);
    }

    #[test]
    fn trc_22_no_damage_makes_the_reader_panic(
        seed in 0u64..1000,
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..9),
        minor in 0u8..2,
    ) {
        let mut bytes = log(seed, 12).to_bytes();
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes[MINOR_AT] = minor;
        let bytes = summed(bytes, 0);
        if let Ok(read) = Log::from_bytes(&bytes) {
            prop_assert!(read.log.events.len() <= bytes.len());
        }
    }
}
