//! What a speaker said, what became of it, and what it heard meanwhile.

/// Something that was said.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Said {
    /// Its key, the same however often it was sent.
    pub(in crate::bench) client_id: String,
    /// When it was sent the first time.
    pub(in crate::bench) first: u64,
    /// When it was acknowledged, and under which number.
    pub(in crate::bench) acked: Option<(u64, u64)>,
}

/// The diary of one speaker in one room.
#[derive(Clone, Debug, Default)]
pub(in crate::bench) struct Diary {
    /// Which room, by its position.
    pub(in crate::bench) room: usize,
    /// In the order in which it was said.
    pub(in crate::bench) said: Vec<Said>,
    /// When something was refused, and with which code.
    pub(in crate::bench) refused: Vec<(u64, String)>,
    /// How often a connection was lost.
    pub(in crate::bench) lost_connections: u64,
    /// The last number that was heard.
    pub(in crate::bench) heard: u64,
    /// Events that were heard twice, and numbers that were left out.
    pub(in crate::bench) heard_twice: u64,
    pub(in crate::bench) not_heard: u64,
    /// How often a node said that it has less than was heard already.
    pub(in crate::bench) told_of_less: u64,
    /// What should not have happened, the first time.
    pub(in crate::bench) trouble: Option<String>,
}

impl Diary {
    /// Takes note of an event of the room.
    pub(super) fn hear(&mut self, seq: u64) {
        if seq <= self.heard {
            self.heard_twice += 1;
            return;
        }
        self.not_heard += seq - self.heard - 1;
        self.heard = seq;
    }

    /// Takes note of an ack; whether it is the first for what was said.
    pub(super) fn acked(&mut self, client_id: &str, seq: u64, at: u64) -> bool {
        let said = self.said.iter_mut().rev().find(|said| said.client_id == client_id);
        let Some(said) = said else { return false };
        match said.acked {
            None => {
                said.acked = Some((at, seq));
                true
            }
            Some((_, before)) => {
                if before != seq {
                    self.note(format!("{client_id} was acknowledged as {before} and as {seq}"));
                }
                false
            }
        }
    }

    pub(super) fn note(&mut self, trouble: String) {
        self.trouble.get_or_insert(trouble);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_twice_or_left_out_is_counted() {
        let mut diary = Diary { heard: 3, ..Diary::default() };
        for seq in [4, 5, 5, 8, 9, 2] {
            diary.hear(seq);
        }
        assert_eq!((diary.heard, diary.heard_twice, diary.not_heard), (9, 2, 2));
    }

    #[test]
    fn two_numbers_for_one_key_are_a_trouble() {
        let mut diary = Diary::default();
        diary.said.push(Said { client_id: "a".to_owned(), first: 1, acked: None });
        assert!(diary.acked("a", 7, 2) && !diary.acked("a", 7, 3) && !diary.acked("b", 8, 3));
        assert!(diary.trouble.is_none());
        assert!(!diary.acked("a", 8, 4));
        assert!(diary.trouble.unwrap().contains("as 7 and as 8"));
    }
}
