//! A module, decoded.

use std::collections::HashMap;

use super::code::Code;
use super::decode::Decoder;
use crate::air::*;

/// A module, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Program<'m> {
    pub(super) module: &'m Module,
    pub(super) funcs: Vec<Code>,
    /// Classes of the module's signatures; see [`Code::class`].
    pub(super) sig_classes: Vec<u32>,
    sites: Vec<SiteInfo>,
}

impl<'m> Program<'m> {
    /// Decodes a verified module.
    pub fn new(verified: &Verified<'m>) -> Self {
        let module = verified.module();
        let mut classes = Classes::default();
        let sig_classes = module.sigs.iter().map(|sig| classes.of(sig)).collect();
        let mut next_site = 1;
        let funcs = module
            .funcs
            .iter()
            .map(|func| {
                let class = classes.of(&func.signature());
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
struct Classes(HashMap<(Vec<Type>, Option<Type>), u32>);

impl Classes {
    fn of(&mut self, sig: &Signature) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry((sig.params.clone(), sig.ret)).or_insert(next)
    }
}
