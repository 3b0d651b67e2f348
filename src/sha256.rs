//! SHA-256 (FIPS 180-4), for firmware images and their `SHA256SUMS`.

/// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4 §4.2.2).
const ROUND: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// First 32 bits of the fractional parts of the square roots of the first eight primes (FIPS 180-4 §5.3.3).
const START: [u32; 8] = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// The digest of all of `bytes`.
pub fn hash(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.finish()
}

/// Hashes what comes in pieces.
#[derive(Debug, Clone)]
pub struct Hasher {
    state: [u32; 8],
    /// The beginning of a block that is not complete.
    rest: [u8; 64],
    /// Number of all bytes so far.
    length: u64,
}

impl Default for Hasher {
    fn default() -> Hasher {
        Hasher { state: START, rest: [0; 64], length: 0 }
    }
}

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, mut bytes: &[u8]) {
        let held = self.held();
        self.length += bytes.len() as u64;
        if held > 0 {
            let (start, others) = bytes.split_at(bytes.len().min(64 - held));
            self.rest[held..held + start.len()].copy_from_slice(start);
            if held + start.len() < 64 {
                return;
            }
            mix_block(&mut self.state, &self.rest);
            bytes = others;
        }
        let (blocks, rest) = bytes.as_chunks::<64>();
        for block in blocks {
            mix_block(&mut self.state, block);
        }
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    /// The digest of all pieces together.
    pub fn finish(mut self) -> Digest {
        // Padding: 0x80, zeros, the length in bits; one block, or two where the length does not fit the first.
        let held = self.held();
        let mut tail = [0_u8; 128];
        tail[..held].copy_from_slice(&self.rest[..held]);
        tail[held] = 0x80;
        let length = if held < 56 { 64 } else { 128 };
        tail[length - 8..length].copy_from_slice(&(self.length * 8).to_be_bytes());
        for block in tail[..length].as_chunks::<64>().0 {
            mix_block(&mut self.state, block);
        }

        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }

    /// Bytes in `rest`.
    fn held(&self) -> usize {
        (self.length % 64) as usize
    }
}

fn mix_block(state: &mut [u32; 8], block: &[u8; 64]) {
    let mut schedule = [0_u32; 64];
    for (word, bytes) in schedule.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for i in 16..64 {
        let (far, near) = (schedule[i - 15], schedule[i - 2]);
        let small0 = far.rotate_right(7) ^ far.rotate_right(18) ^ (far >> 3);
        let small1 = near.rotate_right(17) ^ near.rotate_right(19) ^ (near >> 10);
        schedule[i] = schedule[i - 16].wrapping_add(small0).wrapping_add(schedule[i - 7]).wrapping_add(small1);
    }

    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, constant) in schedule.iter().zip(ROUND) {
        let big1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let first = h.wrapping_add(big1).wrapping_add(choice).wrapping_add(constant).wrapping_add(*word);
        let big0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(big0).wrapping_add(majority));
    }
    for (sum, word) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use super::hash;
    use crate::text::to_hex;

    /// Test vectors of NIST's example document, and lengths around the padding's turning points.
    #[test]
    fn digests_are_those_of_the_standard() {
        let million = vec![b'a'; 1_000_000];
        let cases: [(&[u8], &str); 7] = [
            (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (&million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
            (&million[..55], "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
            (&million[..56], "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
            (&million[..64], "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        ];
        for (input, digest) in cases {
            assert_eq!(to_hex(&hash(input)), digest, "{} bytes", input.len());
        }
    }
}
