//! Many senders, each into a room of its own: drives durable sends and times their acks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use super::ledger::{Burst, Phase};
use super::order::{Send, Sent};
use super::sockets::{Sockets, Writer};
use crate::bench::latency::{Latencies, metronome, now};
use crate::bench::process::Cpus;

/// How long acks may take after the last send.
const PATIENCE: Duration = Duration::from_secs(20);
const NANOS: f64 = 1e9;

/// Sends for the time that is asked for, and says how many acks came in it.
pub(super) async fn run(sockets: &Sockets, order: Send) -> anyhow::Result<Sent> {
    let writers: Vec<Writer> = (0..order.rooms.len())
        .map(|seat| sockets.writer(seat).context("fewer sessions than rooms"))
        .collect::<anyhow::Result<_>>()?;
    ensure!(!writers.is_empty(), "no rooms to send to");
    let idle = begin(sockets, &order);
    let warm = Duration::from_secs_f64(order.warm_up_seconds);
    let whole = warm + Duration::from_secs_f64(order.seconds);
    let sampler = tokio::spawn(sample(order.pids.clone(), warm, whole));
    match order.rate {
        Some(rate) => open_loop(sockets, &writers, rate, whole).await?,
        None => closed_loop(sockets, &writers, order.in_flight, whole).await?,
    }
    drain(sockets, &idle).await;
    let cpu_nanos = sampler.await??;
    let mut ledger = sockets.books.lock();
    let acks = match std::mem::replace(&mut ledger.phase, Phase::Quiet) {
        Phase::Burst(burst) => burst.acks,
        _ => 0,
    };
    Ok(Sent {
        messages: acks,
        deliveries: 0,
        reads: 0,
        seconds: order.seconds,
        cpu_nanos,
        latency: ledger.latencies.summary(),
        frame_bytes: ledger.frame_bytes,
        troubles: ledger.troubles.clone(),
    })
}

fn begin(sockets: &Sockets, order: &Send) -> Arc<Notify> {
    let idle = Arc::new(Notify::new());
    let start = now();
    let after = |seconds: f64| start + (seconds * NANOS) as u64;
    let end = after(order.warm_up_seconds + order.seconds);
    let mut ledger = sockets.books.lock();
    ledger.latencies = Latencies::new();
    ledger.phase = Phase::Burst(Burst {
        run: rand::random(),
        body_bytes: order.body_bytes,
        rooms: order.rooms.clone(),
        due: Vec::new(),
        counted: (after(order.warm_up_seconds), end),
        again_until: order.rate.is_none().then_some(end),
        acks: 0,
        outstanding: 0,
        idle: Arc::clone(&idle),
    });
    idle
}

/// The server's processor time between the end of the warm-up and the end of the run.
async fn sample(pids: Vec<u32>, warm: Duration, whole: Duration) -> anyhow::Result<Option<u64>> {
    let start = tokio::time::Instant::now();
    tokio::time::sleep_until(start + warm).await;
    let before = Cpus::of(&pids)?;
    tokio::time::sleep_until(start + whole).await;
    Ok(Cpus::of(&pids)?.zip(before).map(|(after, before)| after.since(&before)))
}

/// Fills the flight; each ack sends the next message, until the time is over.
async fn closed_loop(sockets: &Sockets, writers: &[Writer], in_flight: usize, whole: Duration) -> anyhow::Result<()> {
    let end = tokio::time::Instant::now() + whole;
    for (seat, writer) in writers.iter().enumerate() {
        let share = in_flight / writers.len() + usize::from(seat < in_flight % writers.len());
        let mut out = Vec::new();
        if let Phase::Burst(burst) = &mut sockets.books.lock().phase {
            for _ in 0..share {
                burst.next(seat, now(), &mut out);
            }
        }
        writer.lock().await.write_all(&out).await?;
    }
    tokio::time::sleep_until(end).await;
    Ok(())
}

/// Sends at a fixed rate, to one room after the other.
async fn open_loop(sockets: &Sockets, writers: &[Writer], rate: f64, whole: Duration) -> anyhow::Result<()> {
    let mut beats = metronome(rate, whole);
    let mut turn = 0;
    while let Some(due) = beats.recv().await {
        let seat = turn % writers.len();
        turn += 1;
        let mut out = Vec::new();
        if let Phase::Burst(burst) = &mut sockets.books.lock().phase {
            burst.next(seat, due, &mut out);
        }
        writers[seat].lock().await.write_all(&out).await?;
    }
    Ok(())
}

/// Waits for the acks that are still to come. Those that never come are a trouble that the report shows.
async fn drain(sockets: &Sockets, idle: &Notify) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let waiting = idle.notified();
        let outstanding = match &sockets.books.lock().phase {
            Phase::Burst(burst) => burst.outstanding,
            _ => 0,
        };
        if outstanding == 0 {
            return;
        }
        if tokio::time::timeout_at(deadline, waiting).await.is_err() {
            let troubles = &mut sockets.books.lock().troubles;
            troubles.note(|| format!("{outstanding} sends were never acknowledged"));
            return;
        }
    }
}
