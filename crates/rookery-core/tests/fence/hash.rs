//! Fingerprints of states, and the set of those that were seen.

use std::hash::Hasher;

/// A hash that mixes well and costs little; states are kept as 64 bits of it.
pub(crate) struct Mix(pub(crate) u64);

impl Mix {
    pub(crate) const fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xe703_7ed1_a0b4_28db);
        self.0 = (mixed ^ (mixed >> 29)).rotate_left(23).wrapping_add(0x8ebc_6af0_9c88_c6e3);
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word) ^ (chunk.len() as u64) << 56);
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.word(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.word(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.word(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.word(number.cast_unsigned() as u64);
    }
}

/// Fingerprints that were seen, in a table that doubles.
pub(crate) struct Seen {
    slots: Vec<u64>,
    pub(crate) count: usize,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self { slots: vec![0; 1 << 16], count: 0 }
    }

    /// Whether it is new.
    pub(crate) fn insert(&mut self, fingerprint: u64) -> bool {
        if self.count * 8 > self.slots.len() * 7 {
            let old = std::mem::take(&mut self.slots);
            self.slots = vec![0; old.len() * 2];
            for fingerprint in old.into_iter().filter(|fingerprint| *fingerprint != 0) {
                let at = self.place(fingerprint);
                self.slots[at] = fingerprint;
            }
        }
        // 0 stands for an empty slot.
        let fingerprint = fingerprint.max(1);
        let at = self.place(fingerprint);
        if self.slots[at] == fingerprint {
            return false;
        }
        self.slots[at] = fingerprint;
        self.count += 1;
        true
    }

    fn place(&self, fingerprint: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (fingerprint.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize & mask;
        while self.slots[at] != 0 && self.slots[at] != fingerprint {
            at = (at + 1) & mask;
        }
        at
    }
}
