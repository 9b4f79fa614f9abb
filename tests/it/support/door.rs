//! A door in front of the server: a TCP forwarder with an address that stays while the server behind it restarts.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::process::Server;

/// The forwarder; dropping it closes it.
pub(crate) struct Door {
    pub(crate) url: String,
    target: Arc<Mutex<String>>,
    open: Arc<Mutex<Vec<JoinHandle<()>>>>,
    task: JoinHandle<()>,
}

impl Door {
    pub(crate) async fn before(server: &Server) -> Door {
        Door::at("127.0.0.1", server.address()).await
    }

    /// At this address of the machine, to host:port.
    pub(crate) async fn at(host: &str, target: String) -> Door {
        let listener = TcpListener::bind((host, 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let target = Arc::new(Mutex::new(target));
        let open = Arc::new(Mutex::new(Vec::new()));
        let (seen, kept) = (Arc::clone(&target), Arc::clone(&open));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let address = seen.lock().clone();
                kept.lock().push(tokio::spawn(forward(client, address)));
            }
        });
        Door { url, target, open, task }
    }

    /// host:port.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Ends every connection that is open, without a word to either side.
    pub(crate) fn cut(&self) {
        self.open.lock().drain(..).for_each(|connection| connection.abort());
    }

    /// Connections from now on go to this server.
    pub(crate) fn leads_to(&self, server: &Server) {
        *self.target.lock() = server.address();
    }
}

async fn forward(mut client: TcpStream, address: String) {
    // A server that is not there is a connection that ends at once, as the client sees it.
    if let Ok(mut server) = TcpStream::connect(address).await {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}
