//! What a file is, by its first bytes and never by what anybody says of it.

use rookery_core::media::MediaKind;

/// Bytes from the beginning of a file that are looked at.
pub(super) const HEAD: usize = 64 * 1_024;
/// The type of what is only there to be saved.
pub(super) const BYTES: &str = "application/octet-stream";

/// Types that a browser may show from here. None of them can hold a script.
const SHOWN: [&str; 15] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/webm",
    "audio/wav",
    "audio/flac",
    "audio/aac",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "video/ogg",
];

/// How the brands begin of what is sound or film in an MP4, and no picture.
const BRANDS: [&[u8]; 7] = [b"iso", b"mp4", b"M4A ", b"M4V ", b"dash", b"avc1", b"cmf"];

/// A picture that can be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picture {
    Jpeg,
    Png,
    Gif,
    Webp,
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    Picture(Picture),
    Audio(&'static str),
    Video(&'static str),
    /// Anything else, with its type for people.
    Other(&'static str),
}

/// Whether a browser may show this type.
pub(super) fn is_shown(media_type: &str) -> bool {
    SHOWN.contains(&media_type)
}

/// Looks at the first bytes of a file; `whole`: there are no others.
pub(super) fn look(head: &[u8], whole: bool) -> Looks {
    if head.starts_with(b"\x1a\x45\xdf\xa3") {
        return matroska(head);
    }
    if let Some(brand) = head.get(4..12).and_then(|words| words.strip_prefix(b"ftyp"))
        && BRANDS.iter().any(|known| brand.starts_with(known))
    {
        return mp4(head, if brand == b"M4A " { "audio/m4a" } else { "video/mp4" });
    }
    let Some(known) = infer::get(head) else {
        return Looks::Other(if is_text(head, whole) { "text/plain" } else { BYTES });
    };
    match known.mime_type() {
        "image/jpeg" => Looks::Picture(Picture::Jpeg),
        "image/png" => Looks::Picture(Picture::Png),
        "image/gif" => Looks::Picture(Picture::Gif),
        "image/webp" => Looks::Picture(Picture::Webp),
        "video/mp4" | "video/x-m4v" | "video/quicktime" | "audio/m4a" => mp4(head, known.mime_type()),
        "audio/ogg" | "audio/opus" | "video/ogg" => ogg(head),
        "audio/mpeg" => Looks::Audio("audio/mpeg"),
        "audio/x-wav" => Looks::Audio("audio/wav"),
        "audio/x-flac" => Looks::Audio("audio/flac"),
        "audio/aac" => Looks::Audio("audio/aac"),
        other => match known.matcher_type() {
            infer::MatcherType::Audio => Looks::Audio(other),
            infer::MatcherType::Video => Looks::Video(other),
            // A page or a script is a text to be saved.
            infer::MatcherType::Text => Looks::Other("text/plain"),
            // Pictures of other kinds are not decoded here, so nobody knows what else is in them.
            infer::MatcherType::Image => Looks::Other(BYTES),
            _ => Looks::Other(other),
        },
    }
}

/// The kind of a file that is no picture.
pub(super) fn kind_of(looks: Looks, voice: bool) -> (MediaKind, &'static str) {
    match looks {
        Looks::Audio(media_type) if voice => (MediaKind::Voice, media_type),
        Looks::Audio(media_type) => (MediaKind::Audio, media_type),
        Looks::Video(media_type) => (MediaKind::Video, media_type),
        Looks::Other(media_type) => (MediaKind::File, media_type),
        Looks::Picture(_) => (MediaKind::File, BYTES),
    }
}

fn holds(head: &[u8], word: &[u8]) -> bool {
    head.windows(word.len()).any(|window| window == word)
}

/// The names of the codecs stand in the list of tracks, which comes first.
fn matroska(head: &[u8]) -> Looks {
    let sound = [&b"A_OPUS"[..], b"A_VORBIS", b"A_AAC", b"A_FLAC"].iter().any(|codec| holds(head, codec));
    let films = [&b"V_VP8"[..], b"V_VP9", b"V_AV1", b"V_MPEG", b"V_MS"].iter().any(|codec| holds(head, codec));
    let webm = holds(&head[..head.len().min(64)], b"webm");
    match (sound && !films, webm) {
        (true, _) => Looks::Audio("audio/webm"),
        (false, true) => Looks::Video("video/webm"),
        (false, false) => Looks::Video("video/x-matroska"),
    }
}

/// What each track is stands in its `hdlr`, eight bytes behind that word.
fn mp4(head: &[u8], said: &'static str) -> Looks {
    let handlers = head.windows(16).filter(|window| window.starts_with(b"hdlr")).map(|window| &window[12..16]);
    let (mut sound, mut film) = (false, false);
    for handler in handlers {
        sound |= handler == b"soun";
        film |= handler == b"vide";
    }
    match said {
        _ if sound && !film => Looks::Audio("audio/mp4"),
        "audio/m4a" if !film => Looks::Audio("audio/mp4"),
        "video/quicktime" => Looks::Video("video/quicktime"),
        _ => Looks::Video("video/mp4"),
    }
}

fn ogg(head: &[u8]) -> Looks {
    if holds(head, b"theora") { Looks::Video("video/ogg") } else { Looks::Audio("audio/ogg") }
}

/// UTF-8 without controls other than those of lines and tabs.
fn is_text(head: &[u8], whole: bool) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The end of the head may stand within a letter.
        Err(error) if !whole && error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_claims_to_be_a_picture_is_what_it_is() {
        for (bytes, looks) in [
            (&b"<!DOCTYPE html><html><script>alert(1)</script>"[..], Looks::Other("text/plain")),
            (b"<?xml version=\"1.0\"?><svg onload=\"x()\"/>", Looks::Other("text/plain")),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>", Looks::Other("text/plain")),
            (b"%PDF-1.7 ", Looks::Other("application/pdf")),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Looks::Picture(Picture::Png)),
            (b"\0\x01\x02\x03", Looks::Other(BYTES)),
            (b"plain words", Looks::Other("text/plain")),
        ] {
            assert_eq!(look(bytes, true), looks, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn nothing_that_could_hold_a_script_is_shown() {
        for media_type in ["text/html", "text/plain", "image/svg+xml", "application/pdf", "text/xml", BYTES] {
            assert!(!is_shown(media_type), "{media_type}");
        }
    }

    #[test]
    fn sound_in_a_container_for_films_is_sound() {
        let webm = |codec: &str| [&b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm"[..], codec.as_bytes()].concat();
        assert_eq!(look(&webm("A_OPUS"), true), Looks::Audio("audio/webm"));
        assert_eq!(look(&webm("V_VP9 A_OPUS"), true), Looks::Video("video/webm"));
        let mp4 = |handler: &str| {
            [&b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x20hdlr\0\0\0\0\0\0\0\0"[..], handler.as_bytes()].concat()
        };
        assert_eq!(look(&mp4("soun"), true), Looks::Audio("audio/mp4"));
        assert_eq!(look(&mp4("vide"), true), Looks::Video("video/mp4"));
    }

    #[test]
    fn a_text_may_be_cut_within_a_letter() {
        let text = "Grüße".as_bytes();
        assert_eq!(look(&text[..3], false), Looks::Other("text/plain"));
        assert_eq!(look(&text[..3], true), Looks::Other(BYTES));
    }
}
