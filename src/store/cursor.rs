//! Cursors of lists: a place in one list as opaque text that cannot be taken for a place in another.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;

/// Bytes that hold a cursor to its list.
const CHECK: usize = 4;

/// The text for a place in the list of this name.
#[must_use]
pub fn encode(list: &str, place: &impl Serialize) -> String {
    // Serialising plain data into memory cannot fail.
    let mut bytes = serde_json::to_vec(place).unwrap_or_default();
    let check = checksum(list, &bytes);
    bytes.extend_from_slice(&check);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a text stands for; nothing for no text.
///
/// # Errors
/// `BadCursor` for what [`encode`] did not make for this list.
pub fn decode<T: DeserializeOwned>(list: &str, text: Option<&str>) -> Result<Option<T>, StoreError> {
    let Some(text) = text else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| StoreError::BadCursor)?;
    let split = bytes.len().checked_sub(CHECK).ok_or(StoreError::BadCursor)?;
    let (place, check) = bytes.split_at(split);
    if check != checksum(list, place) {
        return Err(StoreError::BadCursor);
    }
    serde_json::from_slice(place).map(Some).map_err(|_| StoreError::BadCursor)
}

/// FNV-1a: finds mistakes, not attacks; a made-up cursor only leads to another place of the same list.
fn checksum(list: &str, place: &[u8]) -> [u8; CHECK] {
    list.bytes()
        .chain([0])
        .chain(place.iter().copied())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_and_to_nothing_else() {
        let text = encode("users", &(1_u8, "ada"));
        assert_eq!(decode::<(u8, String)>("users", Some(&text)), Ok(Some((1, "ada".to_owned()))));
        assert_eq!(decode::<(u8, String)>("users", None), Ok(None));
        assert_eq!(decode::<(u8, String)>("rooms", Some(&text)), Err(StoreError::BadCursor));
        let last = if text.ends_with('A') { 'B' } else { 'A' };
        let changed = format!("{}{last}", &text[..text.len() - 1]);
        for other in ["", "1", "ä", "%", changed.as_str(), &text[1..]] {
            assert_eq!(decode::<(u8, String)>("users", Some(other)), Err(StoreError::BadCursor), "{other}");
        }
    }
}
