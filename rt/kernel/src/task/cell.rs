//! Future and output of a task, behind a table of functions.
//!
//! Invariants
//! 1. The stage goes `Future -> Output -> Empty`, or `Future -> Empty` when nobody wants the
//!    output.
//! 2. The future never moves: the cell is boxed and the stage is replaced in place.
//! 3. Until `Completed` the holder of the poll has the stage; after it whoever set `TAKEN`, or
//!    found both `HANDLE_GONE` and `Completed` first (word). So one thread at a time.
//! 4. A cell whose address is odd is the root frame of a compiled task ([`crate::compiled`]), one
//!    byte before: it has no header, so that its memory is the frame alone (TSK-29).
//! 5. Every function contains the panics of user code that it runs; only `poll` lets them through,
//!    to the poll boundary that turns them into an outcome.
#![allow(unsafe_code, reason = "erases the types of future and output")]

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use asr_base::{Error, Failure, Outcome};

use crate::compiled;

/// Start of every cell.
pub(crate) struct Header {
    table: &'static Table,
}

/// A cell that stays as it is, because what its future borrows may be gone.
pub(crate) struct Frame(NonNull<Header>);

// SAFETY: nobody uses it but the one that gives it up, as `poll` on any thread may have.
unsafe impl Send for Frame {}

impl Frame {
    /// Drops future or output, and frees the memory.
    ///
    /// # Safety
    /// What they borrow is there.
    pub(crate) unsafe fn give_up(self) {
        // SAFETY: the cell was left by its task, so it is ours alone; the rest by the contract.
        unsafe {
            empty(self.0);
            free(self.0);
        }
    }
}

/// A number for the code that polls this future, relative to other code of the executable.
///
/// # Safety
/// The memory of the cell is not freed meanwhile.
pub(crate) unsafe fn site(cell: NonNull<Header>) -> u64 {
    let poll = match compiled::root_of(cell) {
        // SAFETY: by the contract; no one writes the address of the code.
        Some(root) => unsafe { (&raw const (*root.as_ptr()).poll).read() as *const () },
        // SAFETY: by the contract.
        None => unsafe { cell.as_ref() }.table.poll as *const (),
    };
    let anchor = site as *const ();
    poll.addr().wrapping_sub(anchor.addr()) as u64
}

/// What a poll gives: the outcome without its value.
pub(crate) type Polled = Poll<Outcome<(), Error>>;

/// What is done with a cell, by the types in it.
pub(crate) struct Table {
    pub(crate) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Polled,
    pub(crate) settle: unsafe fn(NonNull<Header>, Outcome<(), Error>),
    pub(crate) take: unsafe fn(NonNull<Header>, NonNull<()>),
    pub(crate) empty: unsafe fn(NonNull<Header>),
    pub(crate) beside: fn(Outcome<(), Error>) -> NonNull<Header>,
    pub(crate) free: unsafe fn(NonNull<Header>),
}

/// The functions of a cell.
///
/// # Safety
/// Its memory is not freed.
#[inline]
unsafe fn table(cell: NonNull<Header>) -> &'static Table {
    if compiled::root_of(cell).is_some() {
        return &compiled::TABLE;
    }
    // SAFETY: by the contract, and it has a header.
    unsafe { cell.as_ref() }.table
}

enum Stage<F, T> {
    Future(F),
    Output(Outcome<T, Error>),
    Empty,
}

#[repr(C)]
struct Cell<F, T> {
    header: Header,
    stage: UnsafeCell<Stage<F, T>>,
}

/// Boxes a future that ends with a result.
pub(crate) fn new<F, T>(future: F) -> NonNull<Header>
where
    F: Future<Output = Result<T, Failure>>,
{
    cell_with::<F, T>(Stage::Future(future))
}

fn cell_with<F, T>(stage: Stage<F, T>) -> NonNull<Header>
where
    F: Future<Output = Result<T, Failure>>,
{
    let cell = Box::new(Cell::<F, T> {
        header: Header {
            table: &Table {
                poll: poll_as::<F, T>,
                settle: settle_as::<F, T>,
                take: take_as::<F, T>,
                empty: empty_as::<F, T>,
                beside: beside_as::<F, T>,
                free: free_cell::<F, T>,
            },
        },
        stage: UnsafeCell::new(stage),
    });
    NonNull::from(Box::leak(cell)).cast()
}

/// A future that calls `run` in its first poll, inside the poll boundary, and never if the task is
/// cancelled before (VAL-20): its captures are then dropped with it.
pub(crate) fn lazy<A, F, Fut>(run: F, argument: A) -> impl Future<Output = Fut::Output>
where
    F: FnOnce(A) -> Fut,
    Fut: Future,
{
    Lazy::Start(Some((run, argument)))
}

enum Lazy<A, F, Fut> {
    Start(Option<(F, A)>),
    Running(Fut),
}

impl<A, F, Fut> Future for Lazy<A, F, Fut>
where
    F: FnOnce(A) -> Fut,
    Fut: Future,
{
    type Output = Fut::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Fut::Output> {
        // SAFETY: `Start` is never pinned: its parts are moved out before the future exists; once
        // `Running`, the future stays in place until it is dropped there.
        let this = unsafe { self.get_unchecked_mut() };
        if let Lazy::Start(start) = this {
            let (run, argument) = start
                .take()
                .expect("a call that panicked is not polled again");
            *this = Lazy::Running(run(argument));
        }
        match this {
            // SAFETY: as above.
            Lazy::Running(future) => unsafe { Pin::new_unchecked(future) }.poll(context),
            Lazy::Start(_) => unreachable!("started above"),
        }
    }
}

/// Polls the future once. Ready: the future is dropped, and the summary returned. An output that is
/// Ok is in the cell; in the place of any other `settle` puts the outcome. A panic of the future
/// comes through.
///
/// # Safety
/// The caller holds the poll of the task (invariant 3).
pub(crate) unsafe fn poll(
    cell: NonNull<Header>,
    context: &mut Context<'_>,
) -> Poll<Outcome<(), Error>> {
    // SAFETY: the header is the start of the cell that its table was made for.
    unsafe { (table(cell).poll)(cell, context) }
}

/// The outcome as the protocol decides it: drops the future or output that is there, and puts
/// `outcome` in its place, unless that is Ok.
///
/// # Safety
/// As for [`poll`].
pub(crate) unsafe fn settle(cell: NonNull<Header>, outcome: Outcome<(), Error>) {
    // SAFETY: as in `poll`.
    unsafe { (table(cell).settle)(cell, outcome) }
}

/// Moves the output out. `T` is that of [`new`].
///
/// # Safety
/// The caller set `TAKEN` on a completed task, and `T` is the type of the output.
pub(crate) unsafe fn take<T>(cell: NonNull<Header>) -> Outcome<T, Error> {
    let mut out = MaybeUninit::<Outcome<T, Error>>::uninit();
    // SAFETY: as in `poll`; the function writes a whole output through the pointer.
    unsafe {
        (table(cell).take)(cell, NonNull::from(&mut out).cast());
        out.assume_init()
    }
}

/// Drops an output that nobody wants.
///
/// # Safety
/// By invariant 3 the stage is the caller's.
pub(crate) unsafe fn empty(cell: NonNull<Header>) {
    // SAFETY: as in `poll`.
    unsafe { (table(cell).empty)(cell) }
}

/// Another cell of the same types, with this outcome, which is not Ok. It takes the place of one
/// whose frame may be gone (`region::abandon`). That one must stay as it is, where it is, until it
/// is given up: a pinned future may be referred to until its destructor has run.
///
/// # Safety
/// As for [`poll`]; the old cell belongs to nobody else after that.
pub(crate) unsafe fn beside(
    cell: NonNull<Header>,
    outcome: Outcome<(), Error>,
) -> (NonNull<Header>, Frame) {
    // SAFETY: as in `poll`.
    let fresh = unsafe { (table(cell).beside)(outcome) };
    (fresh, Frame(cell))
}

/// Frees the memory.
///
/// # Safety
/// Nobody uses the cell any more.
pub(crate) unsafe fn free(cell: NonNull<Header>) {
    // SAFETY: as in `poll`.
    unsafe { (table(cell).free)(cell) }
}

/// # Safety
/// `cell` was made by `new::<F, T>`, and the stage is the caller's.
unsafe fn stage<'c, F, T>(cell: NonNull<Header>) -> &'c mut Stage<F, T> {
    // SAFETY: by the contract; the cell is repr(C) with the header first.
    unsafe { &mut *cell.cast::<Cell<F, T>>().as_ref().stage.get() }
}

unsafe fn poll_as<F, T>(
    cell: NonNull<Header>,
    context: &mut Context<'_>,
) -> Poll<Outcome<(), Error>>
where
    F: Future<Output = Result<T, Failure>>,
{
    // SAFETY: by the contract of `poll`.
    let stage = unsafe { stage::<F, T>(cell) };
    let Stage::Future(future) = stage else {
        panic!("polled after its end");
    };
    // SAFETY: the cell is boxed, and the future is dropped in place before the stage changes.
    let Poll::Ready(result) = unsafe { Pin::new_unchecked(future) }.poll(context) else {
        return Poll::Pending;
    };
    let (summary, left) = match Outcome::from(result) {
        Outcome::Ok(value) => (Outcome::Ok(()), Stage::Output(Outcome::Ok(value))),
        Outcome::Err(error) => (Outcome::Err(error), Stage::Empty),
        Outcome::Cancelled(reason) => (Outcome::Cancelled(reason), Stage::Empty),
        Outcome::Panicked(payload) => (Outcome::Panicked(payload), Stage::Empty),
    };
    // A future that panics in its destructor is a panic of this poll; the future is gone then,
    // because the assignment completes before the panic goes on.
    *stage = left;
    Poll::Ready(summary)
}

unsafe fn settle_as<F, T>(cell: NonNull<Header>, outcome: Outcome<(), Error>) {
    // SAFETY: by the contract of `settle`.
    let stage = unsafe { stage::<F, T>(cell) };
    contained(|| {
        if matches!(stage, Stage::Future(_)) {
            *stage = Stage::Empty;
        }
    });
    let Some(replaced) = without_value(outcome) else {
        return;
    };
    if !matches!(stage, Stage::Empty) {
        contained(|| *stage = Stage::Empty);
    }
    *stage = Stage::Output(replaced);
}

/// An outcome that is not Ok has no value, and is one of any type.
pub(crate) fn without_value<T>(outcome: Outcome<(), Error>) -> Option<Outcome<T, Error>> {
    match outcome {
        Outcome::Ok(()) => None,
        Outcome::Err(error) => Some(Outcome::Err(error)),
        Outcome::Cancelled(reason) => Some(Outcome::Cancelled(reason)),
        Outcome::Panicked(payload) => Some(Outcome::Panicked(payload)),
    }
}

fn beside_as<F, T>(outcome: Outcome<(), Error>) -> NonNull<Header>
where
    F: Future<Output = Result<T, Failure>>,
{
    cell_with::<F, T>(without_value(outcome).map_or(Stage::Empty, Stage::Output))
}

unsafe fn take_as<F, T>(cell: NonNull<Header>, out: NonNull<()>) {
    // SAFETY: by the contract of `take`.
    let stage = unsafe { stage::<F, T>(cell) };
    let Stage::Output(outcome) = std::mem::replace(stage, Stage::Empty) else {
        panic!("an output is taken twice");
    };
    // SAFETY: `out` points to room for an `Outcome<T, Error>`.
    unsafe { out.cast::<Outcome<T, Error>>().write(outcome) };
}

unsafe fn empty_as<F, T>(cell: NonNull<Header>) {
    // SAFETY: by the contract of `empty`.
    let stage = unsafe { stage::<F, T>(cell) };
    contained(|| *stage = Stage::Empty);
}

unsafe fn free_cell<F, T>(cell: NonNull<Header>) {
    // SAFETY: made by `new` with these types, and nobody uses it.
    drop(unsafe { Box::from_raw(cell.cast::<Cell<F, T>>().as_ptr()) });
}

/// Runs code of a user that gives something up: a destructor, a waker, an abort. A panic in it is
/// reported by the panic hook and ends here. False if it panicked.
pub(crate) fn contained(run: impl FnOnce()) -> bool {
    let panicked = catch_unwind(AssertUnwindSafe(run)).err();
    let clean = panicked.is_none();
    // The payload may panic again when it is dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(panicked)));
    clean
}
