//! One of each thing that nodes say to each other, with a name: what the golden file holds the bytes of.

use bytes::Bytes;
use rookery::cluster::wire::{
    Answer, Blob, Call, Envelope, FanOut, Id, Moved, RegistryNote, Reply, RoomInput, Unmarked,
    attached::{Attached, Described, MediaKind},
    call::{Admission, Ask, Connected, Link, Pulse, RoomState, Told},
    intent::{Authority, ChangeKind, Intent, Refusal, Role, RoomChange, Visibility, Write},
    registry::{Notify, Registration, RoomKind, RoomView, UserNote},
    room::{Ack, ReturnAddress},
};

pub(in crate::cluster) fn id(byte: u8) -> Id {
    Id([byte; 16])
}

fn blob(text: &'static str) -> Blob {
    Blob(Bytes::from_static(text.as_bytes()))
}

fn text(text: &str) -> String {
    text.to_owned()
}

const ROOM: u8 = 0x11;
const USER: u8 = 0x22;
const SESSION: u8 = 0x33;
const CLIENT: u8 = 0x44;
const DEVICE: u8 = 0x55;

fn back(echo: Option<&str>) -> ReturnAddress {
    ReturnAddress { node: text("n2"), hub: 3, session: id(SESSION), id: echo.map(text) }
}

fn write(intent: Intent) -> Write {
    Write {
        user: id(USER),
        authority: Authority::Member,
        client_id: id(CLIENT),
        seen: 70_000,
        again: true,
        after: Some(id(CLIENT)),
        intent,
    }
}

fn registration() -> Registration {
    Registration {
        user: id(USER),
        device: id(DEVICE),
        session: id(SESSION),
        hub: 1,
        node: text("n2"),
        incarnation: 1_795_575_346_256,
    }
}

/// Every sample, by name.
pub(super) fn all() -> Vec<(&'static str, Envelope)> {
    [to_room(), from_room(), registry(), asks(), answers()].concat()
}

fn post_with() -> Intent {
    let picture = Described {
        kind: MediaKind::Picture,
        name: text("nest.jpg"),
        media_type: text("image/jpeg"),
        size: 70_000,
        width: Some(640),
        height: Some(480),
        blurhash: Some(text("LEHV6nWB")),
        thumbnail: true,
        duration_ms: None,
        waveform: vec![],
    };
    let voice = Described {
        kind: MediaKind::Voice,
        width: None,
        height: None,
        blurhash: None,
        thumbnail: false,
        duration_ms: Some(2_500),
        waveform: vec![0, 50, 100],
        ..picture.clone()
    };
    let attached = |n, described| Attached { id: id(n), described };
    let attachments = vec![attached(0x77, Some(picture)), attached(0x78, Some(voice)), attached(0x79, None)];
    Intent::PostWith { body: String::new(), reply_to: Some(7), mentions: vec![id(USER)], attachments }
}

fn intents() -> Vec<(&'static str, Intent)> {
    let change = RoomChange {
        change: ChangeKind::Changed,
        name: Some(text("Nest")),
        topic: Some(String::new()),
        visibility: Some(Visibility::Public),
        archived: Some(false),
        text: None,
    };
    vec![
        ("post", Intent::Post { body: text("häh?"), reply_to: Some(7), mentions: vec![id(USER), id(0x66)] }),
        ("edit", Intent::Edit { target: 300, body: text("well") }),
        ("delete", Intent::Delete { target: 250 }),
        ("react", Intent::React { target: 251, emoji: text("🐦"), remove: true }),
        ("put", Intent::Put { user: id(USER), role: Some(Role::Admin), muted_until: Some(Some(1_795_575_346_256)) }),
        ("put-unmute", Intent::Put { user: id(USER), role: None, muted_until: Some(None) }),
        ("remove", Intent::Remove { user: id(USER), ban: true }),
        ("unban", Intent::Unban { user: id(USER) }),
        ("change", Intent::Change(change)),
        ("announce", Intent::Announce { text: text("quiet") }),
        ("end", Intent::End),
        ("post-with", post_with()),
    ]
}

fn to_room() -> Vec<(&'static str, Envelope)> {
    let room = |what| Envelope::ToRoom { room: id(ROOM), what };
    let mut samples: Vec<_> = intents()
        .into_iter()
        .map(|(name, intent)| (name, room(RoomInput::Write { to: back(Some("17")), write: write(intent) })))
        .collect();
    let mark = RoomInput::Mark { to: back(None), user: id(USER), read: Some(66_000), delivered: None };
    samples.extend([
        ("mark", room(mark)),
        ("typing-to-room", room(RoomInput::Typing { user: id(USER), on: true })),
        ("blocked", room(RoomInput::Blocked { by: id(USER), on: false })),
        ("interest", Envelope::Interest { room: id(ROOM), on: true }),
        ("holding", Envelope::Holding { shards: vec![(7, 70_000), (1_023, 1)] }),
        ("let-go", Envelope::LetGo { shard: 700 }),
    ]);
    samples
}

fn from_room() -> Vec<(&'static str, Envelope)> {
    let answer = Answer {
        room: id(ROOM),
        hub: 3,
        session: id(SESSION),
        client_id: Some(id(CLIENT)),
        refused: true,
        frame: blob("{nack}"),
    };
    let moved = Moved { room: id(ROOM), hub: 3, session: id(SESSION), client_id: id(CLIENT) };
    let ack = Ack { hub: 2, session: id(SESSION), client_id: id(CLIENT), seq: 41, frame: blob("{ack}") };
    let fan_out = FanOut {
        room: id(ROOM),
        first: 41,
        last: 42,
        joined: blob("{one}{two}"),
        ends: vec![5, 10],
        removed: vec![(42, id(USER))],
        acks: vec![ack],
    };
    vec![
        ("answer", Envelope::Answer(answer)),
        ("moved", Envelope::Moved(moved)),
        ("unmarked", Envelope::Unmarked(Unmarked { room: id(ROOM), hub: 3, session: id(SESSION) })),
        ("restarted", Envelope::Restarted { room: id(ROOM) }),
        ("fan-out", Envelope::FanOut(fan_out)),
        ("head", Envelope::Head { room: id(ROOM), head: 5_000_000_000 }),
        ("passing", Envelope::Passing { room: id(ROOM), frame: blob("{marks}") }),
        ("typing", Envelope::Typing { room: id(ROOM), user: id(USER), frame: blob("{typing}") }),
    ]
}

fn registry() -> Vec<(&'static str, Envelope)> {
    let view = RoomView {
        room: id(ROOM),
        kind: RoomKind::Channel,
        name: text("Nest"),
        role: Role::Owner,
        head: 9,
        read: 8,
        delivered: 9,
        unread: 1,
        notify: Notify::Mentions,
        visible_from: 1,
    };
    let (user, session, reason) = (id(USER), id(SESSION), || text("revoked"));
    let notes = vec![
        ("present", RegistryNote::Present(registration())),
        ("unregister", RegistryNote::Unregister { user, session, incarnation: 1_795_575_346_256 }),
        ("active", RegistryNote::Active { user, session }),
        ("to-user", RegistryNote::ToUser { user, note: UserNote::Appeared(view) }),
        ("to-user-vanished", RegistryNote::ToUser { user, note: UserNote::Vanished(id(ROOM)) }),
        ("to-user-frame", RegistryNote::ToUser { user, note: UserNote::Frame(blob("{marks}")) }),
        ("deliver", RegistryNote::Deliver { user, note: UserNote::Frame(blob("{marks}")) }),
        (
            "close-devices",
            RegistryNote::CloseDevices { user, devices: vec![id(DEVICE)], code: 4_003, reason: reason() },
        ),
        ("close", RegistryNote::Close { hub: 1, session, code: 4_010, reason: reason() }),
        ("watch", RegistryNote::Watch { user, hub: 1, session }),
        ("unwatch", RegistryNote::Unwatch { user, hub: 1 }),
        ("spread", RegistryNote::Spread { user, nodes: 3 }),
        ("presence", RegistryNote::Presence { user, only: Some((1, session)), frame: blob("{presence}") }),
    ];
    notes.into_iter().map(|(name, note)| (name, Envelope::Registry(note))).collect()
}

fn asks() -> Vec<(&'static str, Envelope)> {
    let (room, user) = (id(ROOM), id(USER));
    let post = write(Intent::Post { body: text("hi"), reply_to: None, mentions: vec![] });
    let asks = vec![
        ("ask-write", Ask::Write { room, write: post, request_id: text("r-1") }),
        ("ask-mark", Ask::Mark { room, user, read: None, delivered: Some(4) }),
        ("ask-pull", Ask::Pull { room, user, after: 400 }),
        ("ask-outcome", Ask::Outcome { room, sender: user, client_id: id(CLIENT) }),
        ("ask-room-state", Ask::RoomState { room }),
        ("ask-release-room", Ask::ReleaseRoom { room }),
        ("ask-digest", Ask::Digest { room }),
        ("ask-register", Ask::Register(registration())),
        ("ask-sessions", Ask::Sessions { user: Some(user) }),
        ("ask-close-session", Ask::CloseSession { session: id(SESSION) }),
        ("ask-pulse", Ask::Pulse),
        ("ask-head", Ask::Head { room }),
        ("ask-shards", Ask::Shards),
        ("ask-links", Ask::Links),
        ("ask-drain", Ask::Drain { on: true }),
        ("ask-keep", Ask::Keep { shard: 1_023, order: Some(3) }),
        ("ask-keep-no-more", Ask::Keep { shard: 7, order: None }),
        ("ask-hand-over", Ask::HandOver { shard: 1_023 }),
    ];
    asks.into_iter().map(|(name, ask)| (name, Envelope::Call(Call { id: 900, deadline_ms: 5_000, ask }))).collect()
}

fn answers() -> Vec<(&'static str, Envelope)> {
    let refusal = Refusal {
        code: text("busy"),
        detail: text("too much waits"),
        field: Some(text("body")),
        retry_after_ms: Some(200),
    };
    let state = RoomState { awake: true, epoch: Some(13), queue: 5, interest: 2, quarantined: false };
    let connected = Connected {
        session: id(SESSION),
        user: id(USER),
        device: id(DEVICE),
        since: 1_000,
        client: Some(text("chat")),
    };
    let pulse = Pulse {
        sessions: 70_000,
        rooms_awake: 300,
        sends_per_1000_seconds: 1_500,
        quarantined: vec![id(ROOM)],
        shards: 341,
    };
    let link = Link { to: text("n3"), waiting: 2, waiting_bytes: 300, shed: 1 };
    let told = vec![
        ("told-written", Told::Written { seq: 41, at: 1_795_575_346_256, repeat: true }),
        ("told-unchanged", Told::Unchanged),
        ("told-absent", Told::Absent),
        ("told-refused", Told::Refused(refusal)),
        ("told-unknown", Told::Unknown),
        ("told-moved", Told::Moved),
        ("told-marks", Told::Marks { read: 6, delivered: 7 }),
        ("told-pulled", Told::Pulled { events: vec![(6, blob("{six}")), (7, blob("{seven}"))], head: 7 }),
        ("told-room-state", Told::RoomState(state)),
        ("told-digest", Told::Digest { epoch: Some(13), head: 7, hash: [0xfe; 32] }),
        ("told-admission", Told::Admission(Admission::TooMany)),
        ("told-sessions", Told::Sessions(vec![connected])),
        ("told-pulse", Told::Pulse(pulse)),
        ("told-done", Told::Done),
        ("told-not-here", Told::NotHere),
        ("told-head", Told::Head { head: 66_000 }),
        ("told-shards", Told::Shards(vec![(7, 13), (1_023, 1)])),
        ("told-links", Told::Links(vec![link])),
    ];
    told.into_iter().map(|(name, told)| (name, Envelope::Reply(Reply { id: 900, told }))).collect()
}
