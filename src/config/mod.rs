//! Configuration: flags over `ROOKERY_*` of the environment over a file over defaults.

mod error;
mod live;
mod settings;
mod values;

use std::path::{Path, PathBuf};

pub use error::{ConfigError, EXIT_CODE};
pub use live::{Item, Live};
pub use settings::{
    AuthSettings, ClusterSettings, Config, LimitSettings, LogFormat, LogSettings, MediaSettings, Registration,
    RoomSettings, ServerSettings, StoreKind, StoreSettings,
};
pub use values::{Origin, SECRETS, Values};

/// The file that is read when none is named, if it is there.
const USUAL_FILE: &str = "rookery.toml";

/// What is said on the command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Overrides {
    /// The configuration file; without it `./rookery.toml` if there is one
    #[arg(long, env = "ROOKERY_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting, e.g. `--set limits.sends_per_second=50`; may stand several times
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
    /// Where clients connect, e.g. `0.0.0.0:8080`; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Where operators connect; keep it private
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<String>,
    /// The directory of the store
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// What is logged, e.g. `debug` or `info,rookery::store=debug`
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// `human`, `json` or `auto`
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// A configuration and where each value comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The same by key, with origins.
    pub values: Values,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// An unknown setting, a value that does not fit, a file that cannot be read: the process ends with [`EXIT_CODE`].
    pub fn load(overrides: &Overrides) -> Result<Loaded, ConfigError> {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        load_from(overrides, Path::new(USUAL_FILE), environment)
    }

    /// A commented file with every setting at its default.
    #[must_use]
    pub fn template() -> String {
        confique::toml::template::<Self>(confique::toml::FormatOptions::default())
    }
}

fn load_from(
    overrides: &Overrides,
    usual_file: &Path,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let mut values = Values::default();
    let file = overrides.config.clone().or_else(|| usual_file.exists().then(|| usual_file.to_owned()));
    if let Some(path) = file {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| ConfigError::File { path: path.display().to_string(), reason: error.to_string() })?;
        values.lay_file(&path, &text)?;
    }
    for (name, value) in environment {
        // One without a `__` is not a setting: the command line has some of its own.
        let Some((section, key)) = name.strip_prefix("ROOKERY_").and_then(|rest| rest.split_once("__")) else {
            continue;
        };
        let key = format!("{}.{}", section.to_lowercase(), key.to_lowercase());
        values.lay_text(&key, &value, Origin::Environment(name))?;
    }
    for pair in &overrides.set {
        let (key, value) = pair.split_once('=').ok_or_else(|| ConfigError::Set(pair.clone()))?;
        values.lay_text(key.trim(), value, Origin::Flag("--set"))?;
    }
    let flags = [
        ("server.listen", "--listen", &overrides.listen),
        ("server.admin_listen", "--admin-listen", &overrides.admin_listen),
        ("server.data", "--data", &overrides.data),
        ("log.level", "--log-level", &overrides.log_level),
        ("log.format", "--log-format", &overrides.log_format),
    ];
    for (key, flag, value) in flags {
        if let Some(value) = value {
            values.lay_text(key, value, Origin::Flag(flag))?;
        }
    }
    let config = values.resolve()?;
    Ok(Loaded { config, values })
}

#[cfg(test)]
mod tests;
