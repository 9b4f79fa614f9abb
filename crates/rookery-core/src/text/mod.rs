//! What people may call themselves and their rooms. Message bodies are kept byte for byte and never come here.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_security::{GeneralSecurityProfile, MixedScript};
use unicode_segmentation::UnicodeSegmentation;

use crate::frame::{Code, Refusal};

/// Handles that would be taken for the system's own voice.
const RESERVED: [&str; 18] = [
    "admin",
    "administrator",
    "all",
    "channel",
    "everyone",
    "here",
    "me",
    "moderator",
    "null",
    "nobody",
    "operator",
    "owner",
    "root",
    "rookery",
    "staff",
    "support",
    "system",
    "undefined",
];

/// A handle in the form that is stored and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// NFKC and case folded.
    pub folded: String,
    /// What looks the same has the same skeleton (Unicode Technical Standard 39 §4); unique too.
    pub skeleton: String,
}

/// Reads a handle.
///
/// # Errors
/// `bad_request` for what is too short, too long, invisible, of mixed scripts, or reserved.
pub fn handle(text: &str) -> Result<Handle, Refusal> {
    let wrong = |detail: &str| Err(Refusal::field(Code::BadRequest, "handle", detail));
    if text.len() > 256 {
        return wrong("at most 32 characters");
    }
    let folded: String = text.nfkc().default_case_fold().nfkc().collect();
    let length = folded.chars().count();
    if !(2..=32).contains(&length) {
        return wrong("2 to 32 characters");
    }
    let named = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-') || is_mark(c);
    if !folded.chars().all(|c| named(c) && GeneralSecurityProfile::identifier_allowed(c) || matches!(c, '.' | '-')) {
        return wrong("only letters, digits, `_`, `.` and `-`");
    }
    if !folded.chars().any(char::is_alphanumeric) || folded.starts_with(['.', '-']) {
        return wrong("must begin with a letter, a digit or `_`, and hold a letter or digit");
    }
    if folded.chars().next().is_some_and(is_mark) {
        return wrong("must not begin with a combining mark");
    }
    if !folded.is_single_script() {
        return wrong("letters of scripts that look alike must not be mixed");
    }
    let skeleton: String = unicode_security::skeleton(&folded).collect();
    if RESERVED.iter().any(|reserved| *reserved == folded || unicode_security::skeleton(reserved).eq(skeleton.chars()))
    {
        return wrong("this handle is reserved");
    }
    Ok(Handle { folded, skeleton })
}

/// Reads a name for people's eyes: a display name, a room's name, a device's name.
///
/// # Errors
/// `bad_request` for what is empty, longer than 64 characters as people count them or 256 bytes, or has controls in it.
pub fn name(field: &'static str, text: &str) -> Result<String, Refusal> {
    let wrong = |detail: &str| Err(Refusal::field(Code::BadRequest, field, detail));
    let too_long = "at most 64 characters and 256 bytes";
    if text.len() > 1_024 {
        return wrong(too_long);
    }
    let clean: String = text.nfkc().collect();
    if clean.len() > 256 || clean.graphemes(true).count() > 64 {
        return wrong(too_long);
    }
    if clean.trim() != clean {
        return wrong("must not begin or end with a space");
    }
    if !clean.chars().any(|c| c.is_alphanumeric() || is_symbol(c)) {
        return wrong("must show something");
    }
    if let Some(c) = clean.chars().find(|c| is_hidden(*c)) {
        return wrong(&format!("must not hold U+{:04X}", u32::from(c)));
    }
    Ok(clean)
}

/// Reads a longer line for people's eyes: a topic, a few words about oneself. Empty is allowed.
///
/// # Errors
/// `bad_request` for more than 1,024 bytes, or controls other than a line break.
pub fn line(field: &'static str, text: &str) -> Result<String, Refusal> {
    if text.len() > 1_024 {
        return Err(Refusal::field(Code::BadRequest, field, "at most 1024 bytes"));
    }
    if let Some(c) = text.chars().find(|c| *c != '\n' && is_hidden(*c)) {
        return Err(Refusal::field(Code::BadRequest, field, format!("must not hold U+{:04X}", u32::from(c))));
    }
    Ok(text.to_owned())
}

/// Holds a reaction to being one emoji.
///
/// # Errors
/// `bad_request`.
pub fn emoji(text: &str) -> Result<(), Refusal> {
    let one = text.graphemes(true).count() == 1 && text.len() <= 32;
    if one && text.chars().any(|c| c.is_emoji_char() && !c.is_ascii_digit() && !matches!(c, '#' | '*')) {
        return Ok(());
    }
    let keycap = one && text.contains('\u{20E3}');
    if keycap { Ok(()) } else { Err(Refusal::field(Code::BadRequest, "emoji", "must be one emoji")) }
}

fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

fn is_symbol(c: char) -> bool {
    matches!(c.general_category_group(), GeneralCategoryGroup::Symbol | GeneralCategoryGroup::Punctuation)
}

/// Controls, bidirectional controls, invisible format characters, tags, surrogates, noncharacters. A zero-width joiner
/// stays: emoji and several scripts need it.
pub(crate) fn is_hidden(c: char) -> bool {
    match c {
        '\u{200D}' => false,
        '\u{E0000}'..='\u{E0FFF}' | '\u{FFFE}' | '\u{FFFF}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' => true,
        '\u{115F}' | '\u{1160}' => true,
        _ => c.general_category_group() == GeneralCategoryGroup::Other || (c.is_whitespace() && c != ' '),
    }
}

#[cfg(test)]
mod tests;
