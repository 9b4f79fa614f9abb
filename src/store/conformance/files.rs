//! Files: what a user may keep, who may read it, and with what it goes.

use rookery_core::{
    event::{Content, MemberChange, Role, RoomChange, RoomChangeKind},
    ids::{ClientId, MediaId, RoomId, Seq, UserId},
    media::{Attachment, MediaKind},
    time::Millis,
};
use uuid::Uuid;

use super::fixture::{Awake, Stores};
use crate::store::media::{Allowance, Begun, Discarded, Expiry, Made, MediaRecord, MediaState, Thumbnail, Voice};

const ENOUGH: Allowance = Allowance { bytes: 1_000_000, unfinished: 16 };
const SUM: [u8; 32] = [7; 32];

fn upload(room: RoomId, uploader: UserId, size: u64, at: Millis) -> MediaRecord {
    MediaRecord {
        id: MediaId(Uuid::now_v7()),
        room,
        uploader,
        name: "nest.jpg".to_owned(),
        size,
        sha256: None,
        voice: None,
        state: MediaState::Uploading,
        created_at: at,
        attached: false,
    }
}

fn made(size: u64) -> Made {
    Made::plain(MediaKind::File, "text/plain", size)
}

/// A file that can be attached.
async fn ready(stores: &Stores, room: RoomId, uploader: UserId) -> Attachment {
    let record = upload(room, uploader, 100, stores.now());
    let id = record.id;
    assert_eq!(stores.directory.begin_media(record, ENOUGH).await, Ok(Begun::Begun));
    assert_eq!(stores.directory.finish_media(id, SUM, Some(made(100)), stores.now()).await, Ok(true));
    stores.directory.media(id).await.unwrap().unwrap().described().unwrap()
}

async fn carry(room: &mut Awake<'_>, sender: UserId, attachments: &[&Attachment]) -> Seq {
    let attachments = attachments.iter().map(|attachment| (*attachment).clone()).collect();
    let content = Content::Message { body: String::new(), reply_to: None, mentions: Vec::new(), attachments };
    room.write(sender, content).await.seq
}

async fn take_back(room: &mut Awake<'_>, sender: UserId, target: Seq) {
    room.write(sender, Content::Delete { target, attachments: true }).await;
}

async fn reads(stores: &Stores, file: &Attachment, who: UserId) -> bool {
    stores.directory.media_for(file.id, who).await.unwrap().is_some()
}

async fn doomed(stores: &Stores) -> Vec<MediaId> {
    let mut doomed = stores.directory.doomed_media(100).await.unwrap();
    doomed.sort_unstable();
    doomed
}

pub(super) async fn what_a_user_keeps_is_counted(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let room = stores.group(&[ada, bert]).await;
    let allowance = Allowance { bytes: 1_000, unfinished: 2 };
    let begin = |who, size| stores.directory.begin_media(upload(room, who, size, stores.now()), allowance);
    assert_eq!(begin(ada, 1_001).await, Ok(Begun::Full(0)));
    let first = upload(room, ada, 600, stores.now());
    assert_eq!(stores.directory.begin_media(first.clone(), allowance).await, Ok(Begun::Begun));
    assert_eq!(begin(ada, 401).await, Ok(Begun::Full(600)));
    assert_eq!(begin(bert, 401).await, Ok(Begun::Begun), "each counts for themselves");
    assert_eq!(begin(ada, 1).await, Ok(Begun::Begun));
    assert_eq!(begin(ada, 1).await, Ok(Begun::Unfinished));
    // What is kept of it counts from now on.
    let small = Some(Thumbnail { media_type: "image/jpeg".to_owned(), size: 100 });
    let kept = Made { thumbnail: small, ..made(200) };
    assert_eq!(stores.directory.finish_media(first.id, SUM, Some(kept), stores.now()).await, Ok(true));
    assert_eq!(begin(ada, 700).await, Ok(Begun::Full(301)));
    assert_eq!(stores.directory.discard_media(first.id, ada).await, Ok(Discarded::Done));
    assert_eq!(begin(ada, 700).await, Ok(Begun::Begun), "what is doomed counts no more");
}

pub(super) async fn a_file_is_what_it_was_found_to_be(stores: &Stores) {
    let ada = stores.person("ada").await;
    let room = stores.group(&[ada]).await;
    let voice = Some(Voice { duration_ms: 2_500, waveform: vec![0, 100] });
    let record = MediaRecord { voice, sha256: Some(SUM), ..upload(room, ada, 100, stores.now()) };
    let id = record.id;
    assert_eq!(stores.directory.begin_media(record.clone(), ENOUGH).await, Ok(Begun::Begun));
    assert_eq!(stores.directory.media(id).await, Ok(Some(record.clone())));
    let heard = Made {
        anew: true,
        width: Some(3),
        height: Some(4),
        blurhash: Some("L".to_owned()),
        ..Made::plain(MediaKind::Voice, "audio/webm", 90)
    };
    assert_eq!(stores.directory.finish_media(id, [8; 32], Some(heard.clone()), stores.now()).await, Ok(true));
    let expected = MediaRecord { sha256: Some([8; 32]), state: MediaState::Ready(heard), ..record };
    assert_eq!(stores.directory.media(id).await, Ok(Some(expected)));
    assert_eq!(stores.directory.finish_media(id, SUM, None, stores.now()).await, Ok(false), "once");
    let other = upload(room, ada, 100, stores.now());
    stores.directory.begin_media(other.clone(), ENOUGH).await.unwrap();
    assert_eq!(stores.directory.finish_media(other.id, SUM, None, stores.now()).await, Ok(true));
    let refused = stores.directory.media(other.id).await.unwrap().unwrap();
    assert_eq!(refused.state, MediaState::Refused);
    let mut used = stores.directory.use_media(vec![id, other.id, MediaId(Uuid::nil())], stores.now()).await.unwrap();
    used.sort_unstable_by_key(|record| record.id);
    assert_eq!(used.iter().map(|record| record.id).collect::<Vec<_>>(), [id, other.id]);
    assert_eq!(stores.directory.media(MediaId(Uuid::nil())).await, Ok(None));
}

pub(super) async fn a_file_is_read_by_who_sees_a_message_that_carries_it(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let (late, stranger) = (stores.person("late").await, stores.person("stranger").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    let file = ready(stores, room.room, ada).await;
    assert!(
        reads(stores, &file, ada).await && !reads(stores, &file, bert).await,
        "the uploader, as long as it is loose"
    );
    carry(&mut room, ada, &[&file]).await;
    assert!(reads(stores, &file, ada).await && reads(stores, &file, bert).await);
    assert!(!reads(stores, &file, stranger).await);
    room.member(ada, late, MemberChange::Joined, None).await;
    assert!(!reads(stores, &file, late).await, "said before they came");
    carry(&mut room, ada, &[&file]).await;
    assert!(reads(stores, &file, late).await);
    room.member(ada, bert, MemberChange::Removed, None).await;
    assert!(!reads(stores, &file, bert).await);
    room.member(ada, bert, MemberChange::Joined, Some(Role::Owner)).await;
    room.member(ada, ada, MemberChange::Left, None).await;
    assert!(!reads(stores, &file, ada).await, "nor does the uploader, once out of the room");
    assert_eq!(stores.directory.discard_media(file.id, ada).await, Ok(Discarded::Attached));
    assert_eq!(stores.directory.discard_media(file.id, bert).await, Ok(Discarded::NotFound));
}

pub(super) async fn a_file_goes_with_the_last_message_that_carries_it(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let (twice, once) = (ready(stores, room.room, ada).await, ready(stores, room.room, ada).await);
    let first = carry(&mut room, ada, &[&twice, &once]).await;
    let second = carry(&mut room, ada, &[&twice]).await;
    take_back(&mut room, ada, first).await;
    assert_eq!(doomed(stores).await, [once.id]);
    assert!(reads(stores, &twice, ada).await && !reads(stores, &once, ada).await);
    assert_eq!(stores.directory.media(once.id).await, Ok(None));
    take_back(&mut room, ada, second).await;
    let mut both = vec![once.id, twice.id];
    both.sort_unstable();
    assert_eq!(doomed(stores).await, both);
    stores.directory.forget_media(vec![once.id]).await.unwrap();
    stores.directory.forget_media(vec![once.id]).await.unwrap();
    assert_eq!(doomed(stores).await, [twice.id]);
}

pub(super) async fn files_go_with_their_room_and_with_their_account(stores: &Stores) {
    let (ada, bert) = (stores.person("ada").await, stores.person("bert").await);
    let mut room = stores.awake(stores.group(&[ada, bert]).await).await;
    let other = stores.group(&[ada, bert]).await;
    let (here, loose) = (ready(stores, room.room, ada).await, ready(stores, room.room, bert).await);
    let (mine, theirs) = (ready(stores, other, ada).await, ready(stores, other, bert).await);
    carry(&mut room, ada, &[&here]).await;
    let end = RoomChange { change: RoomChangeKind::Deleted, ..RoomChange::default() };
    room.write(ada, Content::Room(end)).await;
    let mut gone = vec![here.id, loose.id];
    gone.sort_unstable();
    assert_eq!(doomed(stores).await, gone);
    stores.directory.erase_user(ada).await.unwrap();
    gone.push(mine.id);
    gone.sort_unstable();
    assert_eq!(doomed(stores).await, gone);
    assert!(reads(stores, &theirs, bert).await);
}

pub(super) async fn what_nobody_uses_goes_after_a_while(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let begun = upload(room.room, ada, 100, stores.now());
    stores.directory.begin_media(begun.clone(), ENOUGH).await.unwrap();
    let (loose, used) = (ready(stores, room.room, ada).await, ready(stores, room.room, ada).await);
    let carried = ready(stores, room.room, ada).await;
    carry(&mut room, ada, &[&carried]).await;
    let before = stores.now();
    stores.directory.use_media(vec![used.id], stores.now()).await.unwrap();
    let expiry = |begun_before, used_before| Expiry { begun_before, used_before };
    assert_eq!(stores.directory.expire_media(expiry(Millis(0), Millis(0))).await, Ok(0));
    assert_eq!(stores.directory.expire_media(expiry(begun.created_at, before)).await, Ok(1));
    assert_eq!(doomed(stores).await, [loose.id]);
    assert_eq!(stores.directory.expire_media(expiry(before, before)).await, Ok(1));
    assert_eq!(stores.directory.media(begun.id).await, Ok(None));
    let later = stores.now();
    assert_eq!(stores.directory.expire_media(expiry(later, later)).await, Ok(1));
    assert!(!reads(stores, &used, ada).await && reads(stores, &carried, ada).await);
    assert_eq!(stores.directory.use_media(vec![used.id], stores.now()).await, Ok(Vec::new()));
}

pub(super) async fn messages_show_what_they_carry(stores: &Stores) {
    let ada = stores.person("ada").await;
    let mut room = stores.awake(stores.group(&[ada]).await).await;
    let file = ready(stores, room.room, ada).await;
    let seq = carry(&mut room, ada, &[&file]).await;
    let message = stores.log.message(room.room, seq, ada).await.unwrap().unwrap();
    assert_eq!(message.attachments, std::slice::from_ref(&file));
    let looked = stores.log.look(room.room, ada, ClientId(Uuid::now_v7()), Some(seq)).await.unwrap();
    assert!(looked.target.unwrap().attachments);
    take_back(&mut room, ada, seq).await;
    let message = stores.log.message(room.room, seq, ada).await.unwrap().unwrap();
    assert_eq!((message.deleted, message.attachments), (true, Vec::new()));
    let log = format!("{:?}", stores.log.events(room.room, 0, 100).await.unwrap());
    assert!(!log.contains(&file.name), "{log}");
}
