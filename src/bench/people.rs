//! Accounts and rooms in bulk, made over REST like anybody's.

use std::time::Duration;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::progress;
use super::worker::order::Session;
use crate::client::error::ClientError;
use crate::client::rest::{History, Rest};

const AT_ONCE: usize = 64;
/// Members that a room is made with; the others are added one by one, so that no request is longer than servers take.
const MEMBERS_AT_ONCE: usize = 200;
/// How often and how long a server that asks for patience gets it.
const PATIENCE: (usize, Duration) = (120, Duration::from_secs(60));

/// Somebody with an account, logged in.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) handle: String,
}

/// A room that a bench made.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) id: String,
    pub(super) head: u64,
}

/// Does something until the server does not ask for patience any more.
async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let mut left = PATIENCE.0;
    loop {
        match attempt().await {
            Err(error) if left > 0 => match error.wait() {
                Some(wait) => tokio::time::sleep(wait.min(PATIENCE.1)).await,
                None => return Err(error),
            },
            outcome => return outcome,
        }
        left -= 1;
    }
}

/// Makes accounts and logs each in. All have the password `password`.
pub(super) async fn accounts(rest: &Rest, count: usize, password: &str) -> anyhow::Result<Vec<Person>> {
    let bar = progress::bar("accounts", count);
    let run = Uuid::new_v4().simple().to_string();
    let people = stream::iter(0..count)
        .map(|number| {
            let (handle, bar) = (format!("b-{}-{number}", &run[..8]), &bar);
            async move {
                patiently(|| rest.register(&handle, password)).await?;
                let login = patiently(|| rest.login(&handle, password, "rookery bench")).await?;
                bar.inc(1);
                Ok::<_, ClientError>(Person { id: login.user.id, token: login.token, handle })
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
        .context("an account cannot be made")?;
    bar.finish_and_clear();
    Ok(people)
}

/// A password that nobody else has.
pub(super) fn password() -> String {
    Uuid::new_v4().to_string()
}

/// Makes a room for each group of people (by their position); the first of a group is the owner.
pub(super) async fn rooms(rest: &Rest, people: &[Person], groups: &[Vec<usize>]) -> anyhow::Result<Vec<Place>> {
    let bar = progress::bar("rooms", groups.iter().map(Vec::len).sum());
    let at_once = if groups.len() == 1 { 1 } else { 8 };
    let places = stream::iter(groups.iter().enumerate())
        .map(|(number, group)| {
            let bar = &bar;
            async move {
                let place = room(rest, people, group, &format!("bench {number}"), bar).await?;
                Ok::<_, anyhow::Error>(place)
            }
        })
        .buffered(at_once)
        .try_collect()
        .await
        .context("a room cannot be made")?;
    bar.finish_and_clear();
    Ok(places)
}

async fn room(
    rest: &Rest,
    people: &[Person],
    group: &[usize],
    name: &str,
    bar: &indicatif::ProgressBar,
) -> anyhow::Result<Place> {
    let (owner, others) = group.split_first().context("a room without anybody")?;
    let rest = rest.with_token(&people[*owner].token);
    let others: Vec<String> = others.iter().map(|other| people[*other].id.clone()).collect();
    let (first, later) = others.split_at(others.len().min(MEMBERS_AT_ONCE));
    let made = patiently(|| rest.create_group(name, false, first)).await?;
    bar.inc(1 + first.len() as u64);
    let (rest, made, bar) = (&rest, &made, bar);
    stream::iter(later)
        .map(|member| async move {
            patiently(|| rest.add_member(&made.id, member)).await?;
            bar.inc(1);
            Ok::<_, ClientError>(())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    // How far a room is its history says; what is listed of it follows a little later.
    let History { head, .. } = patiently(|| rest.newest(&made.id, 1)).await?;
    Ok(Place { id: made.id.clone(), head })
}

/// The session of each person, with a cursor at the head of each of their rooms.
pub(super) fn sessions(people: &[Person], groups: &[Vec<usize>], places: &[Place]) -> Vec<Session> {
    let mut sessions: Vec<Session> = people
        .iter()
        .map(|person| Session { token: person.token.clone(), address: None, cursors: Vec::new() })
        .collect();
    for (group, place) in groups.iter().zip(places) {
        for member in group {
            sessions[*member].cursors.push((place.id.clone(), place.head));
        }
    }
    sessions
}

/// Shares `people` out into rooms of `size`, `rooms_each` times over, so that who shares one room shares few others.
pub(super) fn groups(people: usize, rooms_each: usize, size: usize) -> Vec<Vec<usize>> {
    let mut groups = Vec::new();
    for round in 0..rooms_each {
        let step = (1..).map(|factor| round * 7_919 + factor).find(|step| coprime(*step, people)).unwrap_or(1);
        let order: Vec<usize> = (0..people).map(|position| position * step % people).collect();
        groups.extend(order.chunks(size.max(1)).map(<[usize]>::to_vec));
    }
    groups
}

fn coprime(left: usize, right: usize) -> bool {
    let (mut left, mut right) = (left, right);
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_in_as_many_rooms_as_asked_and_no_room_twice() {
        let groups = groups(1_500, 3, 100);
        assert_eq!(groups.len(), 45);
        let mut rooms_of = vec![0; 1_500];
        for group in &groups {
            let mut once = group.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!((group.len(), once.len()), (100, 100));
            group.iter().for_each(|member| rooms_of[*member] += 1);
        }
        assert!(rooms_of.iter().all(|rooms| *rooms == 3));
    }

    #[test]
    fn rounds_mix_people() {
        let groups = groups(1_500, 2, 100);
        let first = &groups[0];
        let shared = groups[15].iter().filter(|member| first.contains(member)).count();
        assert!(shared < 50, "{shared} of 100 share both rooms");
    }
}
