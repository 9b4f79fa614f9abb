//! Sealed datagrams: AES-256-GCM under a key of the sender's own start, derived from the cluster's.
//!
//! `version, salt (16), counter (8), part (1), ciphertext and tag`. Every start of a node draws a salt and derives its key
//! from it, and counts its datagrams: the counter is the nonce. So no nonce is ever used twice, which 12 random bytes under
//! one key could not promise: a hundred nodes send 2^32 datagrams in weeks.
//!
//! A datagram that is sent again by somebody else changes nothing: gossip is a state in which every value has a version
//! that only grows, and a heartbeat counts only if it is higher than the last. A window over the counters refuses such
//! datagrams nevertheless, so that nobody is made to answer them. A receiver that has just started has seen no counters
//! yet; recorded heartbeats of a dead node could then make it look alive for as long as they last. That costs time, as
//! dropping datagrams would, and nothing else: who may commit is decided in the store.

use std::collections::{HashMap, VecDeque};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::cluster::credentials::{
    BadSecret, Secret,
    secret::{derive, random},
};

const VERSION: u8 = 1;
/// Version, salt, counter, part.
const HEAD: usize = 1 + 16 + 8 + 1;
const TAG: usize = 16;
/// What one datagram can carry over IPv4.
pub(super) const DATAGRAM: usize = 65_507;
/// What fits into one sealed datagram. chitchat fills a whole datagram if it must; the rest goes into a second one.
const PLAIN: usize = DATAGRAM - HEAD - TAG;
/// Senders that are remembered: live nodes, and some that were. The longest unheard is forgotten.
const SENDERS: usize = 1_024;

/// The whole of what was sealed.
const WHOLE: u8 = 0;
/// The first of two parts.
const FIRST: u8 = 1;
/// The second; its counter is the next.
const SECOND: u8 = 2;

/// Why a datagram is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsealed {
    /// Not of this cluster, or changed on the way.
    Foreign,
    /// Seen before, or too late to tell.
    Again,
}

impl Unsealed {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Foreign => "foreign",
            Self::Again => "again",
        }
    }
}

/// Seals what this node sends.
pub(super) struct Sealer {
    salt: [u8; 16],
    key: LessSafeKey,
    counter: u64,
}

impl Sealer {
    pub(super) fn new(secret: &Secret) -> Result<Self, BadSecret> {
        let salt = random()?;
        let key = key_of(&secret.derive("gossip"), &salt).ok_or(BadSecret::NoRandom)?;
        Ok(Self { salt, key, counter: 0 })
    }

    /// One datagram, or two.
    pub(super) fn seal(&mut self, plain: &[u8]) -> Vec<Vec<u8>> {
        match plain.split_at_checked(PLAIN) {
            Some((first, second)) if !second.is_empty() => {
                [self.seal_part(FIRST, first), self.seal_part(SECOND, second)].into_iter().flatten().collect()
            }
            _ => self.seal_part(WHOLE, plain).into_iter().collect(),
        }
    }

    fn seal_part(&mut self, part: u8, plain: &[u8]) -> Option<Vec<u8>> {
        self.counter += 1;
        let mut datagram = Vec::with_capacity(HEAD + plain.len() + TAG);
        datagram.push(VERSION);
        datagram.extend_from_slice(&self.salt);
        datagram.extend_from_slice(&self.counter.to_le_bytes());
        datagram.push(part);
        let mut body = plain.to_vec();
        let head = Aad::from(&datagram[..]);
        self.key.seal_in_place_append_tag(nonce(self.counter), head, &mut body).ok()?;
        datagram.append(&mut body);
        Some(datagram)
    }
}

/// A sender: its key, which counters were seen, and the first part of something.
struct Sender {
    key: LessSafeKey,
    highest: u64,
    /// The 64 counters up to the highest, one bit each.
    seen: u64,
    first: Option<(u64, Vec<u8>)>,
}

/// Opens what other nodes sealed.
pub(super) struct Opener {
    root: [u8; 32],
    senders: HashMap<[u8; 16], Sender>,
    /// Salts in the order in which they came.
    order: VecDeque<[u8; 16]>,
}

impl Opener {
    pub(super) fn new(secret: &Secret) -> Self {
        Self { root: secret.derive("gossip"), senders: HashMap::new(), order: VecDeque::new() }
    }

    /// What was sealed; `None`: its other part is still to come.
    pub(super) fn open(&mut self, datagram: &[u8]) -> Result<Option<Vec<u8>>, Unsealed> {
        let (head, body) = datagram.split_at_checked(HEAD).ok_or(Unsealed::Foreign)?;
        let [VERSION, rest @ .., part] = head else { return Err(Unsealed::Foreign) };
        let (salt, counter) = rest.split_first_chunk::<16>().ok_or(Unsealed::Foreign)?;
        let counter = u64::from_le_bytes(counter.try_into().map_err(|_| Unsealed::Foreign)?);
        // A key for a salt that nobody of the cluster drew is not kept: such datagrams cost time and no memory.
        if !self.senders.contains_key(salt) {
            let key = key_of(&self.root, salt).ok_or(Unsealed::Foreign)?;
            let plain = open_with(&key, counter, head, body)?;
            return Ok(self.meet(*salt, key).take(counter, *part, plain));
        }
        let Some(sender) = self.senders.get_mut(salt) else { return Err(Unsealed::Foreign) };
        let plain = open_with(&sender.key, counter, head, body)?;
        if !sender.is_new(counter) {
            return Err(Unsealed::Again);
        }
        Ok(sender.take(counter, *part, plain))
    }

    fn meet(&mut self, salt: [u8; 16], key: LessSafeKey) -> &mut Sender {
        if self.order.len() >= SENDERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.senders.remove(&oldest);
        }
        self.order.push_back(salt);
        self.senders.entry(salt).or_insert(Sender { key, highest: 0, seen: 0, first: None })
    }
}

impl Sender {
    fn is_new(&self, counter: u64) -> bool {
        match self.highest.checked_sub(counter) {
            None => true,
            Some(behind) => behind < 64 && self.seen & (1 << behind) == 0,
        }
    }

    fn take(&mut self, counter: u64, part: u8, plain: Vec<u8>) -> Option<Vec<u8>> {
        match counter.checked_sub(self.highest) {
            Some(ahead) => {
                self.seen = if ahead < 64 { self.seen << ahead | 1 } else { 1 };
                self.highest = counter;
            }
            None => self.seen |= 1 << (self.highest - counter),
        }
        match part {
            WHOLE => Some(plain),
            FIRST => {
                self.first = Some((counter, plain));
                None
            }
            SECOND => {
                let (at, mut first) = self.first.take()?;
                (at.checked_add(1) == Some(counter)).then(|| {
                    first.extend_from_slice(&plain);
                    first
                })
            }
            _ => None,
        }
    }
}

fn open_with(key: &LessSafeKey, counter: u64, head: &[u8], body: &[u8]) -> Result<Vec<u8>, Unsealed> {
    let mut body = body.to_vec();
    let opened = key.open_in_place(nonce(counter), Aad::from(head), &mut body).map_err(|_| Unsealed::Foreign)?;
    let length = opened.len();
    body.truncate(length);
    Ok(body)
}

fn key_of(root: &[u8; 32], salt: &[u8; 16]) -> Option<LessSafeKey> {
    let key = derive(root, &[b"datagrams of one start", salt]);
    UnboundKey::new(&AES_256_GCM, &key).ok().map(LessSafeKey::new)
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(mut datagrams: Vec<Vec<u8>>) -> Vec<u8> {
        assert_eq!(datagrams.len(), 1);
        datagrams.remove(0)
    }

    #[test]
    fn what_was_sealed_is_opened_once_and_hides_what_it_says() {
        let secret = Secret::generate("birds").unwrap();
        let (mut sealer, mut opener) = (Sealer::new(&secret).unwrap(), Opener::new(&secret));
        let plain = b"a node is alive".to_vec();
        let datagram = one(sealer.seal(&plain));
        assert!(!datagram.windows(plain.len()).any(|part| part == plain));
        assert_eq!(opener.open(&datagram), Ok(Some(plain.clone())));
        assert_eq!(opener.open(&datagram), Err(Unsealed::Again));
        assert_ne!(one(sealer.seal(&plain))[HEAD..], datagram[HEAD..], "the same never looks the same");
    }

    #[test]
    fn another_cluster_another_sender_and_every_changed_bit_are_foreign() {
        let (secret, other) = (Secret::generate("birds").unwrap(), Secret::generate("birds").unwrap());
        let mut sealer = Sealer::new(&secret).unwrap();
        let datagram = one(sealer.seal(b"a node is alive"));
        assert_eq!(Opener::new(&other).open(&datagram), Err(Unsealed::Foreign));
        let mut opener = Opener::new(&secret);
        for bit in 0..datagram.len() * 8 {
            let mut changed = datagram.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opener.open(&changed), Err(Unsealed::Foreign), "bit {bit}");
        }
        for length in 0..datagram.len() {
            assert_eq!(opener.open(&datagram[..length]), Err(Unsealed::Foreign), "{length} bytes");
        }
        assert!(opener.senders.is_empty(), "nobody is remembered for what is foreign");
        assert!(opener.open(&datagram).is_ok());
    }

    #[test]
    fn datagrams_may_overtake_each_other_a_little() {
        let secret = Secret::generate("birds").unwrap();
        let (mut sealer, mut opener) = (Sealer::new(&secret).unwrap(), Opener::new(&secret));
        let datagrams: Vec<_> = (0..100_u8).map(|n| one(sealer.seal(&[n]))).collect();
        for n in [1_usize, 0, 50, 3, 99] {
            assert_eq!(opener.open(&datagrams[n]), Ok(Some(vec![u8::try_from(n).unwrap()])), "{n}");
        }
        for n in [99, 50, 3, 0, 4, 35] {
            assert_eq!(opener.open(&datagrams[n]), Err(Unsealed::Again), "{n}");
        }
        assert_eq!(opener.open(&datagrams[36]), Ok(Some(vec![36])));
    }

    #[test]
    fn what_fills_a_datagram_goes_in_two() {
        let secret = Secret::generate("birds").unwrap();
        let (mut sealer, mut opener) = (Sealer::new(&secret).unwrap(), Opener::new(&secret));
        let plain: Vec<u8> = (0..DATAGRAM).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let parts = sealer.seal(&plain);
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.len() <= DATAGRAM));
        assert_eq!(opener.open(&parts[0]), Ok(None));
        assert_eq!(opener.open(&parts[1]), Ok(Some(plain.clone())));
        let (lost, kept) = (sealer.seal(&plain), sealer.seal(&plain));
        assert_eq!(opener.open(&lost[0]), Ok(None));
        assert_eq!(opener.open(&kept[1]), Ok(None), "halves of two do not make one");
    }

    #[test]
    fn only_so_many_senders_are_remembered() {
        let secret = Secret::generate("birds").unwrap();
        let mut opener = Opener::new(&secret);
        for _ in 0..SENDERS + 10 {
            let datagram = one(Sealer::new(&secret).unwrap().seal(b"here"));
            assert!(opener.open(&datagram).is_ok());
        }
        assert_eq!((opener.senders.len(), opener.order.len()), (SENDERS, SENDERS));
    }
}
