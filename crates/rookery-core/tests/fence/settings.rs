//! What a search explores: how many claims and messages, what may happen, and what the store or its users do wrong.

use rookery_core::fence::Bounds;

/// Claims that a search can have.
pub(crate) const CLAIMS: usize = 4;
/// Numbers that a row can have: 1 to this.
pub(crate) const PLACES: usize = 4;

/// How the room of an owner can be woken again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    Never,
    /// At any time, under the next stamp of the same epoch.
    NextStamp,
    /// At any time after the same owner has claimed the next epoch.
    NextEpoch,
    /// At any time, under the same stamp; only a machine with a bug takes it.
    #[cfg(feature = "bugs")]
    SameStamp,
}

/// Who reads history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Up to a committed head at QUORUM; what that could give is looked at in every state.
    UpToHead,
    /// Up to a committed head, from one replica.
    UpToHeadAtOne,
    /// Whatever a quorum has.
    Unbounded,
    /// The same, and what it found is written to the two that it asked.
    UnboundedRepairing,
}

/// What the surroundings of the machine do wrong: each is a promise of the store, or a duty of who drives the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// A range delete is collected while an older write is on its way.
    CutCollected,
    /// The shard's row is read at ONE.
    VerifyAtOne,
    /// The tail is read before the claim.
    TailBeforeClaim,
    /// The tail is read at ONE.
    TailAtOne,
    /// An insert counts once it is on one replica.
    AppendAtOne,
    /// A claim counts once it is decided, wherever it has been learnt.
    ClaimLearntAtOne,
    /// The room does not look for an id in the tail that it was woken with.
    NoDedupe,
}

/// One search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Owners; each claim is one. One that is paused or crashed is one that takes no further step.
    pub(crate) claims: usize,
    /// Different messages; anybody sends any of them to any owner at any time, again and again.
    pub(crate) messages: u8,
    /// The second message takes back the first.
    pub(crate) deletes: bool,
    /// Appends under way.
    pub(crate) in_flight: usize,
    /// The read of the shard's row takes no time. That is when it sees least and tells earliest: the hardest case.
    pub(crate) instant: bool,
    /// Answers get lost, and the machine is told so.
    pub(crate) losses: bool,
    /// Claims are decided and not answered, or never decided, and the owner goes on from there.
    pub(crate) unanswered: bool,
    pub(crate) again: Again,
    pub(crate) reader: Reader,
    /// The published head is used; without, everything is read and written again from the beginning.
    pub(crate) heads: bool,
    /// Somebody asks an owner, once, what only an owner can deny.
    pub(crate) questions: bool,
    /// Each message is sent once.
    pub(crate) once: bool,
    pub(crate) fault: Fault,
    /// Of two values with one timestamp the smaller wins. Stores take the larger; which that is, is chance.
    pub(crate) smaller_wins: bool,
    /// Arrival is a step of its own instead of being chosen when somebody looks.
    pub(crate) arrivals: bool,
    /// What the machine leaves out.
    #[cfg(feature = "bugs")]
    pub(crate) bug: Option<rookery_core::fence::Bug>,
}

/// The algorithm with three claims and two messages.
pub(crate) const PLAIN: Settings = Settings {
    claims: 3,
    messages: 2,
    deletes: false,
    in_flight: 2,
    instant: false,
    losses: false,
    unanswered: false,
    again: Again::Never,
    reader: Reader::UpToHead,
    heads: false,
    questions: false,
    once: false,
    fault: Fault::None,
    smaller_wins: false,
    arrivals: false,
    #[cfg(feature = "bugs")]
    bug: None,
};

impl Settings {
    /// Partitions of two rows, so that what is in flight can lie over a border.
    pub(crate) const fn bounds(&self) -> Bounds {
        Bounds { in_flight: self.in_flight, bucket: 2, head_every: 1 }
    }

    pub(crate) fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}
