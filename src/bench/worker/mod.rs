//! A worker process of a bench: it holds sockets, counts what they hear, and sends when it is told to.
//!
//! A process may open about 20,000 files and a source address has 28,000 ports, so a bench needs several of these.

mod burst;
pub(super) mod crew;
mod heard;
mod ledger;
pub(super) mod order;
mod sockets;
mod spread;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;

use order::{Answer, Order};
use sockets::Sockets;

/// Obeys the orders on standard input, one per line, and answers each with a line.
pub(super) async fn obey() -> anyhow::Result<()> {
    super::more_files();
    let mut orders = BufReader::with_capacity(1 << 20, tokio::io::stdin()).lines();
    let mut answers = tokio::io::stdout();
    let mut worker = Worker { sockets: Sockets::new(), control: None };
    while let Some(line) = orders.next_line().await? {
        let order = serde_json::from_str(&line).context("an order that cannot be read")?;
        let answer = match worker.carry_out(order).await {
            Ok(answer) => answer,
            Err(error) => Answer::Failed { detail: format!("{error:#}") },
        };
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        answers.write_all(&line).await?;
        answers.flush().await?;
    }
    Ok(())
}

struct Worker {
    sockets: Sockets,
    /// The control of a bare writer, when there is one.
    control: Option<OwnedWriteHalf>,
}

impl Worker {
    async fn carry_out(&mut self, order: Order) -> anyhow::Result<Answer> {
        Ok(match order {
            Order::Connect(order) => Answer::Connected(self.sockets.connect(order).await?),
            Order::ConnectBare { address, source, sockets } => {
                self.control = Some(self.sockets.connect_bare(address, source, sockets).await?);
                Answer::Connected(order::Connected { live: sockets, ..order::Connected::default() })
            }
            Order::Drop => {
                self.control = None;
                self.sockets.drop_all().await;
                Answer::Dropped
            }
            Order::FanOut(order) => Answer::Sent(spread::run(&self.sockets, self.control.as_mut(), order).await?),
            Order::Send(order) => Answer::Sent(burst::run(&self.sockets, order).await?),
        })
    }
}
