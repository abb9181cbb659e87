//! Capabilities as types (CAP-6) and as a set (for calls through C, CAP-8).
//!
//! `Cx<All>` may do everything; `cx.without::<Time>()` has type `Cx<Without<All, Time>>`, and an
//! operation that needs `C: Has<Time>` does not compile with it. There is no way back: nothing
//! turns a `Without` into what it was made from (CAP-7).
//!
//! A context that was narrowed while the program runs has type `Cx<Checked>`: its type proves
//! nothing, so what needs a proof does not compile with it, and what it may do ([`May`]) is looked
//! up in its bits at each call. So no operation has to lie about a token that is not there.

use std::marker::PhantomData;

/// A kind of authority.
pub trait Token: sealed::Sealed {
    /// Its bit in [`Caps`].
    const BIT: u16;
    /// Its name in messages and events.
    const NAME: &'static str;
}

/// A set of capabilities that contains `K`, or is looked at when `K` is used.
#[diagnostic::on_unimplemented(
    message = "this context lacks the capability `{K}`",
    label = "needs `{K}`, which was taken away where the context was narrowed",
    note = "pass a context that was not narrowed by `without::<{K}>()`"
)]
pub trait May<K: Token>: Set {}

/// A set of capabilities that contains `K`.
#[diagnostic::on_unimplemented(
    message = "this context lacks the capability `{K}`",
    label = "needs `{K}`, which was taken away where the context was narrowed",
    note = "pass a context that was not narrowed by `without::<{K}>()`"
)]
pub trait Has<K: Token>: May<K> {}

/// A type that stands for a set of capabilities.
pub trait Set: sealed::Sealed + Send + Sync + 'static {}

/// Every capability.
#[derive(Clone, Copy, Debug)]
pub struct All;

/// Any set: a call looks at the bits of the context, and gives `CAP_DENIED` if the token is gone.
#[derive(Clone, Copy, Debug)]
pub struct Checked;

/// What `C` grants, without `K`.
#[derive(Clone, Copy, Debug)]
pub struct Without<C, K>(PhantomData<fn() -> (C, K)>);

impl sealed::Sealed for All {}
impl Set for All {}
// None of the impls is a way out for who lacks a token, so no message lists them.
#[diagnostic::do_not_recommend]
impl<K: Token> May<K> for All {}
#[diagnostic::do_not_recommend]
impl<K: Token> Has<K> for All {}
impl sealed::Sealed for Checked {}
impl Set for Checked {}
#[diagnostic::do_not_recommend]
impl<K: Token> May<K> for Checked {}
impl<C, K> sealed::Sealed for Without<C, K> {}
impl<C: Set, K: Token + 'static> Set for Without<C, K> {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident = $bit:expr, $text:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl sealed::Sealed for $name {}
            impl Token for $name {
                const BIT: u16 = 1 << $bit;
                const NAME: &'static str = $text;
            }
        )*
        tokens!(@pairs [$($name)*] [$($name)*]);
    };
    (@pairs [$($kept:ident)*] $all:tt) => {
        $(tokens!(@one $kept $all);)*
    };
    (@one $kept:ident [$($gone:ident)*]) => {
        $(tokens!(@pair $kept $gone);)*
    };
    // Taking a capability away keeps every other one.
    (@pair Fiber Fiber) => {};
    (@pair Task Task) => {};
    (@pair Io Io) => {};
    (@pair Remote Remote) => {};
    (@pair Supervise Supervise) => {};
    (@pair Time Time) => {};
    (@pair Entropy Entropy) => {};
    (@pair Trace Trace) => {};
    (@pair Heal Heal) => {};
    (@pair $kept:ident $gone:ident) => {
        #[diagnostic::do_not_recommend]
        impl<C: May<$kept>> May<$kept> for Without<C, $gone> {}
        #[diagnostic::do_not_recommend]
        impl<C: Has<$kept>> Has<$kept> for Without<C, $gone> {}
    };
}

tokens! {
    /// Spawn fibers that borrow from the region's frame; open regions.
    Fiber = 0, "FiberCap";
    /// Spawn tasks.
    Task = 1, "TaskCap";
    /// Submit I/O.
    Io = 2, "IoCap";
    /// Start named remote computations under leases.
    Remote = 3, "RemoteCap";
    /// Start supervised children, restart them.
    Supervise = 4, "SupervisorCap";
    /// Clock and sleep.
    Time = 5, "TimeCap";
    /// Randomness.
    Entropy = 6, "EntropyCap";
    /// Write the trace.
    Trace = 7, "TraceCap";
    /// Register handlers, report and repair.
    Heal = 8, "HealCap";
}

/// The same as a set of bits, for contexts that are narrowed while the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps(u16);

impl Caps {
    /// Every capability.
    pub const ALL: Caps = Caps((1 << 9) - 1);
    /// None.
    pub const NONE: Caps = Caps(0);

    /// Whether `K` is in the set.
    pub fn has<K: Token>(self) -> bool {
        self.0 & K::BIT != 0
    }

    /// The set without `K`.
    #[must_use]
    pub fn without<K: Token>(self) -> Caps {
        Caps(self.0 & !K::BIT)
    }

    /// What both sets have: narrowing only removes.
    #[must_use]
    pub fn and(self, other: Caps) -> Caps {
        Caps(self.0 & other.0)
    }

    /// The bits, one a token.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// A set from bits; unknown ones are dropped.
    pub fn from_bits(bits: u16) -> Caps {
        Caps(bits & Caps::ALL.0)
    }
}
