//! Obligations by id (rule OBL-33): each has a record, and what it stands for is written there.
#![allow(unsafe_code, reason = "takes the raw arguments of compiled code and C")]

use asr_abi::{Thread, status};
use asr_base::{ObligationId, Status};
use asr_intrinsics::Refusal;
use asr_kernel::Cx;
use asr_kernel::compiled::handles;
use asr_kernel::cx::Checked;
use asr_kernel::obligation::{AbortCause, Kind};

use super::current::{cx, refusal, with};
use super::objects::{self, Behind};

type Row<T> = Result<T, Refusal>;

/// A token of the task of `cx` for what it just took from an object: given back if nobody resolves
/// the token.
pub(super) fn reserve_for(cx: &Cx<Checked>, kind: Kind, behind: Behind) -> Row<u64> {
    let undo = behind.clone();
    let abort = Box::new(move |_| undo.give_back());
    match cx.reserve_raw_for(kind, behind.numbers(), Some(abort)) {
        Ok(id) => Ok(id.to_bits()),
        Err(error) => {
            behind.give_back();
            Err(refusal(&error))
        }
    }
}

/// The token, its kind, and the object behind it.
pub(super) fn look(cx: &Cx<Checked>, permit: u64) -> Row<(ObligationId, Kind, Option<Behind>)> {
    let id = ObligationId::from_bits(permit).ok_or(with(Status::STALE_HANDLE))?;
    let (kind, numbers) = cx.look_raw(id).map_err(with)?;
    Ok((id, kind, objects::behind(cx, numbers)))
}

pub(crate) unsafe fn reserve(th: *const Thread, kind: u32) -> Row<u64> {
    let cx = cx(th)?;
    let kind = Kind::numbered(kind).ok_or(Refusal::status(status::BAD_ARGUMENT))?;
    let id = cx
        .reserve_raw(kind, None)
        .map_err(|error| refusal(&error))?;
    Ok(id.to_bits())
}

pub(crate) unsafe fn commit(th: *const Thread, permit: u64) -> Row<()> {
    let cx = cx(th)?;
    let (id, kind, behind) = look(cx, permit)?;
    if kind == Kind::SEND_PERMIT && behind.is_some() {
        // It is committed by what is sent.
        return Err(with(Status::WRONG_TYPE));
    }
    cx.commit_raw(id).map_err(with)?;
    if let Some(behind) = behind {
        behind.give_back();
    }
    Ok(())
}

pub(crate) unsafe fn abort(th: *const Thread, permit: u64) -> Row<()> {
    let cx = cx(th)?;
    let (id, _, behind) = look(cx, permit)?;
    cx.abort_raw(id, AbortCause::Verb).map_err(with)?;
    if let Some(behind) = behind {
        behind.give_back();
    }
    Ok(())
}

pub(crate) unsafe fn transfer(th: *const Thread, permit: u64, to: u64) -> Row<()> {
    let cx = cx(th)?;
    let id = ObligationId::from_bits(permit).ok_or(with(Status::STALE_HANDLE))?;
    let to = handles::task(cx, to).map_err(with)?;
    cx.transfer_raw(id, &to).map_err(with)
}
