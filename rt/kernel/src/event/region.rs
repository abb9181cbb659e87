//! Events of regions.

use asr_base::{Error, Outcome};
use asr_trace::{Access, CHILDREN, Draft, Kind, Object, Resource};

use super::{emit, object, region_object};
use crate::region::Region;

pub(crate) fn region_opened(region: &Region) {
    emit(region.kernel(), |now| {
        let parent = region.parent().map_or(0, |parent| parent.id().to_bits());
        let policy = region.lock().policy as u64 | u64::from(region.is_shielded()) << 8;
        let deadline = region.budget().deadline.as_nanos();
        Some(
            Draft::new(Kind::RegionOpen, now)
                .region(region.id())
                .object(region_object(region, Access::Write))
                .words(parent, policy, deadline),
        )
    });
}

/// The live children of a region, which a child reads when it ends and the region writes when it
/// finds that none is left: so children commute, and all precede that step.
pub(super) fn children_of(region: &Region, access: Access) -> Object {
    object(Resource::Place(region.id(), CHILDREN), access)
}

fn region_state(region: &Region, kind: Kind, a: u64) {
    emit(region.kernel(), |now| {
        let draft = Draft::new(kind, now)
            .region(region.id())
            .object(region_object(region, Access::Write));
        let draft = match (kind, region.parent()) {
            (Kind::RegionFinalizing, _) => draft.object(children_of(region, Access::Write)),
            (Kind::RegionClosed, Some(parent)) => draft.object(children_of(parent, Access::Read)),
            _ => draft,
        };
        Some(draft.words(a, 0, 0))
    });
}

pub(crate) fn region_closing(region: &Region) {
    region_state(region, Kind::RegionClosing, 0);
}

pub(crate) fn region_draining(region: &Region) {
    region_state(region, Kind::RegionDraining, region.word.live());
}

pub(crate) fn region_finalizing(region: &Region) {
    if region.kernel().trace().on() {
        let waiting = region.lock().finalizers.len() as u64;
        region_state(region, Kind::RegionFinalizing, waiting);
    }
}

pub(crate) fn region_closed(region: &Region, outcome: &Outcome<(), Error>) {
    region_state(region, Kind::RegionClosed, outcome.severity() as u64);
}
