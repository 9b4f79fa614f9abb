//! Rules that can be left out, one at a time, by tests that want to see what each is good for.
//!
//! Without the feature `bugs` no rule can be left out, and the questions vanish when they are compiled.

/// A rule to leave out.
#[cfg_attr(not(feature = "bugs"), expect(unreachable_pub, reason = "tests name it only with the feature"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    /// The found log counts as committed without a look at the shard's row.
    NoWakeVerify,
    /// As before, but nothing is shown or acknowledged before the first look; posts are taken at once.
    LateWakeVerify,
    /// The found tail is not written again.
    NoRewrite,
    /// The found tail is written again with the timestamps that it was read with.
    RewriteKeepsTimestamps,
    /// Only the last row of the found tail is written again.
    RewriteLastRow,
    /// Nobody waits until the rewrite is on a quorum.
    RewriteNotAwaited,
    /// Late writes are not cut off.
    NoCut,
    /// Nobody waits until the cut is on a quorum.
    CutNotAwaited,
    /// The cut stops at the border of the last row's partition.
    CutOneBucket,
    /// The cut has the timestamp of the own rows.
    CutTooHigh,
    /// The shard's row is read when the post comes, not after the write.
    VerifyBefore,
    /// What is under way when the read starts counts as covered by it.
    VerifyConcurrent,
    /// A read that is under way already is good enough for who asks now.
    VerifyJoined,
    /// Commits without a look at the shard's row.
    NoVerify,
    /// The row need only name the node, whichever process and epoch.
    CompareNode,
    /// Epochs count as held without interruption whoever had the ones between.
    IgnoreInterruption,
    /// What has succeeded is committed although something before it has not.
    OutOfOrder,
    /// The log ends at the highest row, holes and all.
    KeepHoles,
    /// A claim without an answer counts.
    BelieveUnknown,
    /// A claim without an answer counts, and the row need only name the epoch, whoever has it.
    BelieveUnknownByEpoch,
    /// A stamp may be used twice.
    StampTwice,
    /// When somebody else has taken over, what was sent is said to have failed.
    RefuseWhenLost,
    /// A write that timed out is said to have failed.
    RefuseWhenTimedOut,
    /// A delete found at a wake is not carried out again.
    NoEraseAtWake,
    /// The head is published past a delete that is not carried out yet.
    HeadPassesErasure,
    /// The head is published past a delete once that is carried out, without a look at the shard's row since.
    HeadPassesUnverifiedErasure,
    /// Words are taken out with the timestamp of the own rows.
    EraseTooLow,
}

/// The rules that hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Rules {
    #[cfg(feature = "bugs")]
    pub(super) without: Option<Bug>,
}

impl Rules {
    #[cfg(not(feature = "bugs"))]
    pub(super) const fn lack(self, _bug: Bug) -> bool {
        false
    }

    #[cfg(feature = "bugs")]
    pub(super) fn lack(self, bug: Bug) -> bool {
        self.without == Some(bug)
    }
}
