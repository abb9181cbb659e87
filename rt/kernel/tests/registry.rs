//! The registry of code, on records built by hand.
#![allow(unsafe_code, reason = "builds and registers raw records")]

use asr_abi::{CodeRecord, FuncEntry, LineEntry, Site, SiteTable, VERSION};
use asr_kernel::code::{self, RegisterError};

/// A record of one function of 64 bytes at `base`, leaked.
fn record(unit: u32, base: usize, version: u32) -> *const CodeRecord {
    let lines = vec![
        LineEntry { offset: 0, line: 3 },
        LineEntry {
            offset: 16,
            line: 4,
        },
    ]
    .leak();
    let funcs = vec![FuncEntry {
        entry: base as *const u8,
        name: "work".as_ptr(),
        file: "a.prox".as_ptr(),
        lines: lines.as_ptr(),
        len: 64,
        name_len: 4,
        file_len: 6,
        n_lines: 2,
    }]
    .leak();
    let sites = vec![Site {
        func: 0,
        line: 4,
        col: 9,
        code: 0x0100_0001,
    }]
    .leak();
    let table = Box::leak(Box::new(SiteTable {
        unit,
        n_sites: 1,
        sites: sites.as_ptr(),
        funcs: funcs.as_ptr(),
        n_funcs: 1,
        reserved: 0,
    }));
    Box::leak(Box::new(CodeRecord {
        base: base as *const u8,
        len: 64,
        sites: table,
        frames: std::ptr::null(),
        version: u64::from(version),
    }))
}

fn register(record: *const CodeRecord) -> Result<(), RegisterError> {
    // SAFETY: leaked by `record`, or null.
    unsafe { code::register(record) }
}

#[test]
fn abi_48_every_site_and_address_is_found_while_registered() {
    let record = record(901, 0x7000_0000_1000, VERSION);
    register(record).unwrap();
    let site = code::site(901 << 32 | 1).unwrap();
    assert_eq!(
        (site.func.as_str(), site.file.as_str(), site.line, site.col),
        ("work", "a.prox", 4, 9)
    );
    assert_eq!(site.code, 0x0100_0001);
    let line = |pc| code::find_pc(pc).map(|place| place.unwrap().line);
    assert_eq!(line(0x7000_0000_1000), Some(3));
    assert_eq!(line(0x7000_0000_103f), Some(4));
    assert_eq!(line(0x7000_0000_1040), None);
    assert_eq!(code::site(901 << 32 | 2), None);
    assert_eq!(code::site(901 << 32), None);
    assert!(code::unregister(record));
    assert!(!code::unregister(record));
    assert_eq!(line(0x7000_0000_1000), None);
    assert_eq!(code::site(901 << 32 | 1), None);
}

#[test]
fn abi_16_another_major_version_is_refused_and_named() {
    let error = register(record(902, 0x7000_0001_0000, 7 << 16 | 3)).unwrap_err();
    assert_eq!(error, RegisterError::Version { found: 7 << 16 | 3 });
    let text = error.to_string();
    assert!(text.contains("7.3") && text.contains("1.0"), "{text}");
}

#[test]
fn abi_15_malformed_records_and_duplicates_are_refused() {
    assert_eq!(register(std::ptr::null()), Err(RegisterError::BadArgument));
    let misaligned = (record(905, 0x7000_0005_0000, VERSION) as usize + 1) as *const CodeRecord;
    assert_eq!(register(misaligned), Err(RegisterError::BadArgument));
    let wrapping = record(906, usize::MAX - 8, VERSION);
    assert_eq!(register(wrapping), Err(RegisterError::BadArgument));
    let first = record(903, 0x7000_0002_0000, VERSION);
    register(first).unwrap();
    let second = record(903, 0x7000_0003_0000, VERSION);
    assert_eq!(
        register(second),
        Err(RegisterError::Duplicate { unit: 903 })
    );
    assert_eq!(register(first), Err(RegisterError::Duplicate { unit: 903 }));
    assert!(code::unregister(first));
}

#[test]
fn abi_36_part_ten_thousand_units_come_and_go() {
    // What waits: the memory of the units themselves, tested with the JIT.
    let record = record(904, 0x7000_0004_0000, VERSION);
    for _ in 0..10_000 {
        register(record).unwrap();
        assert!(code::unregister(record));
    }
    let many: Vec<_> = (0..200)
        .map(|n| self::record(10_000 + n, 0x7100_0000_0000 + n as usize * 4096, VERSION))
        .collect();
    for &record in &many {
        register(record).unwrap();
    }
    assert!(code::find_pc(0x7100_0000_0000 + 199 * 4096).is_some());
    for &record in &many {
        assert!(code::unregister(record));
    }
}

#[test]
fn a_program_without_compiled_code_has_no_linked_records() {
    assert!(code::linked::records().is_empty());
    assert!(code::linked::handlers().is_empty());
    code::linked::register_all().unwrap();
}
