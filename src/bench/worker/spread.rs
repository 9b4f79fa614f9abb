//! One sender, everybody hears: drives a fan-out, through a server or through a bare writer, with the same discipline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Semaphore;

use super::heard::Stamp;
use super::ledger::{Phase, Spread, send_frame};
use super::order::{FanOut, Sent};
use super::sockets::{Books, Sockets, Writer};
use crate::bench::frame;
use crate::bench::latency::{Latencies, metronome, now};
use crate::bench::process::Cpus;

/// Nothing arrived for so long: something is lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where messages go in.
enum Mouth<'a> {
    /// The first session of the worker.
    Session(Writer),
    /// The control of a bare writer, which passes on what it is given.
    Bare(&'a mut OwnedWriteHalf),
}

struct Driver<'a> {
    mouth: Mouth<'a>,
    order: FanOut,
    run: u64,
    books: Books,
    done: Arc<Semaphore>,
    next: u64,
    out: Vec<u8>,
}

/// Sends, waits until everybody has everything, and says how it went.
pub(super) async fn run(
    sockets: &Sockets,
    control: Option<&mut OwnedWriteHalf>,
    order: FanOut,
) -> anyhow::Result<Sent> {
    let mouth = match control {
        Some(control) => Mouth::Bare(control),
        None => Mouth::Session(sockets.writer(0).context("no session is connected")?),
    };
    let done = Arc::new(Semaphore::new(0));
    begin(sockets, &order, matches!(mouth, Mouth::Bare(_)), &done);
    let books = Arc::clone(&sockets.books);
    let mut driver = Driver { mouth, order, run: rand::random(), books, done, next: 0, out: Vec::new() };
    driver.closed_loop(driver.order.warm_up, 1, None).await?;
    let cpu = driver.cpu()?;
    let start = Instant::now();
    let lasting = Duration::from_secs_f64(driver.order.seconds);
    let (before, reads) = (driver.next, driver.books.lock().reads);
    match driver.order.rate {
        Some(rate) => driver.open_loop(rate, lasting).await?,
        None => {
            let (messages, in_flight) = (driver.order.messages, driver.order.in_flight);
            driver.closed_loop(messages, in_flight, Some(start + lasting)).await?;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu_nanos = driver.cpu()?.zip(cpu).map(|(after, before)| after.since(&before));
    let mut ledger = driver.books.lock();
    let deliveries = match std::mem::replace(&mut ledger.phase, Phase::Quiet) {
        Phase::Spread(spread) => spread.deliveries,
        _ => 0,
    };
    Ok(Sent {
        messages: driver.next - before,
        deliveries,
        reads: ledger.reads - reads,
        seconds,
        cpu_nanos,
        latency: ledger.latencies.summary(),
        frame_bytes: ledger.frame_bytes,
        troubles: ledger.troubles.clone(),
    })
}

fn begin(sockets: &Sockets, order: &FanOut, bare: bool, done: &Arc<Semaphore>) {
    let mut ledger = sockets.books.lock();
    let seats = ledger.seats.len() as u32;
    let expected = if bare { seats } else { seats + 1 };
    ledger.latencies = Latencies::new();
    ledger.phase = Phase::Spread(Spread {
        missing: Vec::new(),
        expected,
        counted_from: order.warm_up as u64,
        deliveries: 0,
        done: Arc::clone(done),
    });
}

impl Driver<'_> {
    fn cpu(&self) -> anyhow::Result<Option<Cpus>> {
        Cpus::of(&self.order.pids)
    }

    /// Keeps `in_flight` messages on their way until `messages` are sent or the time is over. A message is on its way
    /// until its ack and all its deliveries are there. What may go out goes out in one write.
    async fn closed_loop(&mut self, messages: usize, in_flight: usize, until: Option<Instant>) -> anyhow::Result<()> {
        let mut left = messages;
        let mut on_the_way = 0;
        while left > 0 && until.is_none_or(|until| Instant::now() < until) {
            while on_the_way < in_flight && left > 0 {
                self.add(now());
                on_the_way += 1;
                left -= 1;
            }
            self.write().await?;
            on_the_way -= self.some_done().await?;
        }
        while on_the_way > 0 {
            on_the_way -= self.some_done().await?;
        }
        Ok(())
    }

    /// Sends at a fixed rate, whatever comes back, and then waits for the rest.
    async fn open_loop(&mut self, rate: f64, lasting: Duration) -> anyhow::Result<()> {
        let mut beats = metronome(rate, lasting);
        let mut on_the_way = 0_usize;
        while let Some(due) = beats.recv().await {
            self.add(due);
            on_the_way += 1;
            // The metronome is not waited for: beats that are due already go out together.
            while let Ok(due) = beats.try_recv() {
                self.add(due);
                on_the_way += 1;
            }
            self.write().await?;
        }
        while on_the_way > 0 {
            on_the_way -= self.some_done().await?;
        }
        Ok(())
    }

    /// Waits until a message has arrived everywhere; how many have.
    async fn some_done(&mut self) -> anyhow::Result<usize> {
        match tokio::time::timeout(PATIENCE, self.done.acquire()).await {
            Ok(permit) => permit?.forget(),
            Err(_) => bail!("a message did not arrive everywhere within {PATIENCE:?}: {}", self.what_is_missing()),
        }
        Ok(1 + self.done.forget_permits(usize::MAX >> 4))
    }

    fn what_is_missing(&self) -> String {
        let ledger = self.books.lock();
        let Phase::Spread(spread) = &ledger.phase else { return String::new() };
        let open = spread.missing.iter().enumerate().find(|(_, missing)| **missing > 0);
        let (message, missing) = open.map_or((0, 0), |(message, missing)| (message, *missing));
        format!("message {message} lacks {missing} of {}, {:?}", spread.expected, ledger.troubles)
    }

    /// Makes the next message ready.
    fn add(&mut self, due: u64) {
        let stamp = Stamp { due, index: self.next };
        self.next += 1;
        if let Phase::Spread(spread) = &mut self.books.lock().phase {
            spread.missing.push(spread.expected);
        }
        match (&self.mouth, self.order.bare_frame_bytes) {
            (Mouth::Bare(_), Some(bytes)) => bare_event(stamp, &self.order, bytes, &mut self.out),
            _ => {
                let text = send_frame(&self.order.room, self.run, stamp, self.order.body_bytes);
                frame::from_client(frame::TEXT, text.as_bytes(), &mut self.out);
            }
        }
    }

    async fn write(&mut self) -> anyhow::Result<()> {
        match &mut self.mouth {
            Mouth::Session(writer) => writer.lock().await.write_all(&self.out).await?,
            Mouth::Bare(control) => control.write_all(&self.out).await?,
        }
        self.out.clear();
        Ok(())
    }
}

/// An event frame of exactly the size that the server's had, so that the receiver does the same work.
fn bare_event(stamp: Stamp, order: &FanOut, bytes: usize, out: &mut Vec<u8>) {
    let seq = stamp.index + 1;
    let body = stamp.body(order.body_bytes);
    let start =
        format!(r#"{{"type":"event","room":"{}","seq":{seq},"kind":"message","body":"{body}","from":""#, order.room);
    let header = if bytes - 2 < 126 { 2 } else { 4 };
    let padding = (bytes - header).saturating_sub(start.len() + 2);
    let payload = format!("{start}{}\"}}", "x".repeat(padding));
    frame::from_server(frame::TEXT, payload.as_bytes(), out);
}

#[cfg(test)]
#[path = "spread_tests.rs"]
mod tests;
