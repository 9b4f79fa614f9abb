//! What is typed: lines from standard input, and the commands among them.

use std::io::{BufRead, Read};

use tokio::sync::mpsc;

/// Far above what a message may have, so that the server's own limit is what a user meets.
const LONGEST_LINE: u64 = 1024 * 1024;
const LINES_AHEAD: usize = 64;

/// A line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end.
    Text(String),
    /// A line that cannot be sent, and why.
    Unusable(&'static str),
}

/// Lines from standard input.
pub(super) struct Typed {
    lines: mpsc::Receiver<Line>,
}

impl Typed {
    /// Starts reading. The thread is left alone when the program ends: a read of a terminal cannot be interrupted.
    pub(super) fn open() -> Typed {
        let (sender, lines) = mpsc::channel(LINES_AHEAD);
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            while let Some(line) = next_line(&mut input) {
                if sender.blocking_send(line).is_err() {
                    break;
                }
            }
        });
        Typed { lines }
    }

    /// The next line; `None` at the end of the input.
    pub(super) async fn next(&mut self) -> Option<Line> {
        self.lines.recv().await
    }
}

fn next_line(input: &mut impl BufRead) -> Option<Line> {
    let mut bytes = Vec::new();
    match input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes) {
        Ok(0) | Err(_) => return None,
        Ok(_) => {}
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 == LONGEST_LINE {
        skip_line(input);
        return Some(Line::Unusable("the line is too long"));
    }
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    Some(String::from_utf8(bytes).map_or(Line::Unusable("the line is not UTF-8"), Line::Text))
}

fn skip_line(input: &mut impl BufRead) {
    loop {
        let (length, end) = match input.fill_buf() {
            Ok([]) | Err(_) => return,
            Ok(buffer) => match buffer.iter().position(|byte| *byte == b'\n') {
                Some(position) => (position + 1, true),
                None => (buffer.len(), false),
            },
        };
        input.consume(length);
        if end {
            return;
        }
    }
}

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    Say(String),
    Help,
    Who,
    Read,
    Quit,
    Invite(String),
    Unknown(String),
}

/// What a line asks for.
pub(super) fn wish(line: String) -> Wish {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return Wish::Nothing;
    }
    if let Some(escaped) = line.strip_prefix("//") {
        return Wish::Say(format!("/{escaped}"));
    }
    if !line.starts_with('/') {
        return Wish::Say(line);
    }
    match trimmed.split_once(' ').map_or((trimmed, ""), |(command, rest)| (command, rest.trim())) {
        ("/help", "") => Wish::Help,
        ("/who", "") => Wish::Who,
        ("/read", "") => Wish::Read,
        ("/quit", "") => Wish::Quit,
        ("/invite", handle) if !handle.is_empty() => Wish::Invite(handle.trim_start_matches('@').to_owned()),
        _ => Wish::Unknown(trimmed.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut input: &[u8]) -> Vec<Line> {
        std::iter::from_fn(|| next_line(&mut input)).collect()
    }

    #[test]
    fn lines_lose_their_ends_and_keep_their_spaces() {
        let expected = [" a b ", "", "last"].map(|text| Line::Text(text.to_owned()));
        assert_eq!(lines(b" a b \r\n\nlast"), expected);
    }

    #[test]
    fn what_cannot_be_sent_does_not_take_the_next_line_with_it() {
        let mut input = vec![b'x'; LONGEST_LINE as usize + 10];
        input.extend_from_slice(b"\n\xff\nfine\n");
        let read = lines(&input);
        assert_eq!(read.len(), 3);
        assert!(matches!(read[..], [Line::Unusable(_), Line::Unusable(_), Line::Text(_)]), "{:?}", read[2]);
    }

    #[test]
    fn slashes_are_commands_and_two_slashes_are_text() {
        assert_eq!(wish("/who ".into()), Wish::Who);
        assert_eq!(wish("/invite @bob".into()), Wish::Invite("bob".into()));
        assert_eq!(wish("//who".into()), Wish::Say("/who".into()));
        assert_eq!(wish("/dance".into()), Wish::Unknown("/dance".into()));
        assert_eq!(wish(" indented".into()), Wish::Say(" indented".into()));
        assert_eq!(wish("  ".into()), Wish::Nothing);
    }
}
