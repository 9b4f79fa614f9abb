//! Many speakers in many rooms of a cluster: they are set going, and in the end held against the logs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::JoinSet;

use super::Cluster;
use super::diary::Diary;
use super::history::{Judgement, read};
use super::speaker::{Scene, Speaker, speak};
use crate::bench::people::{Person, Place};
use crate::bench::report::Report;
use crate::client::error::ClientError;
use crate::client::frames::Event;
use crate::client::rest::Rest;

/// How long the first acks, and rooms of a killed node, may take.
pub(in crate::bench) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two readings of a log that is shorter than it should be.
const AGAIN: Duration = Duration::from_millis(200);
/// Logs that are read at one time.
const READERS: usize = 4;

/// Speakers that speak.
pub(in crate::bench) struct Stage {
    pub(in crate::bench) scene: Arc<Scene>,
    speakers: JoinSet<Diary>,
    /// The rooms, each with somebody who may read it.
    rooms: Vec<(Place, Person)>,
}

impl Stage {
    /// Sets all going, and waits until something was acknowledged in each room. Each room has its speakers; they
    /// are at home on one node after the other.
    pub(in crate::bench) async fn open(
        cluster: &Cluster,
        rooms: Vec<(Place, Vec<Person>)>,
        pause: Duration,
    ) -> anyhow::Result<Stage> {
        let scene = Scene::new(cluster.urls(), rooms.len());
        let mut speakers = JoinSet::new();
        let (mut readers, turn) = (Vec::with_capacity(rooms.len()), pause / u32::try_from(rooms.len().max(1))?);
        for (room, (place, people)) in rooms.into_iter().enumerate() {
            let reader = people.first().cloned().context("a room without anybody")?;
            for (number, person) in people.into_iter().enumerate() {
                let speaker = Speaker {
                    token: person.token,
                    place: place.id.clone(),
                    room,
                    head: place.head,
                    home: (room + number) % cluster.size(),
                    wait: turn * u32::try_from(room)?,
                    pause,
                };
                speakers.spawn(speak(speaker, Arc::clone(&scene)));
            }
            readers.push((place, reader));
        }
        let all: Vec<usize> = (0..readers.len()).collect();
        ensure!(scene.all_acked(&all, 0, PATIENCE).await, "not every room takes messages");
        Ok(Stage { scene, speakers, rooms: readers })
    }

    /// Ends it: the diaries, and the judgement over them.
    pub(in crate::bench) async fn close(mut self, cluster: &Cluster) -> anyhow::Result<(Vec<Diary>, Judgement)> {
        self.scene.goes_on.send_replace(false);
        let mut diaries = Vec::new();
        while let Some(diary) = self.speakers.join_next().await {
            diaries.push(diary?);
        }
        let (_, server) = cluster.running().next().context("no node runs")?;
        let logs: Vec<_> = stream::iter(self.rooms.iter().enumerate())
            .map(|(room, (place, reader))| {
                let rest = server.rest.with_token(&reader.token);
                let of_room = diaries.iter().filter(|diary| diary.room == room).flat_map(|diary| &diary.said);
                let acked = of_room.filter_map(|said| said.acked).map(|(_, seq)| seq).max().unwrap_or(0);
                async move { read_through(&rest, &place.id, acked).await }
            })
            .buffered(READERS)
            .try_collect()
            .await
            .context("a log cannot be read back")?;
        let mut judgement = Judgement::default();
        for (room, events) in logs.iter().enumerate() {
            let of_room: Vec<&Diary> = diaries.iter().filter(|diary| diary.room == room).collect();
            judgement.judge(events, &of_room);
        }
        Ok((diaries, judgement))
    }
}

/// A log as far as it was acknowledged. A node that does not hear from the room's own shows what was published last, which is
/// shorter for a while; what never comes is lost.
async fn read_through(rest: &Rest, room: &str, acked: u64) -> Result<Vec<Event>, ClientError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let events = read(rest, room).await?;
        if events.last().is_some_and(|last| last.seq >= acked) || Instant::now() > deadline {
            return Ok(events);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Puts the judgement into a report; what is wrong is a trouble.
pub(in crate::bench) fn describe(report: &mut Report, diaries: &[Diary], judgement: &Judgement) {
    report.count("acked", "messages that were acknowledged", judgement.acked, "");
    report.count("open", "messages that were never answered", judgement.open, "");
    report.count("lost", "lost", judgement.lost, "");
    report.count("doubled", "doubled", judgement.doubled, "");
    report.count("reordered", "reordered", judgement.reordered, "");
    let sum = |of: fn(&Diary) -> u64| diaries.iter().map(of).sum::<u64>();
    let (twice, missing) = (sum(|diary| diary.heard_twice), sum(|diary| diary.not_heard));
    report.count("heard_twice", "events that a connection heard twice", twice, "");
    report.count("not_heard", "events that a connection never heard", missing, "");
    let less = sum(|diary| diary.told_of_less);
    report.count("told_of_less", "resumes that were told of less than they had heard", less, "");
    report.count("connections_lost", "connections that were lost", sum(|diary| diary.lost_connections), "");
    if !judgement.is_good() || judgement.open + twice + missing > 0 {
        report.trouble(format!("{judgement:?}, {twice} events heard twice, {missing} not heard"));
    }
    if let Some(trouble) = diaries.iter().find_map(|diary| diary.trouble.clone()) {
        report.trouble(trouble);
    }
}
