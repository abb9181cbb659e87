//! A 128-bit hash for fingerprints and checksums: FNV-1a with a final mix.
//!
//! Each step (xor a byte, multiply by an odd prime) is a bijection of the state, so two inputs
//! of one length that differ in one byte never collide, and a single flipped byte of a log is
//! always found. Accidental collisions of others are as likely as for any 128-bit function with
//! good mixing: about n² / 2^129 among n traces. It is no defence against a forger, and nothing
//! here needs one.

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// A running hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hasher(u128);

impl Default for Hasher {
    fn default() -> Hasher {
        Hasher(OFFSET)
    }
}

impl Hasher {
    /// A hash of nothing yet.
    pub fn new() -> Hasher {
        Hasher::default()
    }

    /// Takes these bytes in.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }

    /// Takes a number in, little end first.
    pub fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// The hash: the state, mixed so that each bit of it depends on all. The mix is a bijection
    /// (xor-shifts and odd factors), so it adds no collision.
    pub fn finish(&self) -> u128 {
        let mut x = self.0;
        x = (x ^ (x >> 67)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        x = (x ^ (x >> 59)).wrapping_mul(0xc2b2_ae3d_27d4_eb4f_1656_67b1_9e37_79f9);
        x ^ (x >> 64)
    }
}

/// The hash of these bytes.
pub fn hash(bytes: &[u8]) -> u128 {
    let mut hasher = Hasher::new();
    hasher.bytes(bytes);
    hasher.finish()
}

/// The number by which events refer to a text, which itself stands in a table of the observer.
pub fn text_number(text: &str) -> u64 {
    hash(text.as_bytes()) as u64
}
