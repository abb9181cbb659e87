//! A place in the source, read from the tables of a record.
#![allow(unsafe_code, reason = "reads the raw tables of registered code")]

use asr_abi::{CodeRecord, FuncEntry, LineEntry, Site};

/// A place in the source, borrowed from registered tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    /// Name of the function for people.
    pub func: &'a [u8],
    /// Name of the file; empty when unknown.
    pub file: &'a [u8],
    /// Line; 0 when unknown.
    pub line: u32,
    /// Column; 0 when unknown.
    pub col: u32,
    /// Code of the fault of this site; 0 when there is none.
    pub code: u32,
}

/// The same, owned: it outlives the unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceBuf {
    /// Name of the function.
    pub func: String,
    /// Name of the file; empty when unknown.
    pub file: String,
    /// Line; 0 when unknown.
    pub line: u32,
    /// Column; 0 when unknown.
    pub col: u32,
    /// Code of the fault of this site; 0 when there is none.
    pub code: u32,
}

impl Place<'_> {
    /// An owned copy.
    pub fn to_buf(self) -> PlaceBuf {
        PlaceBuf {
            func: String::from_utf8_lossy(self.func).into_owned(),
            file: String::from_utf8_lossy(self.file).into_owned(),
            line: self.line,
            col: self.col,
            code: self.code,
        }
    }
}

/// `len` items at `ptr`; none when it is null.
///
/// # Safety
/// `ptr` is null or points to `len` items that stay for `'a`.
pub(super) unsafe fn items<'a, T>(ptr: *const T, len: u32) -> &'a [T] {
    if ptr.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(ptr, len as usize) }
}

/// The functions of a record.
///
/// # Safety
/// The record and its tables are as the ABI says and stay for `'a`.
unsafe fn funcs<'a>(record: *const CodeRecord) -> &'a [FuncEntry] {
    // SAFETY: the caller's promise.
    unsafe {
        match (*record).sites.as_ref() {
            Some(table) => items(table.funcs, table.n_funcs),
            None => &[],
        }
    }
}

/// Names of a function.
///
/// # Safety
/// As for [`funcs`].
unsafe fn named<'a>(func: &FuncEntry, line: u32, col: u32, code: u32) -> Place<'a> {
    // SAFETY: the caller's promise.
    let (name, file) = unsafe {
        (
            items(func.name, func.name_len),
            items(func.file, func.file_len),
        )
    };
    Place {
        func: name,
        file,
        line,
        col,
        code,
    }
}

/// The place of a site by its index (from 1).
///
/// # Safety
/// As for [`funcs`].
pub(super) unsafe fn of_site<'a>(record: *const CodeRecord, index: u32) -> Option<Place<'a>> {
    // SAFETY: the caller's promise.
    unsafe {
        let table = (*record).sites.as_ref()?;
        let sites: &[Site] = items(table.sites, table.n_sites);
        let site = sites.get(index.checked_sub(1)? as usize)?;
        let func = funcs(record).get(site.func as usize)?;
        Some(named(func, site.line, site.col, site.code))
    }
}

/// The place of a code address of the record. Async-signal-safe.
///
/// # Safety
/// As for [`funcs`].
pub(super) unsafe fn of_pc<'a>(record: *const CodeRecord, pc: usize) -> Option<Place<'a>> {
    // SAFETY: the caller's promise.
    unsafe {
        let inside =
            |f: &&FuncEntry| (f.entry as usize..f.entry as usize + f.len as usize).contains(&pc);
        let func = funcs(record).iter().find(inside)?;
        let lines: &[LineEntry] = items(func.lines, func.n_lines);
        let offset = pc - func.entry as usize;
        let line = lines
            .iter()
            .take_while(|line| line.offset as usize <= offset)
            .last();
        Some(named(func, line.map_or(0, |line| line.line), 0, 0))
    }
}
