//! The worker processes of a bench, from the side that gives the orders.

use std::net::Ipv4Addr;
use std::process::Stdio;

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::order::{Answer, Connect, Connected, FanOut, Order, Send, Sent, Session};
use crate::bench::own_program;

/// As many sockets as one process and one source address comfortably have.
const SOCKETS_PER_WORKER: usize = 6_000;

/// One worker process.
pub(in crate::bench) struct Worker {
    /// Killed when it is dropped.
    _child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// The address that its sockets come from.
    pub(in crate::bench) source: Ipv4Addr,
}

impl Worker {
    /// Starts a worker; the number chooses its source address.
    pub(in crate::bench) fn start(number: usize, pin: Option<usize>) -> anyhow::Result<Worker> {
        let mut child = own_program(&["bench", "worker"], pin)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("a worker process cannot be started")?;
        let orders = child.stdin.take().context("a worker without input")?;
        let answers = child.stdout.take().context("a worker without output")?;
        // 127.0.0.1 is the server's; its clients live beside it.
        let source = Ipv4Addr::new(127, 0, (number / 200) as u8, (number % 200) as u8 + 2);
        Ok(Worker { _child: child, orders, answers: BufReader::new(answers).lines(), source })
    }

    async fn ask(&mut self, order: &Order) -> anyhow::Result<Answer> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.orders.write_all(&line).await.context("a worker is gone")?;
        self.orders.flush().await?;
        let line = self.answers.next_line().await?.context("a worker ended before it answered")?;
        match serde_json::from_str(&line).context("an answer that cannot be read")? {
            Answer::Failed { detail } => bail!("{detail}"),
            answer => Ok(answer),
        }
    }

    /// Opens sessions.
    pub(in crate::bench) async fn connect(&mut self, order: Connect) -> anyhow::Result<Connected> {
        self.connected(Order::Connect(order)).await
    }

    /// Opens bare sockets.
    pub(in crate::bench) async fn connect_bare(
        &mut self,
        address: std::net::SocketAddr,
        sockets: usize,
    ) -> anyhow::Result<Connected> {
        let source = self.source;
        self.connected(Order::ConnectBare { address, source, sockets }).await
    }

    async fn connected(&mut self, order: Order) -> anyhow::Result<Connected> {
        match self.ask(&order).await? {
            Answer::Connected(connected) => Ok(connected),
            other => bail!("an unexpected answer: {other:?}"),
        }
    }

    /// Drops every socket.
    pub(in crate::bench) async fn drop_all(&mut self) -> anyhow::Result<()> {
        self.ask(&Order::Drop).await.map(|_| ())
    }

    /// Sends into one room.
    pub(in crate::bench) async fn fan_out(&mut self, order: FanOut) -> anyhow::Result<Sent> {
        self.sent(Order::FanOut(order)).await
    }

    /// Sends into many rooms.
    pub(in crate::bench) async fn send(&mut self, order: Send) -> anyhow::Result<Sent> {
        self.sent(Order::Send(order)).await
    }

    async fn sent(&mut self, order: Order) -> anyhow::Result<Sent> {
        match self.ask(&order).await? {
            Answer::Sent(sent) => Ok(sent),
            other => bail!("an unexpected answer: {other:?}"),
        }
    }
}

/// Several workers that share many sessions.
pub(in crate::bench) struct Crew {
    workers: Vec<Worker>,
}

impl Crew {
    /// As many workers as so many sessions need.
    pub(in crate::bench) fn start(sessions: usize, pin: Option<usize>) -> anyhow::Result<Crew> {
        let count = sessions.div_ceil(SOCKETS_PER_WORKER).max(1);
        Ok(Crew { workers: (0..count).map(|number| Worker::start(number, pin)).collect::<anyhow::Result<_>>()? })
    }

    /// Opens all sessions, shared out evenly; what came of it, per worker.
    pub(in crate::bench) async fn connect(
        &mut self,
        plan: &Connect,
        sessions: &[Session],
    ) -> anyhow::Result<Vec<Connected>> {
        let share = sessions.len().div_ceil(self.workers.len()).max(1);
        let orders = self.workers.iter_mut().zip(sessions.chunks(share)).map(|(worker, chunk)| {
            let order = Connect {
                address: plan.address,
                source: worker.source,
                concurrency: plan.concurrency,
                sessions: chunk.to_vec(),
                missed: plan.missed,
                seconds: plan.seconds,
            };
            worker.connect(order)
        });
        try_join_all(orders).await
    }

    /// Drops every socket of every worker.
    pub(in crate::bench) async fn drop_all(&mut self) -> anyhow::Result<()> {
        try_join_all(self.workers.iter_mut().map(Worker::drop_all)).await.map(|_| ())
    }
}
