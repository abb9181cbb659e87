//! MD5 and SHA-256 of strings, as the library of the language has them: for checksums, not for
//! secrets.

use super::{Cx, text};
use crate::error::Res;
use crate::word::Value;

/// The message with its padding: one bit, zeros, the length in bits.
fn padded(bytes: &[u8], length: [u8; 8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.push(0x80);
    while out.len() % 64 != 56 {
        out.push(0);
    }
    out.extend_from_slice(&length);
    out
}

fn bits(bytes: &[u8]) -> u64 {
    (bytes.len() as u64).wrapping_mul(8)
}

fn hex(bytes: impl Iterator<Item = u8>) -> String {
    bytes.map(|b| format!("{b:02x}")).collect()
}

fn word(chunk: &[u8], at: usize) -> [u8; 4] {
    [
        chunk[at * 4],
        chunk[at * 4 + 1],
        chunk[at * 4 + 2],
        chunk[at * 4 + 3],
    ]
}

fn md5_of(bytes: &[u8]) -> String {
    const TURNS: [[u32; 4]; 4] = [
        [7, 12, 17, 22],
        [5, 9, 14, 20],
        [4, 11, 16, 23],
        [6, 10, 15, 21],
    ];
    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for chunk in padded(bytes, bits(bytes).to_le_bytes()).chunks_exact(64) {
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64usize {
            let (f, g) = match i / 16 {
                0 => (b & c | !b & d, i),
                1 => (d & b | !d & c, (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), 7 * i % 16),
            };
            let k = (((i + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a
                .wrapping_add(f)
                .wrapping_add(k)
                .wrapping_add(u32::from_le_bytes(word(chunk, g)));
            let turned = b.wrapping_add(sum.rotate_left(TURNS[i / 16][i % 4]));
            (a, d, c, b) = (d, c, b, turned);
        }
        for (s, v) in state.iter_mut().zip([a, b, c, d]) {
            *s = s.wrapping_add(v);
        }
    }
    hex(state.iter().flat_map(|s| s.to_le_bytes()))
}

/// The first 32 bits of the fractional part of a root of the first primes.
fn root_bits(prime: u64, cube: bool) -> u32 {
    // floor(root * 2^32) by bisection over integers: exact, no table to mistype.
    let (mut low, mut high) = (0u128, 1u128 << 40);
    while high - low > 1 {
        let middle = (low + high) / 2;
        let fits = if cube {
            // Below 2^40 cubed would overflow: compare by division.
            middle * middle <= (u128::from(prime) << 96) / middle.max(1)
        } else {
            middle * middle <= u128::from(prime) << 64
        };
        if fits { low = middle } else { high = middle }
    }
    low as u32
}

fn primes() -> impl Iterator<Item = u64> {
    (2u64..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

fn sha256_of(bytes: &[u8]) -> String {
    let keys: Vec<u32> = primes().take(64).map(|p| root_bits(p, true)).collect();
    let mut state = [0u32; 8];
    for (s, p) in state.iter_mut().zip(primes()) {
        *s = root_bits(p, false);
    }
    for chunk in padded(bytes, bits(bytes).to_be_bytes()).chunks_exact(64) {
        let mut w = [0u32; 64];
        for i in 0..64usize {
            w[i] = if i < 16 {
                u32::from_be_bytes(word(chunk, i))
            } else {
                let (x, y) = (w[i - 15], w[i - 2]);
                let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ x >> 3;
                let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ y >> 10;
                w[i - 16]
                    .wrapping_add(s0)
                    .wrapping_add(w[i - 7])
                    .wrapping_add(s1)
            };
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (k, w) in keys.iter().zip(w) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let first = h
                .wrapping_add(s1)
                .wrapping_add(e & f ^ !e & g)
                .wrapping_add(*k)
                .wrapping_add(w);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = s0.wrapping_add(a & b ^ a & c ^ b & c);
            (h, g, f, e) = (g, f, e, d.wrapping_add(first));
            (d, c, b, a) = (c, b, a, first.wrapping_add(second));
        }
        for (s, v) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *s = s.wrapping_add(v);
        }
    }
    hex(state.iter().flat_map(|s| s.to_be_bytes()))
}

fn hashed(cx: &Cx<'_>, args: &[Value], f: fn(&[u8]) -> String) -> Res {
    match text(args, 0) {
        Some(bytes) => cx.heap.string(f(bytes).as_bytes()),
        None => Ok(Value::NULL),
    }
}

pub(super) fn md5(cx: &Cx<'_>, args: &[Value]) -> Res {
    hashed(cx, args, md5_of)
}

pub(super) fn sha256(cx: &Cx<'_>, args: &[Value]) -> Res {
    hashed(cx, args, sha256_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_known_texts() {
        assert_eq!(md5_of(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5_of(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(md5_of(&[b'a'; 64]), "014842d480b571495a4a0363793f7367");
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_of(b""), empty);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of(b"abc"), abc);
        let long = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        let text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(sha256_of(text), long);
    }
}
