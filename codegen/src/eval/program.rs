//! A module, decoded.

use std::collections::HashMap;

use super::code::Code;
use super::decode::Decoder;
use super::machine::Frame;
use crate::air::*;

/// A module, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Program<'m> {
    pub(super) module: &'m Module,
    pub(super) funcs: Vec<Code>,
    /// Classes of the module's signatures for synchronous and for asynchronous functions; see
    /// [`Code::class`].
    pub(super) sig_classes: Vec<[u32; 2]>,
    sites: Vec<SiteInfo>,
}

impl<'m> Program<'m> {
    /// Decodes a verified module.
    pub fn new(verified: &Verified<'m>) -> Self {
        let module = verified.module();
        let mut classes = Classes::default();
        let of = |sig| [false, true].map(|is_async| classes.of(sig, is_async));
        let sig_classes = module.sigs.iter().map(of).collect();
        let mut next_site = 1;
        let funcs = module
            .funcs
            .iter()
            .map(|func| {
                let class = classes.of(&func.signature(), func.is_async);
                Decoder::new(verified, func, &mut next_site).decode(class)
            })
            .collect();
        Program {
            module,
            funcs,
            sig_classes,
            sites: sites(module),
        }
    }

    /// The module.
    pub fn module(&self) -> &'m Module {
        self.module
    }

    /// What a site id of this module stands for.
    pub fn site(&self, id: u64) -> Option<&SiteInfo> {
        let index = id.checked_sub(site_id(self.module.unit, 1))?;
        self.sites.get(usize::try_from(index).ok()?)
    }

    /// The function of an activation, and where it is.
    pub(super) fn at(&self, frame: &Frame) -> (FuncId, Loc) {
        let locs = &self.funcs[frame.func.index()].locs;
        let loc = locs.get(frame.pc.saturating_sub(1)).copied();
        (frame.func, loc.unwrap_or_default())
    }

    /// The function of this name.
    pub fn func(&self, name: &str) -> Option<FuncId> {
        self.module
            .funcs
            .iter()
            .position(|func| func.name == name)
            .map(FuncId::new)
    }
}

/// Numbers for signatures; `throws` makes no difference at an address.
#[derive(Default)]
struct Classes(HashMap<(Vec<Type>, Option<Type>, bool), u32>);

impl Classes {
    fn of(&mut self, sig: &Signature, is_async: bool) -> u32 {
        let next = self.0.len() as u32;
        let key = (sig.params.clone(), sig.ret, is_async);
        *self.0.entry(key).or_insert(next)
    }
}
