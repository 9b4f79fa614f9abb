//! A room and everything around it: people who ask, and a store that answers when and how it likes.

use std::collections::VecDeque;

use super::{replay::State, *};

/// What somebody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Ack { seq: Seq, repeat: bool },
    Nack(Code, Option<&'static str>),
    Unchanged,
}

/// A write that somebody asked for, and what they were told.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) write: Write,
    /// How long the durable log was when it was asked.
    since: usize,
    pub(super) told: Vec<Told>,
}

pub(super) struct World {
    pub(super) room: Room,
    pub(super) kind: RoomKind,
    /// What is durable.
    pub(super) log: Vec<Event>,
    /// How much of the log everybody was shown.
    pub(super) shown: Seq,
    pub(super) asked: Vec<Asked>,
    pub(super) now: Millis,
    /// What else the room wanted, in order.
    pub(super) notes: Vec<Effect>,
    queued: VecDeque<Arc<Event>>,
    answers: Vec<Input>,
    looks: Vec<(u64, UserId, ClientId, Option<Seq>)>,
}

impl World {
    pub(super) fn new(kind: RoomKind, log: Vec<Event>, recent: usize) -> Self {
        Self::bounded(kind, log, recent, 100)
    }

    pub(super) fn bounded(kind: RoomKind, log: Vec<Event>, recent: usize, most_members: usize) -> Self {
        let room = Room::wake(State::after(kind, &log).snapshot(&log, recent), most_members);
        let shown = log.len() as Seq;
        Self {
            room,
            kind,
            log,
            shown,
            asked: Vec::new(),
            now: Millis(1_000),
            notes: Vec::new(),
            queued: VecDeque::new(),
            answers: Vec::new(),
            looks: Vec::new(),
        }
    }

    /// A private group with everybody in it, everything remembered.
    pub(super) fn group() -> Self {
        Self::new(RoomKind::Group, beginning(Visibility::Private), RECENT)
    }

    pub(super) fn head(&self) -> Seq {
        self.log.len() as Seq
    }

    /// Somebody writes something new who has seen everything.
    pub(super) fn ask(&mut self, who: u8, intent: Intent) -> usize {
        let fresh = key(u32::try_from(self.asked.len()).unwrap());
        self.ask_as(who, fresh, self.head(), intent)
    }

    pub(super) fn ask_as(&mut self, who: u8, client_id: ClientId, seen: Seq, intent: Intent) -> usize {
        let number = self.asked.len();
        let write = Write {
            caller: Caller::Request(number as u64),
            user: user(who),
            authority: Authority::Member,
            client_id,
            seen,
            again: false,
            after: None,
            intent,
        };
        self.ask_write(write)
    }

    /// Asks with everything given but the caller.
    pub(super) fn ask_write(&mut self, write: Write) -> usize {
        let number = self.asked.len();
        let write = Write { caller: Caller::Request(number as u64), ..write };
        self.asked.push(Asked { write: write.clone(), since: self.log.len(), told: Vec::new() });
        self.step(Input::Write(write));
        number
    }

    /// Asks, lets the store take it, and says what the answer was.
    pub(super) fn told(&mut self, who: u8, intent: Intent) -> Told {
        let number = self.ask(who, intent);
        self.settle();
        self.answer_to(number)
    }

    pub(super) fn answer_to(&self, number: usize) -> Told {
        assert_eq!(self.asked[number].told.len(), 1, "answered once: {:?}", self.asked[number]);
        self.asked[number].told[0].clone()
    }

    pub(super) fn refusal(&mut self, who: u8, intent: Intent) -> Code {
        match self.told(who, intent) {
            Told::Nack(code, _) => code,
            other => panic!("was not refused: {other:?}"),
        }
    }

    pub(super) fn done(&mut self, who: u8, intent: Intent) -> Seq {
        match self.told(who, intent) {
            Told::Ack { seq, repeat: false } => seq,
            other => panic!("was not done: {other:?}"),
        }
    }

    pub(super) fn step(&mut self, input: Input) {
        let mut out = Vec::new();
        self.room.step(input, self.now, &mut out);
        out.into_iter().for_each(|effect| self.absorb(effect));
    }

    /// The store makes the first `count` of what waits durable; it tells so later, one by one or all together.
    pub(super) fn commit(&mut self, count: usize, together: bool) {
        let events: Vec<_> = self.queued.drain(..count.min(self.queued.len())).collect();
        let seqs: Vec<Seq> = events.iter().map(|event| event.seq).collect();
        self.log.extend(events.iter().map(|event| Event::clone(event)));
        match (together, seqs.first(), seqs.last()) {
            (true, Some(first), Some(last)) => self.answers.push(Input::Appended { seqs: *first..=*last }),
            _ => self.answers.extend(seqs.into_iter().map(|seq| Input::Appended { seqs: seq..=seq })),
        }
    }

    /// The store refuses all that waits.
    pub(super) fn fail(&mut self) {
        let failed = self.queued.drain(..).map(|event| Input::AppendFailed { seqs: event.seq..=event.seq });
        self.answers.extend(failed);
    }

    /// One of the store's answers arrives.
    pub(super) fn deliver(&mut self, which: usize) {
        if !self.answers.is_empty() {
            let input = self.answers.remove(which % self.answers.len());
            self.step(input);
        }
    }

    /// One of the questions is answered; what the store finds is what is durable now.
    pub(super) fn look(&mut self, which: usize, works: bool) {
        if self.looks.is_empty() {
            return;
        }
        let (ticket, sender, client_id, target) = self.looks.remove(which % self.looks.len());
        let state = State::after(self.kind, &self.log);
        let known = self.log.iter().find(|event| event.sender == sender && event.client_id == client_id);
        let known = known.map(|event| state.as_stored(event));
        let found = Looked {
            known: known.map(|event| Known { seq: event.seq, at: event.at, content: event.content }),
            target: target.and_then(|seq| state.target(seq)),
        };
        self.step(Input::Looked { ticket, found: works.then_some(found) });
    }

    pub(super) fn looks(&self) -> usize {
        self.looks.len()
    }

    /// The store takes everything and answers everything, until nothing is left to do.
    pub(super) fn settle(&mut self) {
        while !(self.queued.is_empty() && self.answers.is_empty() && self.looks.is_empty()) {
            self.look(0, true);
            self.commit(usize::MAX, true);
            self.deliver(0);
        }
        assert!(self.room.is_idle(), "nothing is left to do, and the room still waits");
    }

    fn absorb(&mut self, effect: Effect) {
        match effect {
            Effect::Append(event) => {
                // A store takes nothing that would leave a hole.
                if event.seq == self.head() + self.queued.len() as Seq + 1 {
                    self.queued.push_back(event);
                } else {
                    self.answers.push(Input::AppendFailed { seqs: event.seq..=event.seq });
                }
            }
            Effect::Look { ticket, sender, client_id, target } => self.looks.push((ticket, sender, client_id, target)),
            Effect::Ack { caller, client_id, seq, repeat, .. } => {
                let write = self.tell(&caller, Told::Ack { seq, repeat });
                assert_eq!(write.client_id, client_id);
                let event =
                    self.log.get(usize::try_from(seq).unwrap() - 1).expect("acknowledged before it was durable");
                assert_eq!((event.sender, event.client_id), (write.user, write.client_id), "another write's number");
            }
            Effect::Nack { caller, client_id, refusal, .. } => {
                let write = self.tell(&caller, Told::Nack(refusal.code, refusal.field));
                assert_eq!(Some(write.client_id), client_id);
            }
            Effect::Unchanged { caller, .. } => {
                let write = self.tell(&caller, Told::Unchanged);
                let since = self.asked[number_of(&caller)].since;
                let was_so = |end| State::after(self.kind, &self.log[..end]).is_so_already(&write.intent);
                assert!((since..=self.log.len()).any(was_so), "told that it was so, and it never was: {write:?}");
            }
            Effect::FanOut(events) => {
                for logged in &events {
                    self.shown += 1;
                    let durable = &self.log[usize::try_from(self.shown).unwrap() - 1];
                    assert_eq!(&*logged.event, durable, "shown in order, and only what is durable");
                }
                assert!(!events.is_empty());
            }
            other => self.notes.push(other),
        }
    }

    fn tell(&mut self, caller: &Caller, told: Told) -> Write {
        let asked = &mut self.asked[number_of(caller)];
        asked.told.push(told);
        asked.write.clone()
    }
}

fn number_of(caller: &Caller) -> usize {
    let Caller::Request(number) = caller else { panic!("nobody like that asked") };
    usize::try_from(*number).unwrap()
}
