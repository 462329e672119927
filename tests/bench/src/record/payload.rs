//! What every writer stores: about 600 bytes of attempt and a signature that does not compress.

use std::fmt::Write as _;

/// One attempt of the floor: a row.
pub(crate) struct Payload {
    pub(crate) id: String,
    pub(crate) record: String,
    pub(crate) signature: Vec<u8>,
}

/// Bytes of the floor's record.
const RECORD_BYTES: usize = 600;
impl Payload {
    /// `count` payloads, all different, with signatures of `ink_bytes`.
    pub(crate) fn make(count: usize, ink_bytes: usize) -> Vec<Self> {
        let mut rng = Rng(0x5EED);
        (0..count)
            .map(|n| {
                let id = format!("{:016x}{:016x}", rng.next(), rng.next());
                let mut record = format!(
                    "{{\"id\":\"{id}\",\"seq\":{n},\"outcome\":\"failed\",\
                     \"reason\":\"RECIPIENT_ABSENT\",\"lat\":37.539297,\"lng\":121.391382,\"note\":\""
                );
                while record.len() + 18 < RECORD_BYTES {
                    // Writing to a String cannot fail.
                    let _ = write!(record, "{:016x}", rng.next());
                }
                record.push_str("\"}");
                let signature = std::iter::repeat_with(|| rng.next().to_le_bytes())
                    .flatten()
                    .take(ink_bytes)
                    .collect();
                Self {
                    id,
                    record,
                    signature,
                }
            })
            .collect()
    }
}

/// `SplitMix64`: every run stores the same.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`.
    pub(crate) fn below(&mut self, bound: u16) -> u16 {
        u16::try_from(self.next() % u64::from(bound)).unwrap_or(0)
    }
}

/// What a courier types: 40 to 80 characters of words, as in the peers' load (sync notes §5).
pub(crate) fn note(rng: &mut Rng) -> String {
    const WORDS: &str = "parcel left with neighbour at number door bell no answer second try safe place behind \
        the gate customer asked to come back after six reception desk floor lift broken dog in yard call before";
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let most = 40 + usize::from(rng.below(40));
    let mut note = String::new();
    while let Some(word) = words.get(usize::from(rng.below(words.len() as u16))) {
        if note.len() + word.len() + 1 > most {
            break;
        }
        note.push_str(word);
        note.push(' ');
    }
    note
}
