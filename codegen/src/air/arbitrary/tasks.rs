//! Statements of asynchronous functions: awaits, tasks, regions, waits, locks, masks.
//!
//! Each handle is held in a scope like that of an intent: the cleanup edge of its body gives it up,
//! the end of the body uses it up. So no path drops one, whatever fails or is cancelled where.

use super::expr::Expr;
use super::stmt::{CALLS_MAX, Callee, Gen, Place};
use crate::air::*;

/// Parameters of every asynchronous function behind the first: a channel and a semaphore. Their
/// ids are the kernel's choice, so they are in no pool and in no result.
pub(super) const SHARED: [Type; 2] = [Type::I64, Type::I64];

/// What asynchronous functions do besides.
pub(super) trait Tasks {
    /// Makes the channel and the semaphore of this activation, at its beginning.
    fn shared(&mut self);
    /// A statement that may wait, or is about tasks.
    fn concurrent(&mut self, place: Place);
    /// Awaits the function that is called.
    fn awaited(&mut self, callee: &Callee, args: &[Operand]) -> Option<LocalId>;
}

impl Tasks for Gen<'_, '_, '_> {
    fn shared(&mut self) {
        // What it was called with is not always one, and may be of another's region.
        if self.choices.chance(2) {
            self.f.intrinsic("yield_now", &[]);
        }
        let rows = [("chan_new", 3), ("sem_new", 2)];
        for (n, (row, most)) in rows.into_iter().enumerate() {
            if self.choices.below(6) < 5 {
                let count = Operand::from(1 + self.choices.below(most) as i64);
                let dst = self.f.param(n + 1);
                self.f.intrinsic_into(Some(dst), row, &[count]);
            }
        }
    }

    fn concurrent(&mut self, place: Place) {
        let inner = Place {
            depth: place.depth + 1,
            open: place.open + 1,
            ..place
        };
        let calls = place.loops < 2 && self.calls < CALLS_MAX && self.has_async();
        match self.choices.below(15) {
            0 | 1 => {
                self.f.intrinsic("yield_now", &[]);
            }
            2 => {
                let ns = Operand::from(self.choices.below(5) as i64);
                self.f.intrinsic("sleep", &[ns]);
            }
            3 | 4 if place.nests() && calls => self.joined(inner),
            5 if place.nests() && calls => self.region(inner),
            6 if place.nests() => self.masked(inner),
            7 if place.nests() => self.locked(inner),
            8 => self.send(),
            9 => {
                let row = ["chan_try_recv", "chan_recv", "chan_try_recv"];
                let row = self.choices.pick(&row);
                let chan = self.f.param(1).into();
                let word = self.f.intrinsic(row, &[chan]);
                self.keep(word);
            }
            10 => {
                let row = ["now", "random_u64", "cancel_requested"];
                let row = self.choices.pick(&row);
                let word = self.f.intrinsic(row, &[]);
                self.keep(word);
            }
            11..14 if calls => self.call(),
            _ => self.assign(),
        }
    }

    fn awaited(&mut self, callee: &Callee, args: &[Operand]) -> Option<LocalId> {
        match self.choices.chance(3) {
            true => {
                let addr = self.f.func_addr(callee.func);
                self.f.await_indirect(&callee.sig, addr, args)
            }
            false => self.f.await_call(callee.func, args),
        }
    }
}

impl Gen<'_, '_, '_> {
    fn has_async(&self) -> bool {
        self.callees.iter().any(|callee| callee.is_async)
    }

    /// What `inside` emits, with something open that `give_up` closes on every way out by failure.
    fn with_edge(&mut self, give_up: (&str, &[Operand]), inside: impl FnOnce(&mut Self)) {
        let mut edge = Edge::NONE;
        let (block, value, status) = self.cleanup(&mut edge);
        let outer = self.f.set_edge(edge);
        inside(self);
        // The way on is a block of its own: what follows has another edge.
        let join = self.f.new_block("closes");
        self.f.jump(join);
        self.f.set_edge(outer);
        self.f.switch_to_block(block);
        self.f.intrinsic(give_up.0, give_up.1);
        self.f.raise(value, status);
        self.f.switch_to_block(join);
    }

    /// Starts a task of an earlier function.
    fn start(&mut self, region: Option<LocalId>) -> (LocalId, Option<Type>) {
        self.calls += 1;
        let tasks = self.callees.iter().filter(|callee| callee.is_async);
        let tasks: Vec<&Callee> = tasks.collect();
        let callee = tasks[self.choices.below(tasks.len())];
        let args = self.arguments(callee);
        let task = match self.choices.chance(3) {
            true => {
                let addr = self.f.func_addr(callee.func);
                self.f.spawn_indirect(region, &callee.sig, addr, &args)
            }
            false => self.f.spawn(region, callee.func, &args),
        };
        (task, callee.sig.ret)
    }

    /// A task that runs beside a body, and is joined or detached.
    fn joined(&mut self, place: Place) {
        let (task, ret) = self.start(None);
        if self.choices.chance(4) {
            self.f.intrinsic("task_detach", &[task.into()]);
            return;
        }
        self.with_edge(("task_detach", &[task.into()]), |g| g.statements(place));
        if self.choices.chance(3) {
            self.with_edge(("task_detach", &[task.into()]), |g| {
                g.f.intrinsic("task_cancel", &[task.into()]);
            });
        }
        match ret.filter(|ty| !ty.is_float()) {
            Some(_) => {
                let word = self.f.intrinsic("join", &[task.into()]);
                self.keep(word);
            }
            // No word, or the bits of a NaN.
            None => self.f.intrinsic_into(None, "join", &[task.into()]),
        }
    }

    /// A body in a region with tasks.
    fn region(&mut self, place: Place) {
        let Some(region) = self.f.intrinsic("region_open", &[]) else {
            return;
        };
        self.with_edge(("region_abandon", &[region.into()]), |g| {
            for _ in 0..1 + g.choices.below(2) {
                let (task, _) = g.start(Some(region));
                g.f.intrinsic("task_detach", &[task.into()]);
            }
            g.statements(place);
            if g.choices.chance(4) {
                g.f.intrinsic("region_cancel", &[region.into()]);
            }
        });
        let ended = self.f.intrinsic("region_close", &[region.into()]);
        self.keep(ended);
    }

    /// A body in which no cancel is seen.
    fn masked(&mut self, place: Place) {
        self.f.intrinsic("mask_enter", &[]);
        self.with_edge(("mask_leave", &[]), |g| g.statements(place));
        self.f.intrinsic("mask_leave", &[]);
    }

    /// A body that holds a unit of the semaphore, or an obligation with nothing behind it.
    fn locked(&mut self, place: Place) {
        let sem = self.f.param(2).into();
        let permit = match self.choices.below(3) {
            0 => self.f.intrinsic("reserve", &[Operand::from(0i64)]),
            1 => self.f.intrinsic("sem_try_acquire", &[sem, 1i64.into()]),
            _ => self.f.intrinsic("sem_acquire", &[sem, 1i64.into()]),
        };
        let Some(permit) = permit else { return };
        self.with_edge(("abort", &[permit.into()]), |g| g.statements(place));
        let row = self.choices.pick(&["commit", "abort"]);
        self.f.intrinsic(row, &[permit.into()]);
    }

    /// A word into the channel.
    fn send(&mut self) {
        let chan = self.f.param(1).into();
        let row = ["chan_try_reserve", "chan_try_reserve", "chan_reserve"];
        let row = self.choices.pick(&row);
        if let Some(permit) = self.f.intrinsic(row, &[chan]) {
            let word = self.operand(Type::I64);
            self.f.intrinsic("chan_send", &[permit.into(), word]);
        }
    }
}
