//! Obligations as a Petri net, checked on a trace alone (OBL-20, OBL-21, OBL-22).
//!
//! A place per (region, kind) holds tokens: reserve adds one, resolution takes one, transfer
//! moves one. One pass; what is kept is a count per non-empty place, an entry per live token with
//! an id, a count per task that holds one, and three totals per kind.
//!
//! A token without record (OBL-33) has id 0 and is only counted, apart from those with ids.
//! Sub-events and leak reports move no token: the abort that follows a leak does.

use std::collections::BTreeMap;

use asr_base::{RegionId, TaskId};

use crate::event::Event;
use crate::kind::Kind;
use crate::resource::Resource;
use crate::violation::{Fault, Violation};

/// How many tokens of a kind there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Made.
    pub reserved: u64,
    /// Resolved by their commit verb.
    pub committed: u64,
    /// Resolved otherwise.
    pub aborted: u64,
}

impl Totals {
    /// How many are unresolved.
    pub fn live(&self) -> u64 {
        self.reserved - self.committed - self.aborted
    }
}

#[derive(Clone, Copy)]
struct Token {
    region: RegionId,
    kind: u8,
    holder: Option<TaskId>,
}

/// Tokens of one place, with and without ids.
#[derive(Clone, Copy, Default)]
struct Place {
    named: u64,
    counted: u64,
}

/// The marking after the events seen so far.
#[derive(Default)]
pub struct Marking {
    tokens: BTreeMap<u64, Token>,
    places: BTreeMap<(RegionId, u8), Place>,
    holders: BTreeMap<TaskId, u64>,
    totals: BTreeMap<u8, Totals>,
}

impl Marking {
    /// The marking before the first event.
    pub fn new() -> Marking {
        Marking::default()
    }

    /// Checks a whole trace: the marking at its end, or the first violation.
    pub fn check<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Marking, Violation> {
        let mut marking = Marking::new();
        for event in events {
            marking.step(event)?;
        }
        Ok(marking)
    }

    /// Takes one event in. After a violation the marking is as before the event.
    pub fn step(&mut self, event: &Event) -> Result<(), Violation> {
        if !event.is_semantic() {
            return Ok(());
        }
        let done = match event.kind {
            Kind::ObligationReserve => self.reserve(event),
            Kind::ObligationCommit => self.resolve(event).map(|totals| totals.committed += 1),
            Kind::ObligationAbort => self.resolve(event).map(|totals| totals.aborted += 1),
            Kind::ObligationTransfer => self.transfer(event),
            Kind::RegionClosed => self.closed(event),
            Kind::TaskComplete => {
                match event.task.and_then(|t| Some((t, *self.holders.get(&t)?))) {
                    Some((task, held)) => Err(("TSK-9", Fault::Holding(task, held))),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        };
        done.map_err(|(rule, fault)| Violation::new(rule, event, fault))
    }

    /// Tokens of this kind in this region.
    pub fn at(&self, region: RegionId, kind: u8) -> u64 {
        let place = self.places.get(&(region, kind));
        place.map_or(0, |place| place.named + place.counted)
    }

    /// Totals of a kind.
    pub fn totals(&self, kind: u8) -> Totals {
        self.totals.get(&kind).copied().unwrap_or_default()
    }

    /// Kinds seen, with their totals.
    pub fn kinds(&self) -> impl Iterator<Item = (u8, Totals)> {
        self.totals.iter().map(|(&kind, &totals)| (kind, totals))
    }

    /// Unresolved tokens of all kinds, counted in the places.
    pub fn live(&self) -> u64 {
        let places = self.places.values();
        places.map(|place| place.named + place.counted).sum()
    }

    /// Whether reserved = committed + aborted + live, per kind and in total, where live is what
    /// stands in the places and the others were counted apart (OBL-21).
    pub fn balanced(&self) -> bool {
        let mut live: BTreeMap<u8, u64> = BTreeMap::new();
        for (&(_, kind), place) in &self.places {
            *live.entry(kind).or_insert(0) += place.named + place.counted;
        }
        self.totals.iter().all(|(kind, totals)| {
            let live = live.get(kind).copied().unwrap_or(0);
            totals.reserved == totals.committed + totals.aborted + live
        })
    }

    /// Compares with the totals that a runtime counted by itself: the kinds that differ.
    pub fn audit(&self, counted: impl IntoIterator<Item = (u8, Totals)>) -> Vec<u8> {
        let mut theirs: BTreeMap<u8, Totals> = counted.into_iter().collect();
        for &kind in self.totals.keys() {
            theirs.entry(kind).or_default();
        }
        let differ = |(kind, totals): &(u8, Totals)| self.totals(*kind) != *totals;
        theirs
            .into_iter()
            .filter(differ)
            .map(|(kind, _)| kind)
            .collect()
    }

    /// How many entries are kept that grow with the trace: at most three per live token.
    pub fn entries(&self) -> usize {
        self.tokens.len() + self.places.len() + self.holders.len()
    }

    fn reserve(&mut self, event: &Event) -> Step {
        let (region, kind) = place_of(event)?;
        if event.a != 0 {
            if self.tokens.contains_key(&event.a) {
                return Err(("OBL-20", Fault::Misplaced(region, kind)));
            }
            let holder = event.task;
            self.tokens.insert(
                event.a,
                Token {
                    region,
                    kind,
                    holder,
                },
            );
            self.held(holder);
        }
        self.totals.entry(kind).or_default().reserved += 1;
        self.put(region, kind, event.a);
        Ok(())
    }

    fn resolve(&mut self, event: &Event) -> Step<&mut Totals> {
        let (region, kind) = place_of(event)?;
        self.take(region, kind, event.a)?;
        Ok(self.totals.entry(kind).or_default())
    }

    fn transfer(&mut self, event: &Event) -> Step {
        let (region, kind) = place_of(event)?;
        let to = RegionId::from_bits(event.c).ok_or(("OBL-20", Fault::Incomplete("region")))?;
        let holder = event
            .objects
            .iter()
            .find_map(|object| match object.resource {
                Resource::Task(task) => Some(task),
                _ => None,
            });
        self.take(region, kind, event.a)?;
        if event.a != 0 {
            let token = Token {
                region: to,
                kind,
                holder,
            };
            self.tokens.insert(event.a, token);
            self.held(holder);
        }
        self.put(to, kind, event.a);
        Ok(())
    }

    fn closed(&self, event: &Event) -> Step {
        let region = event
            .region
            .ok_or(("OBL-20", Fault::Incomplete("region")))?;
        let places = self.places.range((region, 0)..=(region, u8::MAX));
        match places.map(|(_, place)| place.named + place.counted).sum() {
            0 => Ok(()),
            tokens => Err(("OBL-20", Fault::Marked(region, tokens))),
        }
    }

    fn held(&mut self, holder: Option<TaskId>) {
        if let Some(task) = holder {
            *self.holders.entry(task).or_insert(0) += 1;
        }
    }

    fn put(&mut self, region: RegionId, kind: u8, id: u64) {
        let place = self.places.entry((region, kind)).or_default();
        *count(place, id) += 1;
    }

    /// Takes a token out, and out of its holder's hands; nothing changes where there is none.
    fn take(&mut self, region: RegionId, kind: u8, id: u64) -> Step {
        if id != 0 {
            let token = self.tokens.get(&id);
            let here = token.filter(|token| (token.region, token.kind) == (region, kind));
            let &token = here.ok_or(("OBL-20", Fault::Misplaced(region, kind)))?;
            self.tokens.remove(&id);
            if let Some(task) = token.holder {
                decrement(&mut self.holders, task);
            }
        }
        let empty = ("OBL-20", Fault::Negative(region, kind));
        let place = self.places.get_mut(&(region, kind)).ok_or(empty)?;
        let tokens = count(place, id);
        *tokens = tokens.checked_sub(1).ok_or(empty)?;
        if place.named + place.counted == 0 {
            self.places.remove(&(region, kind));
        }
        Ok(())
    }
}

type Step<T = ()> = Result<T, (&'static str, Fault)>;

fn count(place: &mut Place, id: u64) -> &mut u64 {
    match id {
        0 => &mut place.counted,
        _ => &mut place.named,
    }
}

fn decrement(holders: &mut BTreeMap<TaskId, u64>, task: TaskId) {
    if let Some(held) = holders.get_mut(&task) {
        *held -= 1;
        if *held == 0 {
            holders.remove(&task);
        }
    }
}

fn place_of(event: &Event) -> Step<(RegionId, u8)> {
    let region = event
        .region
        .ok_or(("OBL-20", Fault::Incomplete("region")))?;
    let kind = u8::try_from(event.b).map_err(|_| ("OBL-20", Fault::Incomplete("kind")))?;
    Ok((region, kind))
}
