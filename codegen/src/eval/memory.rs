//! Memory of an evaluated program: bytes behind made-up addresses, checked on every access.
//!
//! Two regions, constants with the heap and the stack, with a gap between them; nothing is at the
//! lowest addresses, so that null plus a small offset is caught.

use std::collections::HashMap;

use super::host::Trap;

/// First address of constants and heap.
const HEAP: u64 = 0x1_0000;
/// First address of the stack.
const STACK: u64 = 0x1_0000_0000;

/// Bytes of an evaluated program.
#[derive(Clone, Debug)]
pub struct Memory {
    heap: Vec<u8>,
    /// Bytes of the heap that were given back, by their length.
    free: HashMap<u64, Vec<u64>>,
    stack: Vec<u8>,
    limit: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new(64 << 20)
    }
}

impl Memory {
    /// Empty memory; each region may grow to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Memory {
            heap: Vec::new(),
            free: HashMap::new(),
            stack: Vec::new(),
            limit,
        }
    }

    /// Zeroed bytes that are never freed, aligned to 16.
    ///
    /// # Errors
    /// The limit is reached.
    pub fn alloc(&mut self, len: u64) -> Result<u64, Trap> {
        grow(&mut self.heap, len, self.limit).map(|at| HEAP + at)
    }

    /// Zeroed bytes that [`Memory::give`] takes back, aligned to 16.
    ///
    /// # Errors
    /// The limit is reached.
    pub fn take(&mut self, len: u64) -> Result<u64, Trap> {
        let Some(addr) = self.free.get_mut(&len).and_then(Vec::pop) else {
            return self.alloc(len);
        };
        self.bytes_mut(addr, len)?.fill(0);
        Ok(addr)
    }

    /// Takes back what [`Memory::take`] gave for this length.
    pub fn give(&mut self, addr: u64, len: u64) {
        self.free.entry(len).or_default().push(addr);
    }

    /// Zeroed bytes of the stack, aligned to 16.
    ///
    /// # Errors
    /// The limit is reached.
    pub fn push(&mut self, len: u64) -> Result<u64, Trap> {
        grow(&mut self.stack, len, self.limit).map(|at| STACK + at)
    }

    /// Frees the stack from `addr` on.
    pub fn pop(&mut self, addr: u64) {
        self.stack.truncate(addr.saturating_sub(STACK) as usize);
    }

    /// The bytes at an address.
    ///
    /// # Errors
    /// Not all of them are there.
    pub fn bytes(&self, addr: u64, len: u64) -> Result<&[u8], Trap> {
        let region = if addr >= STACK {
            &self.stack
        } else {
            &self.heap
        };
        range(addr, len, region.len())
            .map(|range| &region[range])
            .ok_or_else(|| wild(addr, len))
    }

    /// The bytes at an address, to be changed.
    ///
    /// # Errors
    /// Not all of them are there.
    pub fn bytes_mut(&mut self, addr: u64, len: u64) -> Result<&mut [u8], Trap> {
        let region = if addr >= STACK {
            &mut self.stack
        } else {
            &mut self.heap
        };
        range(addr, len, region.len())
            .map(|range| &mut region[range])
            .ok_or_else(|| wild(addr, len))
    }

    /// The value of `size` bytes, little-endian.
    ///
    /// # Errors
    /// Not all of them are there.
    pub fn load(&self, addr: u64, size: u32) -> Result<u64, Trap> {
        let mut word = [0; 8];
        word[..size as usize].copy_from_slice(self.bytes(addr, size.into())?);
        Ok(u64::from_le_bytes(word))
    }

    /// Stores the low `size` bytes.
    ///
    /// # Errors
    /// Not all of them are there.
    pub fn store(&mut self, addr: u64, size: u32, bits: u64) -> Result<(), Trap> {
        let word = bits.to_le_bytes();
        self.bytes_mut(addr, size.into())?
            .copy_from_slice(&word[..size as usize]);
        Ok(())
    }
}

fn grow(region: &mut Vec<u8>, len: u64, limit: usize) -> Result<u64, Trap> {
    let at = region.len();
    match usize::try_from(len)
        .ok()
        .and_then(|len| at.checked_add(len)?.checked_next_multiple_of(16))
    {
        Some(end) if end <= limit => {
            region.resize(end, 0);
            Ok(at as u64)
        }
        _ => Err(Trap::new(format!(
            "{len} bytes more are beyond the limit of {limit}"
        ))),
    }
}

fn range(addr: u64, len: u64, there: usize) -> Option<std::ops::Range<usize>> {
    let base = if addr >= STACK { STACK } else { HEAP };
    let start = usize::try_from(addr.checked_sub(base)?).ok()?;
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    (end <= there).then_some(start..end)
}

fn wild(addr: u64, len: u64) -> Trap {
    Trap::new(format!("there are no {len} bytes at {addr:#x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accesses_outside_of_the_regions_are_caught() {
        let mut memory = Memory::new(1024);
        let heap = memory.alloc(20).expect("there is room");
        let stack = memory.push(16).expect("there is room");
        assert_eq!((heap % 16, stack % 16), (0, 0));
        memory.store(heap + 24, 8, 7).expect("in the region");
        assert_eq!(memory.load(heap + 24, 8), Ok(7));
        for addr in [
            0,
            8,
            heap - 1,
            heap + 25,
            heap + 32,
            stack - 1,
            stack + 9,
            u64::MAX,
            u64::MAX - 7,
        ] {
            assert!(memory.load(addr, 8).is_err(), "{addr:#x}");
            assert!(memory.store(addr, 8, 1).is_err(), "{addr:#x}");
        }
        memory.pop(stack);
        assert!(memory.load(stack, 1).is_err());
        assert!(memory.alloc(1024).is_err() && memory.alloc(u64::MAX).is_err());
    }
}
