//! Logs and metrics.

use std::io::IsTerminal;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt, reload, util::SubscriberInitExt};

use crate::config::{LogFormat, LogSettings};

/// What is logged besides the filter: ractor has a span per actor and a warning per connection, actix a line per socket, and
/// one, as an error, per request or frame that breaks the protocol, which anybody can send.
const QUIET: [&str; 5] = ["ractor=warn", "ractor_cluster=error", "actix_server=warn", "sqlx=warn", "actix_http=off"];

/// Changes what is logged while the server runs.
#[derive(Clone)]
pub struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// From now on this is logged.
    pub fn set(&self, level: &str) {
        match filter(level) {
            Ok(filter) => {
                if let Err(error) = self.0.reload(filter) {
                    tracing::warn!(%error, "what is logged stays as it was");
                }
            }
            Err(error) => tracing::warn!(%error, "what is logged stays as it was"),
        }
    }
}

/// Starts logging to standard error: for people on a terminal, else a JSON object per line.
///
/// # Errors
/// The filter cannot be read.
pub fn start_logs(settings: &LogSettings) -> anyhow::Result<LogLevel> {
    let (filter, handle) = reload::Layer::new(filter(&settings.level)?);
    let human = match settings.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    let started = if human {
        registry.with(layer.with_ansi(std::io::stderr().is_terminal())).try_init()
    } else {
        registry.with(layer.json().flatten_event(true)).try_init()
    };
    started.context("logging was started twice")?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic: {}", panic.payload_as_str().unwrap_or("of an unknown kind"));
    }));
    Ok(LogLevel(handle))
}

fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    let mut filter = EnvFilter::try_new(level).with_context(|| format!("`{level}` says not what to log"))?;
    for quiet in QUIET {
        let name = quiet.split_once('=').map_or(quiet, |(name, _)| name);
        if !level.contains(name) {
            filter = filter.add_directive(quiet.parse().context("a built-in directive")?);
        }
    }
    Ok(filter)
}

/// Starts counting.
///
/// # Errors
/// Something counts already.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let seconds = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
    let events = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_events".to_owned()), &events))
        .context("the buckets of the histograms")?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).context("metrics were started twice")?;
    metrics::gauge!("rookery_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}
