//! Reading messages: windows, what is visible, what they carry.

use rookery_core::{
    event::Content,
    ids::{Seq, UserId},
};

use super::fixture::{Awake, Stores};
use crate::store::log::Window;

const NOTHING: [Seq; 0] = [];

async fn seqs(awake: &Awake<'_>, window: Window, visible_from: Seq, limit: usize, viewer: UserId) -> Vec<Seq> {
    let page = awake.stores.log.messages(awake.room, window, visible_from, limit, viewer).await.unwrap();
    page.into_iter().map(|message| message.seq).collect()
}

pub(super) async fn windows_show_what_they_say(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    // The messages are 3 to 22.
    for n in 3..=22 {
        assert_eq!(room.say(ada, &n.to_string()).await, n);
    }
    assert_eq!(seqs(&room, Window::Newest, 1, 3, ada).await, [20, 21, 22]);
    assert_eq!(seqs(&room, Window::Before(6), 1, 10, ada).await, [3, 4, 5]);
    assert_eq!(seqs(&room, Window::Before(20), 1, 3, ada).await, [17, 18, 19]);
    assert_eq!(seqs(&room, Window::Before(1), 1, 3, ada).await, NOTHING);
    assert_eq!(seqs(&room, Window::After(19), 1, 10, ada).await, [20, 21, 22]);
    assert_eq!(seqs(&room, Window::After(0), 1, 2, ada).await, [3, 4]);
    assert_eq!(seqs(&room, Window::After(22), 1, 2, ada).await, NOTHING);
    assert_eq!(seqs(&room, Window::Around(10), 1, 4, ada).await, [8, 9, 10, 11]);
    assert_eq!(seqs(&room, Window::Around(3), 1, 4, ada).await, [3, 4, 5, 6]);
    assert_eq!(seqs(&room, Window::Around(22), 1, 4, ada).await, [20, 21, 22]);
    assert_eq!(seqs(&room, Window::Newest, 1, 200, ada).await.len(), 20);
    let message = stores.log.message(room.room, 7, ada).await.unwrap().unwrap();
    assert_eq!((message.seq, message.body.as_str(), message.from, message.room), (7, "7", ada, room.room));
    assert_eq!(stores.log.message(room.room, 23, ada).await, Ok(None));
    assert_eq!(stores.log.message(room.room, 1, ada).await, Ok(None), "not a message");
}

pub(super) async fn nothing_before_the_visible_part_is_shown(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    for n in 3..=12 {
        room.say(ada, &n.to_string()).await;
    }
    assert_eq!(seqs(&room, Window::Newest, 10, 50, ada).await, [10, 11, 12]);
    assert_eq!(seqs(&room, Window::Before(12), 10, 50, ada).await, [10, 11]);
    assert_eq!(seqs(&room, Window::After(0), 10, 50, ada).await, [10, 11, 12]);
    assert_eq!(seqs(&room, Window::Around(5), 10, 50, ada).await, [10, 11, 12]);
    assert_eq!(seqs(&room, Window::Newest, 13, 50, ada).await, NOTHING);
}

pub(super) async fn other_events_are_no_messages(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let first = room.say(ada, "first").await;
    room.write(ada, Content::Edit { target: first, body: "changed".to_owned() }).await;
    room.write(ada, Content::Reaction { target: first, emoji: "👍".to_owned(), remove: false }).await;
    let second = room.say(ada, "second").await;
    assert_eq!(seqs(&room, Window::Newest, 1, 2, ada).await, [first, second]);
    assert_eq!(seqs(&room, Window::After(first), 1, 1, ada).await, [second]);
}

pub(super) async fn messages_carry_replies_and_names(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    let first = room.say(ada, "who is there? \u{0} \"\\ 🐦").await;
    let content =
        Content::Message { body: "me".to_owned(), reply_to: Some(first), mentions: vec![ada], attachments: Vec::new() };
    let answer = room.write(bert, content).await;
    let page = stores.log.messages(room.room, Window::Newest, 1, 10, ada).await.unwrap();
    assert_eq!(page[0].body, "who is there? \u{0} \"\\ 🐦", "byte for byte");
    assert_eq!((page[0].reply_to, page[0].mentions.len(), page[0].deleted), (None, 0, false));
    assert_eq!((page[1].reply_to, &page[1].mentions), (Some(first), &vec![ada]));
    assert_eq!((page[1].client_id, page[1].at, page[1].edited_at), (answer.client_id, answer.at, None));
}
