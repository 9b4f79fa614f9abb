//! What is printed: one line per thing that happened, written at once.

use std::io::Write;

use crate::client::frames::Event;
use crate::client::rest::Message;

/// Standard output, line by line.
pub(super) struct Screen;

impl Screen {
    pub(super) fn new() -> Screen {
        Screen
    }

    /// Prints a line about the room.
    pub(super) fn line(&self, text: &str) {
        let mut output = std::io::stdout().lock();
        // Whoever reads our output may have gone; the messages that are still to be sent matter more.
        let _ = writeln!(output, "{text}").and_then(|()| output.flush());
    }

    /// Prints a line about the client itself.
    pub(super) fn notice(&self, text: &str) {
        self.line(&format!("* {text}"));
    }
}

/// A message of the history.
pub(super) fn message(message: &Message, name: &str) -> String {
    let number = message.seq;
    if message.is_deleted() {
        return format!("#{number} {name}: (deleted)");
    }
    let edited = if message.edited_at.is_some() { " (edited)" } else { "" };
    format!("#{number} {name}: {}{edited}", tame(message.body.as_deref().unwrap_or_default()))
}

/// An event. `name` is who did it, `subject` whom it is about, when that is somebody else.
pub(super) fn event(event: &Event, name: &str, subject: Option<&str>) -> String {
    let number = event.seq;
    let target = event.target.unwrap_or_default();
    let what = match event.kind.as_str() {
        "message" => return format!("#{number} {name}: {}", tame(event.body.as_deref().unwrap_or_default())),
        "edit" => format!("edited #{target}: {}", tame(event.body.as_deref().unwrap_or_default())),
        "delete" => format!("deleted #{target}"),
        "reaction" => {
            let emoji = tame(event.emoji.as_deref().unwrap_or_default());
            match event.remove {
                Some(true) => format!("took {emoji} back from #{target}"),
                _ => format!("reacted {emoji} to #{target}"),
            }
        }
        "member" => membership(event, subject),
        "room" => room(event),
        other => format!("({})", tame(other)),
    };
    format!("#{number} {name} {what}")
}

fn membership(event: &Event, subject: Option<&str>) -> String {
    let role = tame(event.role.as_deref().unwrap_or("member"));
    match (event.change.as_deref().unwrap_or_default(), subject) {
        ("joined", None) => "joined".to_owned(),
        ("joined", Some(who)) => format!("added {who}"),
        ("left", _) => "left".to_owned(),
        ("role", None) => format!("is now {role}"),
        ("role", Some(who)) => format!("made {who} {role}"),
        (change, None) => tame(change),
        (change, Some(who)) => format!("{} {who}", tame(change)),
    }
}

fn room(event: &Event) -> String {
    match event.change.as_deref().unwrap_or_default() {
        "created" => "created the room".to_owned(),
        "deleted" => "deleted the room".to_owned(),
        "announcement" => format!("announces: {}", tame(event.text.as_deref().unwrap_or_default())),
        _ => match (&event.name, &event.topic) {
            (Some(name), _) => format!("named the room {}", tame(name)),
            (None, Some(topic)) => format!("set the topic: {}", tame(topic)),
            (None, None) => "changed the room".to_owned(),
        },
    }
}

/// Makes somebody else's text harmless to a terminal: no control characters, nothing that changes the direction of
/// the line, and one line.
pub(super) fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => tamed.push_str(" ⏎ "),
            '\t' => tamed.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
                tamed.push('\u{fffd}');
            }
            control if control.is_control() => tamed.push('\u{fffd}'),
            other => tamed.push(other),
        }
    }
    tamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: serde_json::Value) -> Event {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_message_cannot_drive_the_terminal() {
        assert_eq!(tame("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb ⏎ c\u{fffd}d");
    }

    #[test]
    fn every_kind_of_event_is_one_line() {
        let said = of(serde_json::json!({"seq": 3, "kind": "message", "body": "hello"}));
        assert_eq!(event(&said, "alice", None), "#3 alice: hello");
        let edited = of(serde_json::json!({"seq": 4, "kind": "edit", "target": 3, "body": "hello!"}));
        assert_eq!(event(&edited, "alice", None), "#4 alice edited #3: hello!");
        let deleted = of(serde_json::json!({"seq": 5, "kind": "delete", "target": 3}));
        assert_eq!(event(&deleted, "alice", None), "#5 alice deleted #3");
        let added = of(serde_json::json!({"seq": 6, "kind": "member", "change": "joined"}));
        assert_eq!(event(&added, "alice", Some("bob")), "#6 alice added bob");
        assert_eq!(event(&added, "bob", None), "#6 bob joined");
        let unknown = of(serde_json::json!({"seq": 7, "kind": "new"}));
        assert_eq!(event(&unknown, "alice", None), "#7 alice (new)");
    }
}
