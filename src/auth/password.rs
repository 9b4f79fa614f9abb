//! What may be a password: long enough, not too long, and not the first that a guesser tries.

use rookery_core::frame::{Code, Refusal};

/// Bytes of the shortest one.
pub(super) const LEAST: usize = 8;
/// Bytes of the longest one; every one of them counts.
pub(super) const MOST: usize = 1_024;

/// The most common passwords of eight or more characters, one a line, lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// Holds a new password to the rules. There are none about its letters: length is what counts.
///
/// # Errors
/// `bad_request` that names `field`.
pub fn check(field: &'static str, password: &str) -> Result<(), Refusal> {
    let wrong = |detail: String| Err(Refusal::field(Code::BadRequest, field, detail));
    if password.len() < LEAST {
        return wrong(format!("at least {LEAST} bytes"));
    }
    if password.len() > MOST {
        return wrong(format!("at most {MOST} bytes"));
    }
    if is_common(password) {
        return wrong("one of the most common passwords".to_owned());
    }
    Ok(())
}

/// Common itself, or a common one with a few digits or marks behind it, or one character all along.
fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let mut characters = lower.chars();
    let first = characters.next();
    let monotone = characters.all(|c| Some(c) == first);
    monotone || COMMON.lines().any(|common| common == lower || (stem.len() >= LEAST && common == stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_to_1024_bytes_of_anything() {
        assert!(check("password", "seven-7").is_err());
        assert!(check("password", "eight-88").is_ok());
        assert!(check("password", &"k3y-".repeat(256)).is_ok());
        assert!(check("password", &format!("{}x", "k3y-".repeat(256))).is_err());
        assert!(check("password", "with spaces, nul \0 and пароль").is_ok());
    }

    #[test]
    fn the_most_common_ones_are_refused_however_they_are_written() {
        for password in ["password", "Password", "12345678", "PASSWORD1!", "aaaaaaaaaaaa", "qwertyuiop", "iloveyou2026"]
        {
            assert_eq!(check("new", password).unwrap_err().field, Some("new"), "{password}");
        }
    }

    #[test]
    fn the_list_is_lower_case_and_holds_nothing_that_is_too_short_anyway() {
        assert!(COMMON.lines().count() >= 300);
        assert!(COMMON.lines().all(|line| line.len() >= LEAST && line == line.to_lowercase()));
    }
}
