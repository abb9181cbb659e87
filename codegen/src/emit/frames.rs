//! The frames of asynchronous functions (rules ABI-46 and ABI-48): entries sorted by poll address,
//! their metadata, their suspend points, and the arrays of offsets, equal ones once.

use std::collections::HashMap;
use std::mem::offset_of;

use asr_abi::{FrameEntry, FrameMeta, FrameTable, SuspendPoint};

use super::record::{Blob, FRAMES_AT, Points};
use crate::air::site_id;
use crate::lower::{Lowered, Plan, Point};

/// Where the tables stand in the blob.
pub(super) struct Frames<'a> {
    /// Index of the code of each asynchronous function, with its frame.
    plans: Vec<(usize, &'a Plan)>,
    entries_at: usize,
    metas_at: usize,
    points_at: usize,
    offsets_at: usize,
    offsets: Offsets,
}

/// Arrays of offsets, one after the other.
#[derive(Default)]
struct Offsets {
    all: Vec<u32>,
    /// Where an array begins.
    known: HashMap<Vec<u32>, usize>,
}

impl Offsets {
    fn add(&mut self, list: &[u32]) {
        if !list.is_empty() && !self.known.contains_key(list) {
            self.known.insert(list.to_vec(), self.all.len());
            self.all.extend_from_slice(list);
        }
    }
}

impl<'a> Frames<'a> {
    /// Tables that begin at this offset of the blob, which is a multiple of 8.
    pub(super) fn new(lowered: &'a Lowered, entries_at: usize) -> Frames<'a> {
        // Functions lie in address order, and the stubs behind them.
        let plans = lowered.funcs.iter().enumerate();
        let plans = plans.filter_map(|(index, func)| {
            let plan = lowered.frames[func.func?.index()].as_deref()?;
            Some((index, plan))
        });
        let plans: Vec<_> = plans.collect();
        let mut offsets = Offsets::default();
        let mut points = 0;
        for point in plans.iter().flat_map(|(_, plan)| &plan.points) {
            for list in lists(point) {
                offsets.add(&list);
            }
            points += 1;
        }
        let metas_at = entries_at + plans.len() * size_of::<FrameEntry>();
        let points_at = metas_at + plans.len() * size_of::<FrameMeta>();
        let offsets_at = points_at + points * size_of::<SuspendPoint>();
        Frames {
            plans,
            entries_at,
            metas_at,
            points_at,
            offsets_at,
            offsets,
        }
    }

    /// Where they end.
    pub(super) fn end(&self) -> usize {
        self.offsets_at + self.offsets.all.len() * size_of::<u32>()
    }

    /// Writes them; `names` has place and length of the name of each function.
    pub(super) fn write(&self, blob: &mut Blob, unit: u16, names: &[(usize, u32)]) {
        if self.plans.is_empty() {
            return;
        }
        blob.u64(
            FRAMES_AT + offset_of!(FrameTable, len),
            self.plans.len() as u64,
        );
        let at = FRAMES_AT + offset_of!(FrameTable, frames);
        blob.pointer(at, Points::Blob(self.entries_at));
        let mut point_at = self.points_at;
        for (n, &(index, plan)) in self.plans.iter().enumerate() {
            let entry = self.entries_at + n * size_of::<FrameEntry>();
            let meta = self.metas_at + n * size_of::<FrameMeta>();
            blob.pointer(entry + offset_of!(FrameEntry, poll), Points::Code(index));
            blob.pointer(entry + offset_of!(FrameEntry, meta), Points::Blob(meta));

            let (name, len) = names[index];
            blob.pointer(meta + offset_of!(FrameMeta, name), Points::Blob(name));
            blob.u32(meta + offset_of!(FrameMeta, name_len), len);
            blob.u32(meta + offset_of!(FrameMeta, size), plan.size);
            blob.u32(
                meta + offset_of!(FrameMeta, n_points),
                plan.points.len() as u32,
            );
            if !plan.points.is_empty() {
                let at = meta + offset_of!(FrameMeta, points);
                blob.pointer(at, Points::Blob(point_at));
            }
            for point in &plan.points {
                self.point(blob, point_at, unit, point);
                point_at += size_of::<SuspendPoint>();
            }
        }
        for (n, &offset) in self.offsets.all.iter().enumerate() {
            blob.u32(self.offsets_at + n * size_of::<u32>(), offset);
        }
    }

    fn point(&self, blob: &mut Blob, at: usize, unit: u16, point: &Point) {
        blob.u64(
            at + offset_of!(SuspendPoint, site),
            site_id(unit, point.site),
        );
        let fields = [
            (
                offset_of!(SuspendPoint, refs),
                offset_of!(SuspendPoint, n_refs),
            ),
            (
                offset_of!(SuspendPoint, slots),
                offset_of!(SuspendPoint, n_slots),
            ),
            (
                offset_of!(SuspendPoint, children),
                offset_of!(SuspendPoint, n_children),
            ),
        ];
        for ((array, count), list) in fields.into_iter().zip(lists(point)) {
            if let Some(first) = self.offsets.known.get(&list) {
                let place = self.offsets_at + first * size_of::<u32>();
                blob.pointer(at + array, Points::Blob(place));
                blob.u32(at + count, list.len() as u32);
            }
        }
    }
}

/// References, op slots and children on the heap.
fn lists(point: &Point) -> [Vec<u32>; 3] {
    let one = |offset: Option<u32>| offset.into_iter().collect();
    [point.refs.clone(), one(point.slot), one(point.child)]
}
