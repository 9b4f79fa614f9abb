//! Files that messages carry: how they are described, in which parts they come, and who may use them for what.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::{
    event::{Role, RoomKind},
    frame::{Code, Refusal},
    ids::{MediaId, RoomId, UserId},
    permission::{self, Action},
    text,
    time::Millis,
};

/// Bytes of each part of a file but the last.
pub const PART_BYTES: u64 = 4 << 20;
/// Bytes of a file's name.
pub const NAME_BYTES: usize = 255;
/// Numbers of a waveform.
pub const WAVEFORM: usize = 128;
/// The largest of them.
pub const LOUDEST: u8 = 100;
/// Milliseconds of the longest voice message: a day.
pub const LONGEST_MS: u32 = 86_400_000;

/// What a file is, by what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture that is shown, made anew by the server and so without a word about where it was taken.
    Picture,
    /// Somebody's voice, recorded to be sent.
    Voice,
    /// Sound.
    Audio,
    /// A film.
    Video,
    /// Anything else: to be saved, never shown.
    File,
}

/// A file as the messages that carry it describe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Attachment {
    /// Which.
    pub id: MediaId,
    /// What it is.
    pub kind: MediaKind,
    /// What its sender calls it; for people's eyes.
    pub name: String,
    /// Its type by what is in it.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its bytes.
    pub size: u64,
    /// `picture`: its width in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// `picture`: its height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// `picture`: a few colours to show until it is there (BlurHash).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blurhash: Option<String>,
    /// There is a small picture of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub thumbnail: bool,
    /// `voice`: how long it is, as its sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// `voice`: how loud it is from its beginning to its end, 0 to 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waveform: Vec<u8>,
}

/// A file never changes once it can be attached, so its id says all.
impl Hash for Attachment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// A file that a write attaches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attached {
    /// Which.
    pub id: MediaId,
    /// As it is described; `None`: not looked for, or nothing that this user can attach here.
    pub described: Option<Attachment>,
}

impl Attached {
    /// One that nobody has looked for yet.
    #[must_use]
    pub const fn named(id: MediaId) -> Self {
        Self { id, described: None }
    }

    /// Enough of it to tell one write from another.
    #[must_use]
    pub fn into_print(self) -> Attachment {
        let (name, media_type) = (String::new(), String::new());
        let bare = Attachment {
            id: self.id,
            kind: MediaKind::File,
            name,
            media_type,
            size: 0,
            width: None,
            height: None,
            blurhash: None,
            thumbnail: false,
            duration_ms: None,
            waveform: Vec::new(),
        };
        self.described.unwrap_or(bare)
    }
}

/// What is known of a file that somebody wants to attach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The room that it was uploaded to.
    pub room: RoomId,
    /// Who did.
    pub uploader: UserId,
    /// As it is described; `None` until it is ready.
    pub described: Option<Attachment>,
}

/// The file for a message of this user in this room, if it may carry it.
#[must_use]
pub fn attach(id: MediaId, found: Option<Found>, room: RoomId, user: UserId) -> Attached {
    let usable = found.filter(|found| found.room == room && found.uploader == user);
    Attached { id, described: usable.and_then(|found| found.described) }
}

/// The files that a message carries.
///
/// # Errors
/// `bad_request` when one of them is not there, not ready, of another room or somebody else's.
pub fn carried(attachments: &[Attached]) -> Result<Vec<Attachment>, Refusal> {
    let described = attachments.iter().map(|attached| {
        attached.described.clone().ok_or_else(|| {
            let detail = format!("{} is not a file of yours that is ready in this room", attached.id);
            Refusal::field(Code::BadRequest, "attachments", detail)
        })
    });
    described.collect()
}

/// How somebody stands in a room that they want to upload to.
#[derive(Clone, Copy, Debug)]
pub struct Uploader {
    /// What sort of room.
    pub kind: RoomKind,
    /// Their role.
    pub role: Role,
    /// Whether it is closed for writing.
    pub archived: bool,
    /// Until when they may not write.
    pub muted_until: Option<Millis>,
    /// In a direct room: whether the other one blocks them.
    pub blocked: bool,
}

/// Whether somebody may upload to a room: who may write there. The room looks again when it is sent.
///
/// # Errors
/// Why not.
pub fn may_upload(uploader: Uploader, now: Millis) -> Result<(), Refusal> {
    permission::allows(uploader.kind, uploader.role, Action::Post)?;
    if uploader.archived {
        return Err(Refusal::new(Code::Archived, "the room is closed for writing"));
    }
    if uploader.blocked {
        return Err(Refusal::new(Code::Blocked, "they do not want to hear from you"));
    }
    match uploader.muted_until.map(|until| until.since(now)) {
        Some(left) if left > 0 => {
            Err(Refusal::new(Code::Muted, "you may not write here for now").after(left.unsigned_abs()))
        }
        _ => Ok(()),
    }
}

/// How many parts a file has: at least one, also when it is empty.
#[must_use]
pub fn parts(size: u64) -> u64 {
    size.div_ceil(PART_BYTES).max(1)
}

/// How many bytes part `number` of a file has, counted from 0; `None`: it has no such part.
#[must_use]
pub fn part_length(size: u64, number: u64) -> Option<u64> {
    let begin = number.checked_mul(PART_BYTES)?;
    (number < parts(size)).then(|| size.saturating_sub(begin).min(PART_BYTES))
}

/// Reads the name of a file. It is for people's eyes alone: no path, no address is made of it.
///
/// # Errors
/// `bad_request` for what is empty, longer than 255 bytes, has controls or directions in it, or names a folder.
pub fn name(given: &str) -> Result<String, Refusal> {
    let wrong = |detail: String| Err(Refusal::field(Code::BadRequest, "name", detail));
    if given.len() > NAME_BYTES {
        return wrong(format!("at most {NAME_BYTES} bytes"));
    }
    if let Some(c) = given.chars().find(|c| text::is_hidden(*c)) {
        return wrong(format!("must not hold U+{:04X}", u32::from(c)));
    }
    // What saves the file under its name must not be led elsewhere by it.
    if given.contains(['/', '\\']) {
        return wrong("must not name a folder".to_owned());
    }
    let name = given.trim();
    if name.trim_matches('.').is_empty() {
        return wrong("must show something".to_owned());
    }
    Ok(name.to_owned())
}

/// Holds what is said of a voice message to its range.
///
/// # Errors
/// `bad_request`.
pub fn voice(duration_ms: u32, waveform: &[u8]) -> Result<(), Refusal> {
    if duration_ms > LONGEST_MS {
        return Err(Refusal::field(Code::BadRequest, "voice/duration_ms", format!("at most {LONGEST_MS}")));
    }
    if waveform.len() > WAVEFORM {
        return Err(Refusal::field(Code::BadRequest, "voice/waveform", format!("at most {WAVEFORM} numbers")));
    }
    if waveform.iter().any(|loud| *loud > LOUDEST) {
        return Err(Refusal::field(Code::BadRequest, "voice/waveform", format!("numbers from 0 to {LOUDEST}")));
    }
    Ok(())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests;
