//! The load under which a server alone is killed again and again.

use std::time::Duration;

use crate::support::caller::Manner;
use crate::support::load::{Crowd, Outcome, Run};
use crate::support::process::Setup;

/// One run at a time: two would slow each other until their deadlines lie.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const CROWD: Crowd = Crowd { senders: 4, listeners: 2, rooms: 3 };
const MANNER: Manner = Manner { window: 6, pause: Duration::ZERO, patience: Duration::from_secs(15) };

/// Kills the server so many times, each time after so many more acks, and lets everybody finish at the end.
pub(super) async fn run(bug: Option<&str>, kills: usize, acks_between: u64) -> Outcome {
    let _alone = ALONE.lock().await;
    let mut server = Setup::new().start().await;
    let company = CROWD.gather(&server).await;
    if let Some(bug) = bug {
        server = server.kill_and_restart_broken(bug).await;
    }
    let run = Run::begin(CROWD, company, vec![server.url.clone()], MANNER);
    for _ in 0..kills {
        run.more_acks(acks_between).await;
        server = server.kill_and_restart().await;
        run.lead_to(vec![server.url.clone()]);
    }
    run.more_acks(acks_between).await;
    run.end(&[&server]).await
}
