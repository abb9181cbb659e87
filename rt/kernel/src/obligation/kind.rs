//! The kinds of obligations: eleven of the runtime, and those that libraries add (OBL-1).
//!
//! A kind is a number of one byte, the number of its place in every marking. The names and verbs
//! of added kinds live in the registry of the kernel they were added to.

use std::borrow::Cow;

/// A kind of obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u8);

/// How a kind is called, and how its tokens are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindInfo {
    /// Its name, unlike that of any other kind.
    pub name: Cow<'static, str>,
    /// The verb that resolves a token as intended.
    pub commit: Cow<'static, str>,
    /// The verb that gives it up. A token that is dropped is given up too.
    pub abort: Cow<'static, str>,
    /// The region holds its tokens from the start, so any task of the region resolves them.
    pub region_held: bool,
}

impl KindInfo {
    /// A kind whose tokens are held by tasks.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        commit: impl Into<Cow<'static, str>>,
        abort: impl Into<Cow<'static, str>>,
    ) -> KindInfo {
        KindInfo {
            name: name.into(),
            commit: commit.into(),
            abort: abort.into(),
            region_held: false,
        }
    }

    /// The same, held by regions.
    #[must_use]
    pub fn held_by_region(mut self) -> KindInfo {
        self.region_held = true;
        self
    }

    const fn builtin(name: &'static str, commit: &'static str, abort: &'static str) -> KindInfo {
        KindInfo {
            name: Cow::Borrowed(name),
            commit: Cow::Borrowed(commit),
            abort: Cow::Borrowed(abort),
            region_held: false,
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $constant:ident $name:literal $commit:literal $abort:literal,)*) => {
        #[repr(u8)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Number { $($constant,)* }

        impl Kind {
            $($(#[$doc])* pub const $constant: Kind = Kind(Number::$constant as u8);)*

            /// The kinds of the runtime, in the order of their numbers.
            pub const BUILTIN: &[Kind] = &[$(Kind::$constant),*];
        }

        pub(super) static BUILTIN: [KindInfo; Kind::BUILTIN.len()] =
            [$(KindInfo::builtin($name, $commit, $abort),)*];
    };
}

kinds! {
    /// Room for one message. Dropped: the room is free again, the message was never moved.
    SEND_PERMIT "SendPermit" "send" "abort",
    /// A received item that wants an answer. Dropped: delivered again.
    ACK "Ack" "commit" "nack",
    /// A right for a time. Dropped: it expires.
    LEASE "Lease" "release" "expire",
    /// An operation that the system works on. Dropped: cancelled, and its completion awaited.
    IO_OP "IoOp" "complete" "cancel",
    /// A lock or a part of a semaphore.
    SYNC_PERMIT "SyncPermit" "release" "release",
    /// An object of a pool. Dropped: reset and returned, else discarded.
    POOL_SLOT "PoolSlot" "return" "discard",
    /// A name that is being taken.
    NAME_LEASE "NameLease" "publish" "withdraw",
    /// An answer that somebody waits for. Dropped: the caller gets CLOSED.
    REPLY "Reply" "reply" "refuse",
    /// A transaction.
    TRANSACTION "Transaction" "commit" "rollback",
    /// A repair that was taken on.
    REPAIR_TICKET "RepairTicket" "done" "requeue",
    /// A cleanup that was promised.
    FINALIZER "Finalizer" "run" "escalate",
}

impl Kind {
    /// The most kinds a kernel knows, those of the runtime included.
    pub const MAX: usize = 64;

    /// The kind of this number, if there can be one.
    pub fn numbered(number: u32) -> Option<Kind> {
        let number = u8::try_from(number).ok();
        number
            .filter(|&number| usize::from(number) < Kind::MAX)
            .map(Kind)
    }

    pub(super) const fn from_number(number: u8) -> Kind {
        Kind(number)
    }

    /// Its number: the place in a marking, `b` in the events of a trace.
    pub const fn number(self) -> u8 {
        self.0
    }

    pub(super) fn place(self) -> usize {
        usize::from(self.0)
    }
}
