//! What the rows of the tables `tasks` and `sync` answer.

use asr_abi::{Ret, status};

use super::sync::State;
use super::wait::Wait;
use super::{Answer, Kind, Small, index, ret};

/// Highest component of a budget.
const COMPONENTS: u64 = 4;

impl Small {
    /// A row of the tables `tasks` and `sync`, called by the current task; PENDING if it waits, and
    /// [`Small::poll`] goes on then. `None` for a row of another table.
    pub fn row(&mut self, name: &str, args: &[u64]) -> Option<Ret> {
        let word = |n: usize| args.get(n).copied().unwrap_or(0);
        if name == "now" {
            return Some(ret(Ok(self.now)));
        }
        let Some(task) = self.current else {
            let known = [&asr_intrinsics::TASKS, &asr_intrinsics::SYNC];
            let known = known.iter().any(|table| table.row(name).is_some());
            return known.then(|| ret(Err(status::BAD_ARGUMENT)));
        };
        if let Some(wait) = self.waiting(name, args) {
            return Some(match wait {
                Ok(wait) => self.begin(wait),
                Err(status) => ret(Err(status)),
            });
        }
        let answer = self.task_row(task, name, word(0), word(1));
        let answer = answer.or_else(|| self.sync_row(task, name, word(0), word(1)));
        answer.map(ret)
    }

    /// What a row that waits waits for.
    fn waiting(&mut self, name: &str, args: &[u64]) -> Option<Result<Wait, u32>> {
        let word = |n: usize| args.get(n).copied().unwrap_or(0);
        Some(match name {
            "yield_now" => Ok(Wait::Turn),
            "join" => self.take_task(word(0)).map(Wait::Join),
            "region_close" => self.closing(word(0), false),
            "region_abandon" => self.closing(word(0), true),
            "sleep" => Ok(Wait::Time(self.now.saturating_add(word(0)))),
            "sleep_until" => Ok(Wait::Time(word(0))),
            "chan_reserve" => self.channel(word(0)).map(Wait::Place),
            "chan_recv" => self.channel(word(0)).map(Wait::Word),
            "sem_acquire" => {
                let object = self.semaphore(word(0));
                object.map(|object| Wait::Units(object, word(1)))
            }
            "notify_wait" => self.signal(word(0)).map(Wait::Notice),
            _ => return None,
        })
    }

    fn closing(&mut self, id: u64, is_masked: bool) -> Result<Wait, u32> {
        let region = self.region(id)?;
        self.regions[region].is_closing = true;
        if is_masked {
            self.cancel_region(region);
        }
        Ok(Wait::Close {
            region,
            is_masked,
            was_cancelled: false,
        })
    }

    fn task_row(&mut self, task: usize, name: &str, a: u64, b: u64) -> Option<Answer> {
        Some(match name {
            "region_open" => self.open_region(task),
            "region_cancel" => self.region(a).map(|region| {
                self.cancel_region(region);
                0
            }),
            "task_detach" => {
                // Gives up, whatever it was.
                let _ = self.take_task(a);
                Ok(0)
            }
            "task_cancel" => self.task(a).map(|task| {
                self.cancel_task(task);
                0
            }),
            "task_is_done" => {
                let task = self.task(a);
                task.map(|task| u64::from(self.tasks[task].done.is_some()))
            }
            "cancel_requested" => Ok(u64::from(self.cancel_requested(task))),
            "mask_enter" | "commit_enter" => self.mask(task),
            "mask_leave" | "commit_leave" => self.unmask(task),
            "reserve" => Ok(self.new_permit(None)),
            "commit" => self.held(a, task).map(|permit| {
                self.release(permit);
                0
            }),
            "abort" => {
                if let Ok(permit) = self.held(a, task) {
                    self.release(permit);
                }
                Ok(0)
            }
            "transfer" => self.transfer(task, a, b),
            "random_u64" => Ok(self.random_number()),
            "budget_get" if a < COMPONENTS => Ok(u64::MAX),
            "budget_get" => Err(status::BAD_ARGUMENT),
            "charge" => Ok(0),
            _ => return None,
        })
    }

    /// `region_defer(region, run, argument)`.
    pub fn defer(&mut self, region: u64, run: u64, argument: u64) -> Ret {
        ret(self.region(region).map(|region| {
            self.regions[region].finalizers.push((run, argument));
            0
        }))
    }

    fn sync_row(&mut self, task: usize, name: &str, a: u64, b: u64) -> Option<Answer> {
        Some(match name {
            "chan_new" | "sem_new" if a == 0 => Err(status::BAD_ARGUMENT),
            "chan_new" => self.object(
                task,
                State::Channel {
                    capacity: a,
                    words: Default::default(),
                    reserved: 0,
                    is_closed: false,
                },
            ),
            "sem_new" => self.object(task, State::Semaphore { units: a }),
            "notify_new" => self.object(task, State::Notify { notices: 0 }),
            "chan_try_reserve" => self
                .channel(a)
                .and_then(|object| self.attempt(object, Wait::Place(object), status::FULL)),
            "chan_try_recv" => self
                .channel(a)
                .and_then(|object| self.attempt(object, Wait::Word(object), status::EMPTY)),
            "sem_try_acquire" => self
                .semaphore(a)
                .and_then(|object| self.attempt(object, Wait::Units(object, b), status::FULL)),
            "chan_send" => self.held(a, task).and_then(|permit| self.send(permit, b)),
            "chan_close" => self.channel(a).map(|object| {
                self.close(object);
                0
            }),
            "chan_free" => self.freed(self.channel(a)),
            "sem_free" => self.freed(self.semaphore(a)),
            "notify_free" => self.freed(self.signal(a)),
            "notify_one" | "notify_all" => self.signal(a).map(|object| {
                self.notify(object, name == "notify_all");
                0
            }),
            _ => return None,
        })
    }

    fn freed(&mut self, object: Result<usize, u32>) -> Answer {
        object.map(|object| {
            self.free(object);
            0
        })
    }

    fn transfer(&mut self, task: usize, permit: u64, to: u64) -> Answer {
        let to = index(Kind::Task, to, self.tasks.len())?;
        let permit = self.held(permit, task)?;
        match self.tasks[to].done {
            None => self.permits[permit].holder = to,
            Some(_) => self.release(permit),
        }
        Ok(0)
    }

    /// splitmix64.
    fn random_number(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.random;
        let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}
