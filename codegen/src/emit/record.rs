//! The tables behind a code record (rule ABI-48), built once for JIT and objects.
//!
//! One blob holds, in this order: `SiteTable`, `FrameTable`, the functions sorted by address, the
//! sites, the lines, the frames of asynchronous functions ([`super::frames`]), the strings. Its
//! pointers are zero and listed; the JIT patches them, an object relocates them. So both hold the
//! same bytes apart from addresses.

use std::mem::offset_of;

use asr_abi::{FrameTable, FuncEntry, LineEntry, Site, SiteTable};

use super::frames::Frames;
use crate::air::{Module, sites};
use crate::lower::Lowered;

/// What a pointer of the blob points to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Points {
    /// The code of the function with this index in `Lowered::funcs`.
    Code(usize),
    /// The blob itself, at this offset.
    Blob(usize),
}

/// The blob and its pointers, by offset.
pub(crate) struct Blob {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pointers: Vec<(usize, Points)>,
}

/// Offset of the frame table, to which the code record points.
pub(crate) const FRAMES_AT: usize = size_of::<SiteTable>();
const FUNCS_AT: usize = FRAMES_AT + size_of::<FrameTable>();

/// The tables of a module whose functions lie in address order, the stubs after them.
pub(crate) fn blob(module: &Module, lowered: &Lowered) -> Blob {
    let funcs: Vec<_> = lowered.funcs.iter().filter(|f| f.func.is_some()).collect();
    let sites = sites(module);
    let sites_at = FUNCS_AT + funcs.len() * size_of::<FuncEntry>();
    let lines_at = sites_at + sites.len() * size_of::<Site>();
    let lines: Vec<Vec<LineEntry>> = funcs.iter().map(|f| lines(&f.locs)).collect();
    let n_lines: usize = lines.iter().map(Vec::len).sum();
    let frames = Frames::new(lowered, lines_at + n_lines * size_of::<LineEntry>());

    let mut blob = Blob {
        bytes: vec![0; frames.end()],
        pointers: Vec::new(),
    };
    blob.u32(offset_of!(SiteTable, unit), u32::from(module.unit));
    blob.u32(offset_of!(SiteTable, n_sites), sites.len() as u32);
    blob.u32(offset_of!(SiteTable, n_funcs), funcs.len() as u32);
    blob.pointer(offset_of!(SiteTable, sites), Points::Blob(sites_at));
    blob.pointer(offset_of!(SiteTable, funcs), Points::Blob(FUNCS_AT));
    for (i, site) in sites.iter().enumerate() {
        let at = sites_at + i * size_of::<Site>();
        blob.u32(at + offset_of!(Site, func), site.func.0);
        blob.u32(at + offset_of!(Site, line), site.loc.line);
        blob.u32(at + offset_of!(Site, col), site.loc.col);
        blob.u32(at + offset_of!(Site, code), site.kind.fault_code());
    }
    let mut line_at = lines_at;
    let mut names = Vec::with_capacity(funcs.len());
    for (i, (compiled, lines)) in funcs.iter().zip(&lines).enumerate() {
        let at = FUNCS_AT + i * size_of::<FuncEntry>();
        blob.pointer(at + offset_of!(FuncEntry, entry), Points::Code(i));
        blob.u32(at + offset_of!(FuncEntry, len), compiled.len);
        let func = &module.funcs[compiled.func.map_or(0, |id| id.index())];
        let (start, len) = blob.string(func.display_name());
        blob.pointer(at + offset_of!(FuncEntry, name), Points::Blob(start));
        blob.u32(at + offset_of!(FuncEntry, name_len), len);
        names.push((start, len));
        if let Some(file) = module.files.get(usize::from(func.loc.file)) {
            let (start, len) = blob.string(file);
            blob.pointer(at + offset_of!(FuncEntry, file), Points::Blob(start));
            blob.u32(at + offset_of!(FuncEntry, file_len), len);
        }
        blob.pointer(at + offset_of!(FuncEntry, lines), Points::Blob(line_at));
        blob.u32(at + offset_of!(FuncEntry, n_lines), lines.len() as u32);
        for line in lines {
            blob.u32(line_at + offset_of!(LineEntry, offset), line.offset);
            blob.u32(line_at + offset_of!(LineEntry, line), line.line);
            line_at += size_of::<LineEntry>();
        }
    }
    frames.write(&mut blob, module.unit, &names);
    blob
}

/// One entry per change of line.
fn lines(locs: &[(u32, crate::air::Loc)]) -> Vec<LineEntry> {
    let mut out: Vec<LineEntry> = Vec::new();
    for &(offset, loc) in locs {
        match out.last() {
            Some(last) if last.line == loc.line => {}
            _ => out.push(LineEntry {
                offset,
                line: loc.line,
            }),
        }
    }
    out
}

impl Blob {
    pub(super) fn u32(&mut self, at: usize, value: u32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, at: usize, value: u64) {
        self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    pub(super) fn pointer(&mut self, at: usize, to: Points) {
        self.pointers.push((at, to));
    }

    /// Appends a string; gives its offset and length.
    fn string(&mut self, text: &str) -> (usize, u32) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        (start, text.len() as u32)
    }

    /// The blob in memory of its own, with its pointers set; `code` gives the address of a
    /// function.
    pub(crate) fn into_memory(self, code: impl Fn(usize) -> u64) -> Box<[u64]> {
        let mut words = vec![0u64; self.bytes.len().div_ceil(8)].into_boxed_slice();
        for (word, bytes) in words.iter_mut().zip(self.bytes.chunks(8)) {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(eight);
        }
        let base = words.as_ptr().expose_provenance() as u64;
        for (at, to) in self.pointers {
            words[at / 8] = match to {
                Points::Code(index) => code(index),
                Points::Blob(offset) => base + offset as u64,
            };
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use cranelift_module::Module as _;
    use cranelift_object::{ObjectBuilder, ObjectModule};

    use super::*;
    use crate::lower::{Want, lower};
    use crate::{Options, ProbeMode, air, prepare};

    const TEXT: &str = r#"
module "m" unit 3
file "demo.prox"
export fn @divide(%a: i64, %b: i64) -> i64 throws !1:1 {
entry:
  probe.entry             !1:1
  %a = sdiv.i64 %a, %b    !2:5
  return %a               !3:5
}
async fn @later(%v: value, %a: i64) -> value {
  local %w: value
entry:
  probe.explicit          !11:3
  %w = copy.value %v      !12:3
  probe.explicit          !13:3
  return %w               !14:3
}
async fn @twice(%v: value) -> value {
entry:
  %v = await @later(%v, 2) !17:3
  %v = await @later(%v, 3) !18:3
  return %v               !19:3
}
export fn @main() -> i64 throws {
  local %n: i64
entry:
  %n = call @divide(7, 2) !6:5
  return %n               !7:5
}
"#;

    /// The blob with and without position independence, as objects and the JIT have it.
    #[test]
    fn abi_48_tables_of_both_ways_are_equal_apart_from_code() {
        let module = air::parse(TEXT.as_bytes()).expect("it parses").module;
        let options = Options {
            probes: ProbeMode::AsIs,
            ..Options::default()
        };
        let prepared = prepare(&module, &[], &options).expect("it is prepared");
        let [fixed, pic] = [false, true].map(|pic| {
            let isa = super::super::isa::isa(&options, pic).expect("settings");
            let names = cranelift_module::default_libcall_names();
            let builder = ObjectBuilder::new(isa, "m", names).expect("a builder");
            let mut object = ObjectModule::new(builder);
            let lowered = lower(&prepared, &mut object, None, Want::default()).expect("it lowers");
            assert_eq!(object.isa().flags().is_pic(), pic);
            (blob(&module, &lowered), lowered)
        });
        let mut bytes = [fixed.0.bytes, pic.0.bytes];
        assert_eq!(fixed.0.pointers, pic.0.pointers);
        let pointers = fixed.0.pointers;
        // Lengths of code and offsets of lines may differ: they depend on the code.
        for (i, func) in fixed.1.funcs.iter().enumerate() {
            if func.func.is_some() {
                let at = FUNCS_AT + i * size_of::<FuncEntry>() + offset_of!(FuncEntry, len);
                bytes.iter_mut().for_each(|bytes| bytes[at..at + 4].fill(0));
            }
        }
        let [fixed, pic] = bytes;
        let sites_at = FUNCS_AT + 4 * size_of::<FuncEntry>();
        let lines_at = sites_at + sites(&module).len() * size_of::<Site>();
        assert_eq!(fixed[..lines_at], pic[..lines_at]);
        assert_eq!(fixed.len(), pic.len());
        // Behind the lines, whose offsets depend on the code, stand frames and strings.
        let at = FRAMES_AT + offset_of!(FrameTable, frames);
        let frames_at = pointers.iter().find_map(|&(from, to)| match to {
            Points::Blob(to) if from == at => Some(to),
            _ => None,
        });
        let frames_at = frames_at.expect("two asynchronous functions");
        assert_eq!(fixed[frames_at..], pic[frames_at..]);
    }
}
