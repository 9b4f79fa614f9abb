//! The stores go away and come back: PostgreSQL is restarted, and Cassandra stops answering for a minute.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    memory::Memory,
    services::Services,
    speaker::{Said, Speaker},
};
use crate::cluster::{
    stores::claimed,
    survive::{
        load::Load,
        nodes::{Cluster, turn, until},
    },
};
use crate::support::{client_id, person::Person};

/// How long the log's store is away.
const AWAY: Duration = Duration::from_secs(60);
/// What is sent until then may be on its way to a store of which nobody knows yet that it is away: it is unknown. What is
/// sent later is refused.
const NOTICED: Duration = Duration::from_secs(2);
/// And within this.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);
/// Everything is as usual again within this.
const NORMAL_WITHIN: Duration = Duration::from_secs(10);
/// What all messages of the room in the attic are; and how many a room remembers that has just woken.
const IN_THE_ATTIC: &str = "dust";
const REMEMBERED: usize = 256;
const AT_ONCE: usize = 50;
/// Between two new sends of somebody.
const PAUSE: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chats_go_on_while_postgres_restarts_and_after_the_logs_store_was_away() {
    let turn = turn().await;
    let services = Services::start(1).await;
    let (postgres, cql) = services.addresses().await;
    let cluster = Cluster::start_over(turn, postgres, cql, &["n1", "n2"]).await;
    let load = Load::on(&cluster).await;
    load.run.more_acks(50).await;
    postgres_restarts(&services, &load).await;
    let (archivist, attic) = attic(&cluster).await;
    let mut speakers = Speaker::on_each(&cluster, &load).await;
    let mut up_there = Speaker::at(archivist, Vec::new(), &load).await;
    let memory = Memory::watch(&cluster);
    services.signal_cassandra(1, "-STOP");
    let stopped = Instant::now();
    let unknown = join_all(speakers.iter_mut().map(|speaker| said_into_the_void(speaker, &load, stopped))).await;
    sleep(NOTICED.saturating_sub(stopped.elapsed())).await;
    let rooms = speakers.iter_mut().map(|speaker| new_sends_are_refused(speaker, &load, &load.run.rooms, stopped));
    let attics = std::slice::from_ref(&attic);
    join(join_all(rooms), new_sends_are_refused(&mut up_there, &load, attics, stopped)).await;
    memory.stays_flat();
    services.signal_cassandra(1, "-CONT");
    let back = Instant::now();
    is_normal_again(&cluster, &load, back).await;
    for (speaker, unknown) in speakers.iter_mut().zip(unknown) {
        settled(speaker, &load, unknown, back).await;
    }
    let bodies = up_there.person.bodies(&attic).await;
    assert!(bodies.iter().all(|body| body == IN_THE_ATTIC), "what was refused is not there: {bodies:?}");
    println!("refused: {:?}", load.refusals());
    load.judge(&cluster).await;
}

/// A room of which the log has more than its node remembers: whether something is new that comes without saying what its client
/// has seen, only the store knows.
async fn attic(cluster: &Cluster) -> (Person, String) {
    let person = cluster.servers()[0].person("archivist").await;
    let room = person.public_group("attic").await;
    let mut socket = person.online().await;
    for _ in 0..REMEMBERED / AT_ONCE + 1 {
        for _ in 0..AT_ONCE {
            let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": IN_THE_ATTIC});
            socket.send(frame).await;
        }
        for _ in 0..AT_ONCE {
            socket.next_of("ack").await;
        }
    }
    // Who has just woken it remembers the newest alone.
    let (shard, owner) = cluster.place(&room).await;
    let other = cluster.names().into_iter().find(|name| *name != owner).expect("another node");
    cluster.admin().post(&format!("/shards/{shard}/move"), json!({"to": other})).await.body(200);
    let session = cluster.stores.session().await;
    until("the room to live on the other node", || async {
        person.post(&room, IN_THE_ATTIC).await;
        let (holder, _) = claimed(&session, shard).await?;
        (holder.split('/').next() == Some(&*other)).then_some(())
    })
    .await;
    (person, room)
}

/// Members talk while there is no PostgreSQL; it knows what they said when it is back.
async fn postgres_restarts(services: &Services, load: &Load) {
    services.signal_postgres("-INT");
    let since = Instant::now();
    load.run.more_acks(100).await;
    println!("100 acks without PostgreSQL after {:.2?}", since.elapsed());
    services.up().await;
    load.run.more_acks(50).await;
}

/// Says something in every room before anybody can know that nobody keeps it. What was acked was on its way before the store
/// stopped; all else is returned.
async fn said_into_the_void(speaker: &mut Speaker, load: &Load, stopped: Instant) -> Vec<Said> {
    let mut said = Vec::new();
    for room in &load.run.rooms {
        for _ in 0..3 {
            said.push(speaker.say(load, room).await);
        }
    }
    assert!(stopped.elapsed() < Duration::from_secs(1), "it was said too late: {:?}", stopped.elapsed());
    said
}

/// Says something new every now and then until the store has been away for long enough: each is refused in time, for the
/// right reason, over a connection and over REST. That none of it ever appears is for the checker to see.
async fn new_sends_are_refused(speaker: &mut Speaker, load: &Load, rooms: &[String], stopped: Instant) {
    let (mut count, mut slowest) = (0, Duration::ZERO);
    for room in rooms.iter().cycle() {
        if stopped.elapsed() > AWAY {
            break;
        }
        let said = speaker.say(load, room).await;
        let answer = timeout(REFUSED_WITHIN, speaker.answer_to(&said)).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer to {said:?} after {REFUSED_WITHIN:?}"));
        let told = ["type", "code", "retry"].map(|name| answer[name].as_str().unwrap_or_default());
        assert_eq!(told, ["nack", "unavailable", "later"], "{answer}");
        slowest = slowest.max(said.at.elapsed());
        speaker.refused(load, &said, &answer);
        let (said, status, problem) = speaker.post(load, room, REFUSED_WITHIN).await;
        assert_eq!((status, problem["code"].as_str()), (503, Some("unavailable")), "{problem}");
        slowest = slowest.max(said.at.elapsed());
        speaker.refused(load, &said, &problem);
        count += 2;
        sleep(PAUSE).await;
    }
    println!("{count} new sends were refused, each within {slowest:.2?}");
}

/// Every node takes messages in every room, and everybody is answered.
async fn is_normal_again(cluster: &Cluster, load: &Load, back: Instant) {
    let servers = cluster.servers();
    let everywhere = servers.iter().flat_map(|server| load.run.rooms.iter().map(|room| load.writable(room, server)));
    join_all(everywhere).await;
    println!("every node takes messages in every room {:.2?} after the store came back", back.elapsed());
    assert!(back.elapsed() < NORMAL_WITHIN, "{:?}", back.elapsed());
    load.run.more_acks(100).await;
    println!("100 acks more after {:.2?}", back.elapsed());
    assert!(back.elapsed() < NORMAL_WITHIN * 2, "{:?}", back.elapsed());
}

/// What nobody could tell the fate of was not refused, and is acked now without being asked again, under the number that it
/// has in the log; there it stands once.
async fn settled(speaker: &mut Speaker, load: &Load, unknown: Vec<Said>, back: Instant) {
    let mut places = BTreeMap::new();
    let count = unknown.len();
    for said in unknown {
        let left = NORMAL_WITHIN.saturating_sub(back.elapsed()).max(Duration::from_secs(1));
        let answer: Value =
            timeout(left, speaker.answer_to(&said)).await.unwrap_or_else(|_| panic!("{said:?} stays unknown"));
        if answer["type"] == "nack" {
            // Nothing of it was sent: the store was known to be away already. The checker looks whether that is true.
            speaker.refused(load, &said, &answer);
            assert_eq!(speaker.outcome(&said).await["state"], "absent", "{said:?}");
            continue;
        }
        let seq = speaker.acked(load, &said, &answer);
        assert_eq!(places.insert((said.room.clone(), seq), said.client_id.clone()), None, "one number, one message");
        assert_eq!(speaker.outcome(&said).await["seq"], seq, "{said:?}");
    }
    println!("of {count} sends without a fate {} were acked afterwards", places.len());
    assert!(places.len() * 2 > count, "most were on their way when the store stopped");
}
