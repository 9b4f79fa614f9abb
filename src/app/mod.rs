//! Puts a server together, runs it, and takes it apart again.

mod cluster;
mod shutdown;
pub mod stores;
mod tls;

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::RwLock;
use tokio::runtime::Runtime;

use crate::{
    actors::{Router, alone::Single, clock, gateway::Actors, router::Shared, supervisor::Supervisor},
    auth::{Accounts, Authenticator, Bootstrap},
    config::{Config, Live, Loaded},
    http::{Api, Limiter, Readiness, server, server::Listeners, ws::Edge},
    media::{Media, Objects, collector},
    store::Directory,
    telemetry,
};

use stores::Store;

/// Hubs beyond the workers, for workers that are replaced.
const SPARE_HUBS: usize = 4;
/// How often gauges are set and uses of logins are written.
const UPKEEP: Duration = Duration::from_secs(5);

/// A server that is put together and not yet running.
struct Parts {
    router: Arc<Router>,
    store: Store,
    node: Option<cluster::Node>,
    authenticator: Arc<Authenticator>,
    readiness: Arc<Readiness>,
    edge: Edge,
    api: Api,
    admin_token: Option<PathBuf>,
}

/// Serves until a signal; `bug` breaks a promise on purpose.
///
/// # Errors
/// What kept the server from starting, or from ending well.
pub fn serve(
    loaded: Loaded,
    #[cfg(feature = "bugs")] bug: Option<rookery_core::room::bugs::Bug>,
) -> anyhow::Result<()> {
    let config = loaded.config.clone();
    let level = telemetry::start_logs(&config.log)?;
    // What cannot be raised shows up as a refused connection, with the reason in the log.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let live = Arc::new(Live::new(loaded));
    live.on_change(move |config| level.set(&config.log.level));
    let listeners = Listeners {
        public: bind(config.server.listen)?,
        operators: bind(config.server.admin_listen)?,
        tls: tls::configuration(&config.server)?,
        workers: workers(&config),
    };
    let addresses = (listeners.public.local_addr()?, listeners.operators.local_addr()?);
    let actors = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers(&config))
        .thread_name("actors")
        .enable_all()
        .build()
        .context("no runtime for the actors")?;
    let parts = actors.block_on(assemble(
        &actors,
        &config,
        &live,
        addresses.0,
        #[cfg(feature = "bugs")]
        bug,
    ))?;
    let secure = listeners.tls.is_some();
    actix_rt::System::new().block_on(async {
        let server = server::serve(listeners, parts.edge, parts.api).context("the listeners")?;
        let handle = server.handle();
        let running = actix_rt::spawn(server);
        announce(addresses, secure, parts.admin_token.as_deref());
        shutdown::wait_for_end(parts.node.as_ref()).await;
        shutdown::drain(&parts.router, &parts.readiness, parts.node.as_ref()).await;
        handle.stop(true).await;
        let _ = running.await;
        anyhow::Ok(())
    })?;
    actors.block_on(async {
        if let Err(error) = parts.authenticator.flush_used().await {
            tracing::warn!(%error, "the last uses of logins were not written");
        }
        if let Some(node) = &parts.node {
            node.leave().await;
        }
        parts.store.close().await;
    });
    actors.shutdown_timeout(Duration::from_secs(2));
    tracing::info!("stopped");
    Ok(())
}

async fn assemble(
    runtime: &Runtime,
    config: &Config,
    live: &Arc<Live>,
    public: SocketAddr,
    #[cfg(feature = "bugs")] bug: Option<rookery_core::room::bugs::Bug>,
) -> anyhow::Result<Parts> {
    let metrics = telemetry::start_metrics()?;
    let name = config.cluster.node.clone().unwrap_or_else(|| "local".to_owned());
    let owner = stores::owner(&name);
    let store = Store::open(config, &owner).await?;
    let directory = store.directory();
    let shared = Shared {
        node: name,
        log: store.log(),
        directory: Arc::clone(&directory),
        runtime: runtime.handle().clone(),
        limits: RwLock::new(config.limits()),
        room_idle_ms: i64::from(config.rooms.idle_seconds) * 1_000,
        #[cfg(feature = "bugs")]
        bug,
    };
    let router = Router::new(shared, workers(config) + SPARE_HUBS);
    Supervisor::start(Arc::clone(&router)).await?;
    store.ask_rooms(&router);
    let node = cluster::Node::join(config, &router, owner, public).await?;
    let changed = Arc::clone(&router);
    live.on_change(move |config| *changed.shared.limits.write() = config.limits());
    let accounts = Accounts::new(Arc::clone(&directory), Arc::clone(live)).map_err(anyhow::Error::msg)?;
    let authenticator = Arc::new(Authenticator::new(Arc::clone(&directory)));
    std::fs::create_dir_all(&config.server.data)
        .with_context(|| format!("the folder {} cannot be made", config.server.data.display()))?;
    let bootstrap = Bootstrap::open(&config.server.data, config.auth.admin_token.as_ref())
        .with_context(|| format!("the first admin's token in {}", config.server.data.display()))?;
    let admin_token = bootstrap.path().map(ToOwned::to_owned);
    let media = files(runtime, config, &directory)?;
    let readiness = Arc::new(Readiness::default());
    let limiter = Arc::new(Limiter::default());
    let api = Api {
        directory,
        log: store.log(),
        gateway: Arc::new(Actors(Arc::clone(&router))),
        cluster: node.as_ref().map_or_else(|| Arc::new(Single(Arc::clone(&router))) as _, cluster::Node::view),
        live: Arc::clone(live),
        media,
        accounts: Arc::new(accounts),
        authenticator: Arc::clone(&authenticator),
        bootstrap: Arc::new(bootstrap),
        limiter: Arc::clone(&limiter),
        readiness: Arc::clone(&readiness),
        metrics: metrics.clone(),
        started_at: clock::now(),
    };
    let edge = Edge {
        router: Arc::clone(&router),
        authenticator: Arc::clone(&authenticator),
        live: Arc::clone(live),
        limiter,
    };
    runtime.spawn(upkeep(Arc::clone(&router), Arc::clone(&authenticator), metrics));
    Ok(Parts { router, store, node, authenticator, readiness, edge, api, admin_token })
}

/// Opens where files are, and begins to collect what nobody uses of them.
fn files(runtime: &Runtime, config: &Config, directory: &Arc<dyn Directory>) -> anyhow::Result<Arc<Media>> {
    let objects = Objects::open(&config.media, config.server.data.join("media"))?;
    if objects.is_folder() && config.cluster.node.is_some() {
        tracing::warn!(
            "files are in a folder: every node of the cluster must see the same one, or use `media.s3_bucket`"
        );
    }
    let media = Arc::new(Media::new(Arc::clone(directory), objects, config.media.clone()));
    collector::start(&media, runtime.handle());
    Ok(media)
}

/// Keeps gauges and the times of last use up to date.
async fn upkeep(router: Arc<Router>, authenticator: Arc<Authenticator>, rendered: PrometheusHandle) {
    use std::sync::atomic::Ordering::Relaxed;
    let gauge = |value: usize| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    let mut interval = tokio::time::interval(UPKEEP);
    loop {
        interval.tick().await;
        metrics::gauge!("rookery_ws_connections").set(gauge(router.sessions.load(Relaxed)));
        let owned = router.owned().await;
        let newest = owned.iter().map(|(_, epoch)| *epoch).max().unwrap_or_default();
        metrics::gauge!("rookery_shards_owned").set(gauge(owned.len()));
        metrics::gauge!("rookery_shard_epoch_newest").set(gauge(usize::try_from(newest).unwrap_or(usize::MAX)));
        metrics::gauge!("rookery_rooms_awake").set(gauge(router.awake()));
        metrics::gauge!("rookery_store_queue").set(gauge(router.shared.log.queue_length()));
        metrics::gauge!("rookery_room_queue").set(gauge(router.waiting()));
        metrics::gauge!("rookery_hub_queue").set(gauge(router.started_hubs().map(|inbox| inbox.waiting()).sum()));
        let lost = router.hubs().iter().map(|inbox| inbox.lost()).sum();
        metrics::counter!("rookery_hub_items_lost_total").absolute(lost);
        // Else what histograms are given is kept until somebody asks for it, and perhaps nobody ever does.
        rendered.run_upkeep();
        authenticator.sweep(clock::now());
        if let Err(error) = authenticator.flush_used().await {
            tracing::warn!(%error, "when logins were last used could not be written");
        }
    }
}

fn workers(config: &Config) -> usize {
    match config.server.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        set => set,
    }
}

/// A listener with a backlog that takes a storm of reconnects.
fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let open = || -> std::io::Result<TcpListener> {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(4_096)?;
        Ok(socket.into())
    };
    open().with_context(|| format!("cannot listen on {address}"))
}

/// Tells on standard output where the server is; other programs read these lines.
fn announce((public, operators): (SocketAddr, SocketAddr), secure: bool, admin_token: Option<&std::path::Path>) {
    let scheme = if secure { "https" } else { "http" };
    let token = admin_token.map_or_else(|| "as configured".to_owned(), |path| path.display().to_string());
    let lines = format!(
        "rookery {} ready\nurl          {scheme}://{public}\nadmin        http://{operators}\nadmin token  {token}\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        // Who started the server may read no further than it wants to; that is no reason to end.
        tracing::warn!(%error, "nobody reads where the server is");
    }
}
