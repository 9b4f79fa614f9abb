//! Every setting of the server, with its default and what it is for: the source of the template and of `config print`.

use std::{net::SocketAddr, path::PathBuf};

use rookery_core::limits::Limits;
use secrecy::SecretString;
use serde::Deserialize;

/// All settings.
#[derive(Clone, Debug, confique::Config)]
pub struct Config {
    /// The listeners and where the data is.
    #[config(nested)]
    pub server: ServerSettings,
    /// Passwords and logins.
    #[config(nested)]
    pub auth: AuthSettings,
    /// What one user, one address or one connection may take. May be changed while the server runs.
    #[config(nested)]
    pub limits: LimitSettings,
    /// The embedded store.
    #[config(nested)]
    pub store: StoreSettings,
    /// Rooms in memory.
    #[config(nested)]
    pub rooms: RoomSettings,
    /// Files that messages carry.
    #[config(nested)]
    pub media: MediaSettings,
    /// Other nodes.
    #[config(nested)]
    pub cluster: ClusterSettings,
    /// What is logged, and how.
    #[config(nested)]
    pub log: LogSettings,
}

/// The listeners and where the data is.
#[derive(Clone, Debug, confique::Config)]
pub struct ServerSettings {
    /// Where clients connect; port 0 takes a free one.
    #[config(default = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where operators connect. It gives power over everything: keep it on loopback or a private network.
    #[config(default = "127.0.0.1:8081")]
    pub admin_listen: SocketAddr,
    /// The directory of the store and of the first admin token.
    #[config(default = "data")]
    pub data: PathBuf,
    /// The address by which clients reach the server when a proxy stands in front, e.g. `https://chat.example.com`.
    pub public_url: Option<String>,
    /// Threads that serve connections; 0 is one per core.
    #[config(default = 0)]
    pub workers: usize,
    /// The certificate chain (PEM); with it and `tls_key` the public listener speaks TLS.
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    pub tls_key: Option<PathBuf>,
    /// Origins of web pages that may use the server from a browser, e.g. `https://chat.example.com`; exact.
    #[config(default = [])]
    pub allowed_origins: Vec<String>,
}

/// Passwords and logins.
#[derive(Clone, Debug, confique::Config)]
pub struct AuthSettings {
    /// Memory that hashing one password takes, in KiB (Argon2id).
    #[config(default = 19456)]
    pub password_memory_kib: u32,
    /// Passes over that memory.
    #[config(default = 2)]
    pub password_passes: u32,
    /// Days after which a login ends by itself.
    #[config(default = 90)]
    pub login_days: u32,
    /// Who may make an account: `open`: everybody; `closed`: only operators make them. May be changed while the server runs.
    #[config(default = "open")]
    pub registration: Registration,
    /// The first operator's token. Without it one is made at the first start and kept in the file `admin.token` of the data
    /// directory. Better given as `admin_token_file`, the name of a file that holds it.
    pub admin_token: Option<SecretString>,
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Everybody.
    Open,
    /// Only operators.
    Closed,
}

/// What one user, one address or one connection may take.
#[derive(Clone, Debug, confique::Config)]
pub struct LimitSettings {
    /// Bytes of one WebSocket frame from a client.
    #[config(default = 65_536)]
    pub frame_bytes: usize,
    /// Bytes of one message.
    #[config(default = 16_384)]
    pub body_bytes: usize,
    /// Rooms that one user may be in.
    #[config(default = 1_000)]
    pub rooms_per_user: usize,
    /// Members of one room.
    #[config(default = 100_000)]
    pub members_per_room: usize,
    /// Writes per second that a user may keep up.
    #[config(default = 20)]
    pub sends_per_second: u32,
    /// Writes that a user may make at once after a pause.
    #[config(default = 60)]
    pub send_burst: u32,
    /// Connections of one user at once.
    #[config(default = 100)]
    pub connections_per_user: usize,
    /// Connections of one login at once; one more closes the oldest.
    #[config(default = 10)]
    pub connections_per_device: usize,
    /// Bytes that may wait for a slow reader.
    #[config(default = 1_048_576)]
    pub outbox_bytes: usize,
    /// Frames that may wait for a slow reader.
    #[config(default = 4_096)]
    pub outbox_frames: usize,
    /// REST requests per second that a user may keep up.
    #[config(default = 50)]
    pub requests_per_second: u32,
    /// REST requests that a user may make at once after a pause.
    #[config(default = 200)]
    pub request_burst: u32,
    /// Requests without a valid login (accounts, logins, bad tokens) per minute from one address.
    #[config(default = 300)]
    pub anonymous_per_minute: u32,
    /// Seconds until `hello` must have come.
    #[config(default = 10)]
    pub hello_seconds: u32,
    /// Seconds between pings; two unanswered ones end the connection.
    #[config(default = 25)]
    pub heartbeat_seconds: u32,
    /// Seconds that a reader may take nothing at all while frames wait for it.
    #[config(default = 30)]
    pub slow_reader_seconds: u32,
    /// Seconds that a fragmented message may take.
    #[config(default = 10)]
    pub fragment_seconds: u32,
}

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// One file in the data folder.
    Embedded,
    /// Logs in ScyllaDB or Cassandra, everything else in PostgreSQL.
    Cluster,
}

/// The store.
#[derive(Clone, Debug, confique::Config)]
pub struct StoreSettings {
    /// `embedded`: one file in the data folder. `cluster`: logs in ScyllaDB or Cassandra, everything else in PostgreSQL.
    #[config(default = "embedded")]
    pub kind: StoreKind,
    /// Where PostgreSQL is: `postgres://user:password@host:port/database?sslmode=verify-full`. Better given as
    /// `postgres_file`, the name of a file that holds it.
    pub postgres: Option<SecretString>,
    /// Some servers of ScyllaDB or Cassandra, as `host:port`.
    #[config(default = [])]
    pub cql: Vec<String>,
    /// The keyspace of the logs; made if it is not there.
    #[config(default = "rookery")]
    pub keyspace: String,
    /// How many replicas a keyspace gets that is made.
    #[config(default = 3)]
    pub replication: u8,
    /// Events in one durable commit, at most.
    #[config(default = 256)]
    pub commit_events: usize,
    /// Milliseconds that a commit may wait for more events.
    #[config(default = 2)]
    pub commit_millis: u64,
    /// Connections for reading.
    #[config(default = 4)]
    pub read_connections: u32,
    /// Memory of the store's page cache, in MiB.
    #[config(default = 64)]
    pub cache_mib: u32,
}

/// Rooms in memory.
#[derive(Clone, Debug, confique::Config)]
pub struct RoomSettings {
    /// Seconds without a listener and without a write after which a room leaves memory.
    #[config(default = 300)]
    pub idle_seconds: u32,
}

/// Files that messages carry.
#[derive(Clone, Debug, confique::Config)]
pub struct MediaSettings {
    /// Bytes of one file.
    #[config(default = 2_147_483_648u64)]
    pub max_size: u64,
    /// Bytes of all files of one user.
    #[config(default = 10_737_418_240u64)]
    pub quota: u64,
    /// The folder of their bytes, if not `media` in the data folder. Nodes must share it, or use S3.
    pub folder: Option<PathBuf>,
    /// The bucket of their bytes: with it they are in S3, or in what speaks as it does.
    pub s3_bucket: Option<String>,
    /// Where that is, e.g. `https://s3.example.com`; without it Amazon's, by the region.
    pub s3_endpoint: Option<String>,
    /// The region of the bucket.
    #[config(default = "us-east-1")]
    pub s3_region: String,
    /// The name of the key to the bucket.
    pub s3_access_key: Option<String>,
    /// The key to the bucket. Better given as `s3_secret_key_file`, the name of a file that holds it.
    pub s3_secret_key: Option<SecretString>,
    /// Seconds after which an upload that is not complete is given up.
    #[config(default = 86_400)]
    pub upload_seconds: u32,
    /// Seconds for which a file is kept that no message refers to.
    #[config(default = 86_400)]
    pub unused_seconds: u32,
    /// Seconds between two searches for what is to be removed.
    #[config(default = 600)]
    pub collect_seconds: u32,
}

/// Other nodes. `rookery cluster` makes the files.
#[derive(Clone, Debug, confique::Config)]
pub struct ClusterSettings {
    /// This node's name in its cluster; without it the node is alone.
    pub node: Option<String>,
    /// Where other nodes connect: TCP for links, UDP for gossip.
    #[config(default = "127.0.0.1:8082")]
    pub listen: SocketAddr,
    /// Where other nodes reach this one, if not where it listens: a host or an address, with or without a port.
    pub advertise: Option<String>,
    /// Some other nodes, e.g. `10.0.0.1:8082`; at least one of them must be there when this one starts, or start soon.
    #[config(default = [])]
    pub seeds: Vec<String>,
    /// This node's certificate (PEM).
    pub certificate: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    pub key: Option<PathBuf>,
    /// The certificate of who vouches for nodes (PEM).
    pub authority: Option<PathBuf>,
    /// The cluster's secret. Better given as `secret_file`, the name of a file that holds it.
    pub secret: Option<SecretString>,
    /// Milliseconds between two rounds of gossip. A node counts as dead after about six of them.
    #[config(default = 500)]
    pub gossip_millis: u64,
}

/// What is logged, and how.
#[derive(Clone, Debug, confique::Config)]
pub struct LogSettings {
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,rookery::store=debug`. May be
    /// changed while the server runs.
    #[config(default = "info")]
    pub level: String,
    /// `human`, `json`, or `auto`: human on a terminal, else JSON.
    #[config(default = "auto")]
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Human on a terminal, else JSON.
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// A number and the range that it must lie in.
pub(super) struct Ranged {
    pub(super) key: &'static str,
    pub(super) value: u64,
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Config {
    /// The limits that the rules of chat depend on.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let limits = &self.limits;
        Limits {
            frame_bytes: limits.frame_bytes,
            body_bytes: limits.body_bytes,
            rooms_per_user: limits.rooms_per_user,
            members_per_room: limits.members_per_room,
            sends_per_second: limits.sends_per_second,
            send_burst: limits.send_burst,
            connections_per_user: limits.connections_per_user,
            connections_per_device: limits.connections_per_device,
            outbox_bytes: limits.outbox_bytes,
            outbox_frames: limits.outbox_frames,
            hello_seconds: limits.hello_seconds,
            heartbeat_seconds: limits.heartbeat_seconds,
            slow_reader_seconds: limits.slow_reader_seconds,
            fragment_seconds: limits.fragment_seconds,
        }
    }

    /// Whether pages of this origin may use the server from a browser. Exact: no wildcards, no default ports.
    #[must_use]
    pub fn allows_origin(&self, origin: &str) -> bool {
        let own = self.server.public_url.as_deref().map(|url| url.trim_end_matches('/'));
        !origin.is_empty()
            && (own == Some(origin) || self.server.allowed_origins.iter().any(|allowed| allowed == origin))
    }

    /// Every number with its range. Bodies end at half a MiB because a stored page of 200 of them is held in memory.
    pub(super) fn ranged(&self) -> Vec<Ranged> {
        let ranged = |key, value: usize, least, most| Ranged { key, value: value as u64, least, most };
        let number = |key, value: u32, least, most| Ranged { key, value: u64::from(value), least, most };
        let (auth, limits, store) = (&self.auth, &self.limits, &self.store);
        vec![
            ranged("server.workers", self.server.workers, 0, 512),
            number("auth.password_memory_kib", auth.password_memory_kib, 8, 4_194_304),
            number("auth.password_passes", auth.password_passes, 1, 100),
            number("auth.login_days", auth.login_days, 1, 3_650),
            ranged("limits.frame_bytes", limits.frame_bytes, 1_024, 4_194_304),
            ranged("limits.body_bytes", limits.body_bytes, 1, 524_288),
            ranged("limits.rooms_per_user", limits.rooms_per_user, 1, 10_000),
            ranged("limits.members_per_room", limits.members_per_room, 2, 1_000_000),
            number("limits.sends_per_second", limits.sends_per_second, 1, 1_000_000),
            number("limits.send_burst", limits.send_burst, 1, 1_000_000),
            ranged("limits.connections_per_user", limits.connections_per_user, 1, 1_000_000),
            ranged("limits.connections_per_device", limits.connections_per_device, 1, 1_000_000),
            ranged("limits.outbox_bytes", limits.outbox_bytes, 4_096, 1 << 30),
            ranged("limits.outbox_frames", limits.outbox_frames, 16, 1_000_000),
            number("limits.requests_per_second", limits.requests_per_second, 1, 1_000_000),
            number("limits.request_burst", limits.request_burst, 1, 1_000_000),
            number("limits.anonymous_per_minute", limits.anonymous_per_minute, 1, 60_000_000),
            number("limits.hello_seconds", limits.hello_seconds, 1, 3_600),
            number("limits.heartbeat_seconds", limits.heartbeat_seconds, 1, 3_600),
            number("limits.slow_reader_seconds", limits.slow_reader_seconds, 1, 3_600),
            number("limits.fragment_seconds", limits.fragment_seconds, 1, 3_600),
            ranged("store.commit_events", store.commit_events, 1, 4_096),
            Ranged { key: "store.commit_millis", value: store.commit_millis, least: 0, most: 1_000 },
            number("store.read_connections", store.read_connections, 1, 256),
            number("store.cache_mib", store.cache_mib, 1, 65_536),
            number("rooms.idle_seconds", self.rooms.idle_seconds, 1, 86_400),
            Ranged { key: "media.max_size", value: self.media.max_size, least: 1, most: 1 << 40 },
            Ranged { key: "media.quota", value: self.media.quota, least: 1, most: 1 << 50 },
            number("media.upload_seconds", self.media.upload_seconds, 1, 31_536_000),
            number("media.unused_seconds", self.media.unused_seconds, 1, 31_536_000),
            number("media.collect_seconds", self.media.collect_seconds, 1, 86_400),
            Ranged { key: "cluster.gossip_millis", value: self.cluster.gossip_millis, least: 50, most: 10_000 },
        ]
    }
}
