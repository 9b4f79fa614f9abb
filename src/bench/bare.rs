//! The physical limit of a fan-out: a process that writes given bytes to sockets and does nothing else.

use std::net::Ipv4Addr;

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How many frames are passed on in one write at most.
const FRAMES_AT_ONCE: usize = 64;

/// What a bare writer is told.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Options {
    /// How many sockets are written to.
    #[arg(long)]
    pub(super) sockets: usize,
    /// Bytes of one frame.
    #[arg(long)]
    pub(super) frame_bytes: usize,
}

/// Says where it listens, and writes.
pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("listening {}", listener.local_addr()?);
    write(listener, options).await
}

/// Waits for its control and its sockets, and passes on what comes in by the control: whatever whole frames are
/// waiting go to each socket in one write. Ends with the control.
pub(super) async fn write(listener: TcpListener, options: Options) -> anyhow::Result<()> {
    ensure!(options.frame_bytes > 0, "a frame has at least one byte");
    let mut control = accept(&listener).await?;
    let mut sockets = Vec::with_capacity(options.sockets);
    for _ in 0..options.sockets {
        sockets.push(accept(&listener).await?);
    }
    let mut buffer = vec![0; options.frame_bytes * FRAMES_AT_ONCE];
    let mut filled = 0;
    loop {
        let read = control.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let whole = filled - filled % options.frame_bytes;
        if whole > 0 {
            for socket in &mut sockets {
                socket.write_all(&buffer[..whole]).await?;
            }
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
        }
    }
}

async fn accept(listener: &TcpListener) -> std::io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
