//! What the regions of a kernel share: the table of kinds, the totals of closed regions, the
//! records, and where leaks are reported.
//!
//! Reserve and resolve touch none of its locks (OBL-23): the table of kinds is written once per
//! kind, records are found and recycled without a lock, the totals are locked when a region closes
//! that counted anything. Each time a lock here is taken, or the room for records grows, counts in
//! [`shared_locks`](Registry::shared_locks).

use std::sync::OnceLock;

use asr_base::{Error, Status};

use super::kind::{self, Kind, KindInfo};
use super::leak::LeakReport;
use super::marking::Marking;
use super::record::Records;
use crate::kernel::Counter;
use crate::sync::rank::{self, Rank};
use crate::sync::{Mutex, MutexGuard, lock};

/// Where leaks are reported.
pub type LeakSink = Box<dyn Fn(&LeakReport) + Send + Sync>;

const ADDED: usize = Kind::MAX - Kind::BUILTIN.len();

/// See the module.
pub struct Registry {
    added: [OnceLock<KindInfo>; ADDED],
    /// How many kinds were added; its lock makes adding one step.
    adding: Mutex<usize, rank::ObligationKinds>,
    repairs: [OnceLock<LeakSink>; Kind::MAX],
    sink: OnceLock<LeakSink>,
    closed: Mutex<Marking, rank::ObligationTotals>,
    pub(super) records: Records,
    shared_locks: Counter,
}

impl Registry {
    pub(crate) fn new() -> Registry {
        Registry {
            added: std::array::from_fn(|_| OnceLock::new()),
            adding: Mutex::new(0),
            repairs: std::array::from_fn(|_| OnceLock::new()),
            sink: OnceLock::new(),
            closed: Mutex::new(Marking::default()),
            records: Records::new(),
            shared_locks: Counter::default(),
        }
    }

    #[track_caller]
    fn lock<'r, T, K: Rank>(&self, mutex: &'r Mutex<T, K>) -> MutexGuard<'r, T, K> {
        self.shared_locks.add(1);
        lock(mutex)
    }

    /// Adds a kind of a library (OBL-1).
    ///
    /// # Errors
    /// `DUPLICATE` if a kind has that name, `BAD_ARGUMENT` if the name or a verb is empty,
    /// `QUOTA_EXCEEDED` beyond [`Kind::MAX`] kinds.
    pub fn add_kind(&self, info: KindInfo) -> Result<Kind, Error> {
        if info.name.is_empty() || info.commit.is_empty() || info.abort.is_empty() {
            let what = "a kind has a name and two verbs";
            return Err(Error::new(Status::BAD_ARGUMENT, what));
        }
        let mut added = self.lock(&self.adding);
        if self.kinds().any(|(_, known)| known.name == info.name) {
            let what = format!("there is a kind {}", info.name);
            return Err(Error::new(Status::DUPLICATE, what));
        }
        let Some(slot) = self.added.get(*added) else {
            let what = format!("{} kinds are the most", Kind::MAX);
            return Err(Error::new(Status::QUOTA_EXCEEDED, what));
        };
        let number = (Kind::BUILTIN.len() + *added) as u8;
        *added += 1;
        slot.get_or_init(|| info);
        Ok(Kind::from_number(number))
    }

    /// Name and verbs of a kind. None if it was added to another kernel.
    pub fn info(&self, kind: Kind) -> Option<&KindInfo> {
        match kind::BUILTIN.get(kind.place()) {
            Some(info) => Some(info),
            None => self.added.get(kind.place() - Kind::BUILTIN.len())?.get(),
        }
    }

    /// The kind of this number, as compiled code and C name it.
    pub fn kind(&self, number: u8) -> Option<Kind> {
        let kind = Kind::from_number(number);
        self.info(kind).map(|_| kind)
    }

    /// Every kind, in the order of their numbers.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, &KindInfo)> {
        let added = self.added.iter().map_while(OnceLock::get);
        let all = kind::BUILTIN.iter().chain(added);
        (0u8..).map(Kind::from_number).zip(all)
    }

    /// Where leaks are reported from now on, instead of one line each on standard error.
    ///
    /// # Errors
    /// `DUPLICATE` if one is set.
    pub fn set_leak_sink(&self, sink: LeakSink) -> Result<(), Error> {
        let what = "a leak sink is set once";
        self.sink
            .set(sink)
            .map_err(|_| Error::new(Status::DUPLICATE, what))
    }

    /// What else repairs after a leak of this kind, when the response is `Recover`; the token's
    /// implicit resolution has run by then.
    ///
    /// # Errors
    /// `DUPLICATE` if one is set, `BAD_ARGUMENT` if there is no such kind.
    pub fn set_repair(&self, kind: Kind, repair: LeakSink) -> Result<(), Error> {
        if self.info(kind).is_none() {
            let what = format!("no kind has number {}", kind.number());
            return Err(Error::new(Status::BAD_ARGUMENT, what));
        }
        let what = "the repair of a kind is set once";
        self.repairs[kind.place()]
            .set(repair)
            .map_err(|_| Error::new(Status::DUPLICATE, what))
    }

    pub(super) fn log(&self, report: &LeakReport) {
        match self.sink.get() {
            Some(sink) => sink(report),
            None => eprintln!("obligation leaked: {report}"),
        }
    }

    pub(super) fn repair(&self, report: &LeakReport) {
        if let Some(repair) = self.repairs[report.kind.place()].get() {
            repair(report);
        }
    }

    /// The counts of all regions that are closed.
    pub fn totals(&self) -> Marking {
        self.lock(&self.closed).clone()
    }

    /// How many tokens with a record are unresolved.
    pub fn recorded(&self) -> u64 {
        self.records.live()
    }

    /// How often a lock was taken that all regions share.
    pub fn shared_locks(&self) -> u64 {
        self.shared_locks.get() + self.records.waits.get()
    }

    /// A region closed with this marking.
    pub(super) fn fold(&self, marking: &Marking) {
        if !marking.is_untouched() {
            self.lock(&self.closed).add(marking);
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("recorded", &self.recorded())
            .finish_non_exhaustive()
    }
}
