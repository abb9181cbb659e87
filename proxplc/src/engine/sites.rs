//! The code record of a module that is evaluated: no code, but the sites and names by which the
//! runtime explains errors. It is made like that of compiled code and never freed, because the
//! runtime may explain an error until the process ends.

use asr_abi::{CodeRecord, FrameTable, FuncEntry, Site, SiteTable, VERSION};
use asr_codegen::air::{Module, sites};

/// A record of `module`.
pub(super) fn record(module: &Module) -> &'static CodeRecord {
    // Addresses of code that nothing executes: a byte per function.
    let code: &'static [u8] = vec![0; module.funcs.len().max(1)].leak();
    let funcs: Vec<FuncEntry> = module
        .funcs
        .iter()
        .enumerate()
        .map(|(index, func)| {
            let name: &'static str = func.display_name().to_owned().leak();
            let file = module
                .files
                .get(usize::from(func.loc.file))
                .cloned()
                .unwrap_or_default();
            let file: &'static str = file.leak();
            FuncEntry {
                entry: &raw const code[index],
                name: name.as_ptr(),
                file: file.as_ptr(),
                lines: std::ptr::null(),
                len: 1,
                name_len: name.len() as u32,
                file_len: file.len() as u32,
                n_lines: 0,
            }
        })
        .collect();
    let sites: Vec<Site> = sites(module)
        .iter()
        .map(|site| Site {
            func: site.func.0,
            line: site.loc.line,
            col: site.loc.col,
            code: site.kind.fault_code(),
        })
        .collect();
    let (funcs, sites) = (&*funcs.leak(), &*sites.leak());
    let table = Box::leak(Box::new(SiteTable {
        unit: u32::from(module.unit),
        n_sites: sites.len() as u32,
        sites: sites.as_ptr(),
        funcs: funcs.as_ptr(),
        n_funcs: funcs.len() as u32,
        reserved: 0,
    }));
    let frames = Box::leak(Box::new(FrameTable {
        len: 0,
        frames: std::ptr::null(),
    }));
    Box::leak(Box::new(CodeRecord {
        base: code.as_ptr(),
        len: code.len() as u64,
        sites: table,
        frames,
        version: VERSION.into(),
    }))
}
