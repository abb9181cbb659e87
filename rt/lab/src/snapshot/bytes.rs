//! The bytes of a snapshot.

use asr_base::{ObligationId, RegionId, TaskId, Time, TimerId};
use asr_kernel::region::State;
use asr_kernel::task::{Phase, Tier};
use asr_kernel::{Escalation, Policy, RegionState, TaskState, TimerState};
use asr_trace::hash;
use sha2::{Digest, Sha256};

use super::{Snapshot, SnapshotError};
use crate::schedule::Choice;

const MAGIC: &[u8; 8] = b"ASRSNAP\0";
pub(super) const VERSION: u16 = 1;
const CHECKSUM: usize = 32;

impl Snapshot {
    /// A hash over the state, without the choices that led to it.
    pub fn state_hash(&self) -> u128 {
        hash(&self.body())
    }

    /// The whole, checksummed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = self.body();
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        number(&mut out, body.len() as u64);
        out.extend_from_slice(&hash(&body).to_le_bytes());
        out.extend_from_slice(&body);
        number(&mut out, self.choices.len() as u64);
        for choice in &self.choices {
            out.extend_from_slice(&choice.chosen.to_le_bytes());
            out.extend_from_slice(&choice.of.to_le_bytes());
        }
        let checksum = Sha256::digest(&out);
        out.extend_from_slice(&checksum);
        out
    }

    /// Whether not one byte was changed (LAB-16).
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn verify_integrity(bytes: &[u8]) -> Result<(), SnapshotError> {
        let Some(split) = bytes.len().checked_sub(CHECKSUM) else {
            return Err(SnapshotError::Corrupt("shorter than its checksum"));
        };
        let (content, checksum) = bytes.split_at(split);
        if Sha256::digest(content).as_slice() != checksum {
            return Err(SnapshotError::Corrupt("the checksum does not fit"));
        }
        Ok(())
    }

    /// Reads a snapshot whose integrity holds. What it says may still contradict itself:
    /// [`validate`](Snapshot::validate).
    ///
    /// # Errors
    /// `Corrupt` or `Version`; never panics, whatever the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
        Snapshot::verify_integrity(bytes)?;
        let mut reader = Reader(&bytes[..bytes.len() - CHECKSUM]);
        if reader.take(8)? != MAGIC {
            return Err(SnapshotError::Corrupt("another kind of file"));
        }
        let version = u16::from_le_bytes(reader.array()?);
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        let length = reader.number()?;
        let hashed = u128::from_le_bytes(reader.array()?);
        let length = usize::try_from(length).map_err(|_| CUT)?;
        let body = reader.take(length)?;
        if hash(body) != hashed {
            return Err(SnapshotError::Corrupt("the state hash does not fit"));
        }
        let choices = reader.list(|reader| {
            Ok(Choice {
                chosen: reader.half()?,
                of: reader.half()?,
            })
        })?;
        reader.end()?;
        let mut body = Reader(body);
        let snapshot = Snapshot {
            seed: body.number()?,
            step: body.number()?,
            now: Time::from_nanos(body.number()?),
            generator: [
                body.number()?,
                body.number()?,
                body.number()?,
                body.number()?,
            ],
            regions: body.list(Reader::region)?,
            tasks: body.list(Reader::task)?,
            timers: body.list(|body| {
                Ok(TimerState {
                    id: body.id(TimerId::from_bits)?,
                    deadline: Time::from_nanos(body.number()?),
                })
            })?,
            queue: body.list(|body| body.id(TaskId::from_bits))?,
            marking: body
                .list(|body| Ok((body.id(RegionId::from_bits)?, body.byte()?, body.number()?)))?,
            choices,
        };
        body.end()?;
        Ok(snapshot)
    }

    fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [self.seed, self.step, self.now.as_nanos()] {
            number(&mut out, word);
        }
        for word in self.generator {
            number(&mut out, word);
        }
        number(&mut out, self.regions.len() as u64);
        for region in &self.regions {
            number(&mut out, region.id.to_bits());
            number(&mut out, region.parent.map_or(0, RegionId::to_bits));
            out.extend_from_slice(&region.position.to_le_bytes());
            out.push(region.state as u8);
            number(&mut out, region.live);
            out.push(region.policy as u8);
            out.push(region.escalation as u8);
            number(&mut out, region.deadline.as_nanos());
            out.push(region.cancel.map_or(0, |rank| rank + 1));
            out.extend_from_slice(&region.finalizers.to_le_bytes());
        }
        number(&mut out, self.tasks.len() as u64);
        for task in &self.tasks {
            number(&mut out, task.id.to_bits());
            number(&mut out, task.region.to_bits());
            out.extend_from_slice(&task.position.to_le_bytes());
            out.push(task.tier as u8);
            out.push(task.phase as u8);
            out.push(u8::from(task.queued));
            out.extend_from_slice(&task.polls_left.to_le_bytes());
            out.push(task.cancel.map_or(0, |rank| rank + 1));
            number(&mut out, task.held.len() as u64);
            for id in &task.held {
                number(&mut out, id.to_bits());
            }
        }
        number(&mut out, self.timers.len() as u64);
        for timer in &self.timers {
            number(&mut out, timer.id.to_bits());
            number(&mut out, timer.deadline.as_nanos());
        }
        number(&mut out, self.queue.len() as u64);
        for task in &self.queue {
            number(&mut out, task.to_bits());
        }
        number(&mut out, self.marking.len() as u64);
        for (region, kind, live) in &self.marking {
            number(&mut out, region.to_bits());
            out.push(*kind);
            number(&mut out, *live);
        }
        out
    }
}

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

const CUT: SnapshotError = SnapshotError::Corrupt("a field is cut off");
const DOMAIN: SnapshotError = SnapshotError::Corrupt("a field is out of its domain");

/// What is still to be read.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], SnapshotError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| CUT)
    }

    fn byte(&mut self) -> Result<u8, SnapshotError> {
        Ok(self.array::<1>()?[0])
    }

    fn half(&mut self) -> Result<u32, SnapshotError> {
        self.array().map(u32::from_le_bytes)
    }

    fn number(&mut self) -> Result<u64, SnapshotError> {
        self.array().map(u64::from_le_bytes)
    }

    fn id<T>(&mut self, make: impl Fn(u64) -> Option<T>) -> Result<T, SnapshotError> {
        make(self.number()?).ok_or(DOMAIN)
    }

    /// One of `all`, which stand at the place of their number.
    fn one_of<T: Copy>(&mut self, all: &[T]) -> Result<T, SnapshotError> {
        all.get(usize::from(self.byte()?)).copied().ok_or(DOMAIN)
    }

    fn rank(&mut self) -> Result<Option<u8>, SnapshotError> {
        Ok(self.byte()?.checked_sub(1))
    }

    /// A list cannot claim more entries than there are bytes, so nothing is allocated for a lie.
    fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Reader<'b>) -> Result<T, SnapshotError>,
    ) -> Result<Vec<T>, SnapshotError> {
        let length = self.number()?;
        if length > self.0.len() as u64 {
            return Err(CUT);
        }
        (0..length).map(|_| read(self)).collect()
    }

    fn region(&mut self) -> Result<RegionState, SnapshotError> {
        Ok(RegionState {
            id: self.id(RegionId::from_bits)?,
            parent: RegionId::from_bits(self.number()?),
            position: self.half()?,
            state: self.one_of(&[
                State::Open,
                State::Closing,
                State::Draining,
                State::Finalizing,
                State::Closed,
            ])?,
            live: self.number()?,
            policy: self.one_of(&[Policy::FailFast, Policy::CollectAll])?,
            escalation: self.one_of(&[Escalation::Drop, Escalation::Panic, Escalation::Soft])?,
            deadline: Time::from_nanos(self.number()?),
            cancel: self.rank()?,
            finalizers: self.half()?,
        })
    }

    fn task(&mut self) -> Result<TaskState, SnapshotError> {
        Ok(TaskState {
            id: self.id(TaskId::from_bits)?,
            region: self.id(RegionId::from_bits)?,
            position: self.half()?,
            tier: self.one_of(&[Tier::Fiber, Tier::Task, Tier::Body, Tier::Finalizer])?,
            phase: self.one_of(&[
                Phase::Created,
                Phase::Running,
                Phase::CancelRequested,
                Phase::Cancelling,
                Phase::Finalizing,
                Phase::Completed,
            ])?,
            queued: self.one_of(&[false, true])?,
            polls_left: self.half()?,
            cancel: self.rank()?,
            held: self.list(|reader| reader.id(ObligationId::from_bits))?,
        })
    }

    fn end(&self) -> Result<(), SnapshotError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(SnapshotError::Corrupt("bytes after the end"))
        }
    }
}
