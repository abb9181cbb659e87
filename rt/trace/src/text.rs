//! One event as one line of text.
//!
//! ```text
//! 12 @9 1500ns task.wake T2.1 in R0.1 [write T3.1] <- 7 woken=T3.1
//! ```
//!
//! Sequence number, logical time, time, name, task, region, objects, causes, fields. A sub-event
//! has its own name before that of its parent kind.

use std::fmt::{self, Write as _};

use asr_base::{ObligationId, RegionId, TaskId, TimerId, TokenId};

use crate::event::Event;
use crate::kind::{Field, Kind, Word};
use crate::resource::{Access, End, Object, Resource};
use crate::sub::Sub;

/// What an event is about, for those who show or filter by topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Regions and their finalizers.
    Region,
    /// Tasks and actors.
    Task,
    /// Cancel and masks.
    Cancel,
    /// Obligations.
    Obligation,
    /// Timers.
    Timer,
    /// What the program says of itself.
    Program,
    /// What the lab does.
    Lab,
    /// Input and output, other nodes.
    World,
    /// Healing.
    Heal,
}

impl Topic {
    /// The topic of a kind. Exhaustive: a new kind does not compile without one (TRC-1).
    pub fn of(kind: Kind) -> Topic {
        match kind {
            Kind::RegionOpen
            | Kind::RegionClosing
            | Kind::RegionDraining
            | Kind::RegionFinalizing
            | Kind::RegionClosed
            | Kind::FinalizerRegister
            | Kind::FinalizerRun
            | Kind::FinalizerEscalate => Topic::Region,
            Kind::TaskSpawn
            | Kind::TaskStart
            | Kind::TaskPoll
            | Kind::TaskWake
            | Kind::TaskComplete
            | Kind::ActorDown
            | Kind::ActorRestart => Topic::Task,
            Kind::CancelRequest
            | Kind::CancelObserve
            | Kind::CancelEscalate
            | Kind::CancelLate
            | Kind::MaskBegin
            | Kind::MaskEnd => Topic::Cancel,
            Kind::ObligationReserve
            | Kind::ObligationCommit
            | Kind::ObligationAbort
            | Kind::ObligationTransfer
            | Kind::ObligationLeak
            | Kind::Futurelock => Topic::Obligation,
            Kind::TimerSet | Kind::TimerFire | Kind::TimerCancel => Topic::Timer,
            Kind::Checkpoint | Kind::User => Topic::Program,
            Kind::Chaos | Kind::Decision => Topic::Lab,
            Kind::IoSubmit | Kind::IoComplete | Kind::RemoteSend | Kind::RemoteReceive => {
                Topic::World
            }
            Kind::Repair => Topic::Heal,
        }
    }
}

/// The event names a sub-event that TRC-27 does not list under its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// The kind.
    pub kind: Kind,
    /// The name that does not belong to it.
    pub sub: Sub,
}

impl fmt::Display for Unlisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sub, kind) = (self.sub.name(), self.kind.name());
        write!(f, "{sub} is no sub-event of {kind}")
    }
}

impl std::error::Error for Unlisted {}

/// The event as one line, without its end.
pub fn line(event: &Event) -> Result<String, Unlisted> {
    let Event { kind, sub, .. } = *event;
    if sub.parent().is_some_and(|parent| parent != kind) {
        return Err(Unlisted { kind, sub });
    }
    let mut line = String::with_capacity(96);
    // Writing to a string does not fail.
    let _ = write(event, &mut line);
    Ok(line)
}

fn write(event: &Event, line: &mut String) -> fmt::Result {
    let time = event.time.as_nanos();
    write!(line, "{} @{} {time}ns ", event.seq, event.logical)?;
    match event.sub {
        Sub::None => line.push_str(event.kind.name()),
        sub => write!(line, "{} ({})", sub.name(), event.kind.name())?,
    }
    if let Some(task) = event.task {
        write!(line, " {task}")?;
    }
    if let Some(region) = event.region {
        write!(line, " in {region}")?;
    }
    for object in event.objects.iter() {
        write!(line, " [{}]", Shown(object))?;
    }
    for (n, cause) in event.causes.iter().enumerate() {
        write!(line, "{}{cause}", if n == 0 { " <- " } else { ", " })?;
    }
    for (field, word) in event.fields().iter().zip(event.words()) {
        if field.word != Word::Empty {
            write!(line, " {}=", field.name)?;
            write_word(line, field, word)?;
        }
    }
    Ok(())
}

fn write_word(line: &mut String, field: &Field, word: u64) -> fmt::Result {
    macro_rules! id {
        ($id:ident) => {
            match $id::from_bits(word) {
                Some(id) => write!(line, "{id}"),
                None => write!(line, "{word}"),
            }
        };
    }
    match field.word {
        Word::Empty | Word::Number => write!(line, "{word}"),
        Word::Text => write!(line, "#{word:016x}"),
        Word::Time => write!(line, "{word}ns"),
        Word::Region => id!(RegionId),
        Word::Task => id!(TaskId),
        Word::Obligation => id!(ObligationId),
        Word::Timer => id!(TimerId),
        Word::Token => id!(TokenId),
    }
}

struct Shown<'a>(&'a Object);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.access {
            Access::Read => "read ",
            Access::Write => "write ",
        })?;
        match self.0.resource {
            Resource::Cell(n) => write!(f, "cell {n}"),
            Resource::Lock(n) => write!(f, "lock {n}"),
            Resource::Channel(n, End::Send) => write!(f, "channel {n} in"),
            Resource::Channel(n, End::Receive) => write!(f, "channel {n} out"),
            Resource::Region(region) => write!(f, "{region}"),
            Resource::Place(region, kind) => write!(f, "place {region}/{kind}"),
            Resource::TimerHead => f.write_str("timers"),
            Resource::Name(n) => write!(f, "name {n}"),
            Resource::Task(task) => write!(f, "{task}"),
        }
    }
}
