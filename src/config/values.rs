//! Settings as keys and values with their origin: how the layers are laid over each other before they become a `Config`.

use std::{collections::BTreeMap, fmt, path::Path};

use confique::{
    Config as _, Layer as _,
    meta::{Expr, FieldKind, LeafKind, Meta},
};
use toml::Value;

use super::{Config, ConfigError, StoreKind};

/// Settings whose value is never shown, and that can be given as `<key>_file` too.
pub const SECRETS: [&str; 4] = ["auth.admin_token", "cluster.secret", "media.s3_secret_key", "store.postgres"];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A configuration file.
    File(String),
    /// A variable of the environment.
    Environment(String),
    /// A flag.
    Flag(&'static str),
    /// An operator, while the server runs.
    Admin,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

/// Every known key with its default; `None`: there is none.
fn known() -> Vec<(String, Option<Value>)> {
    fn walk(meta: &Meta, prefix: &str, found: &mut Vec<(String, Option<Value>)>) {
        for field in meta.fields {
            let key = if prefix.is_empty() { field.name.to_owned() } else { format!("{prefix}.{}", field.name) };
            match field.kind {
                FieldKind::Nested { meta } => walk(meta, &key, found),
                FieldKind::Leaf { kind: LeafKind::Required { default: Some(default) }, .. } => {
                    found.push((key, to_value(&default)));
                }
                FieldKind::Leaf { .. } => found.push((key, None)),
            }
        }
    }
    let mut found = Vec::new();
    walk(&Config::META, "", &mut found);
    found
}

fn to_value(default: &Expr) -> Option<Value> {
    Value::try_from(default).ok()
}

/// Settings by key.
#[derive(Clone, Debug)]
pub struct Values {
    entries: BTreeMap<String, (Value, Origin)>,
}

impl Default for Values {
    fn default() -> Self {
        let entries = known().into_iter().filter_map(|(key, value)| Some((key, (value?, Origin::Default)))).collect();
        Self { entries }
    }
}

impl Values {
    /// Lays the tables of a file over what is there.
    pub(super) fn lay_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let shown = path.display().to_string();
        let table: toml::Table = toml::from_str(text)
            .map_err(|error| ConfigError::File { path: shown.clone(), reason: error.to_string() })?;
        let origin = Origin::File(shown);
        for (section, value) in table {
            match value {
                Value::Table(keys) => {
                    for (key, value) in keys {
                        self.lay(&format!("{section}.{key}"), value, origin.clone())?;
                    }
                }
                other => self.lay(&section, other, origin.clone())?,
            }
        }
        Ok(())
    }

    /// Lays one value that was written as text over what is there; its type is that of the setting.
    pub(super) fn lay_text(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), ConfigError> {
        let default = known().into_iter().find(|(name, _)| name == key).and_then(|(_, default)| default);
        let wrong = |reason: &str| ConfigError::Value {
            key: key.to_owned(),
            origin: origin.clone(),
            reason: format!("{reason}, not `{text}`"),
        };
        let value = match default {
            Some(Value::Integer(_)) => {
                let digits = text.trim().replace('_', "");
                Value::Integer(digits.parse().map_err(|_| wrong("must be a whole number"))?)
            }
            Some(Value::Boolean(_)) => Value::Boolean(text.trim().parse().map_err(|_| wrong("must be true or false"))?),
            Some(Value::Array(_)) if text.trim_start().starts_with('[') => {
                let table: toml::Table =
                    toml::from_str(&format!("list = {text}")).map_err(|_| wrong("must be a list"))?;
                table.get("list").cloned().ok_or_else(|| wrong("must be a list"))?
            }
            Some(Value::Array(_)) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
            }
            _ => Value::String(text.to_owned()),
        };
        self.lay(key, value, origin)
    }

    /// Lays one value over what is there.
    pub(super) fn lay(&mut self, key: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        if let Some(secret) = SECRETS.iter().find(|secret| key.strip_suffix("_file") == Some(**secret)) {
            let path = value.as_str().unwrap_or_default().to_owned();
            let text = std::fs::read_to_string(&path)
                .map_err(|error| ConfigError::File { path, reason: error.to_string() })?;
            let secret_value = Value::String(text.trim_end_matches(['\r', '\n']).to_owned());
            self.entries.insert((*secret).to_owned(), (secret_value, origin));
            return Ok(());
        }
        let known = known();
        if known.iter().any(|(name, _)| name == key) {
            self.entries.insert(key.to_owned(), (value, origin));
            return Ok(());
        }
        let nearest = nearest(key, known.iter().map(|(name, _)| name.as_str()));
        Err(ConfigError::Unknown { key: key.to_owned(), origin, nearest })
    }

    /// Where a value comes from.
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        self.entries.get(key).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// Every known setting in alphabetical order: key, value (`None`: not set), origin. Secrets are not shown.
    #[must_use]
    pub fn listing(&self) -> Vec<(String, Option<Value>, Origin)> {
        let mut rows: Vec<_> = known()
            .into_iter()
            .map(|(key, _)| {
                let value = self.entries.get(&key).map(|(value, _)| match SECRETS.contains(&key.as_str()) {
                    true => Value::String("(not shown)".to_owned()),
                    false => value.clone(),
                });
                let origin = self.origin(&key);
                (key, value, origin)
            })
            .collect();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows
    }

    /// The settings as a `Config`, each held to its type and range.
    pub(super) fn resolve(&self) -> Result<Config, ConfigError> {
        let mut tables: toml::Table = toml::Table::new();
        for (key, (value, _)) in &self.entries {
            let Some((section, name)) = key.split_once('.') else { continue };
            let table = tables.entry(section).or_insert_with(|| Value::Table(toml::Table::new()));
            if let Value::Table(table) = table {
                table.insert(name.to_owned(), value.clone());
            }
        }
        let layer: <Config as confique::Config>::Layer = serde_path_to_error::deserialize(Value::Table(tables))
            .map_err(|error| self.wrong(&error.path().to_string(), error.inner().message().trim().to_owned()))?;
        let defaults = <Config as confique::Config>::Layer::default_values();
        let config =
            Config::from_layer(layer.with_fallback(defaults)).map_err(|error| self.wrong("", error.to_string()))?;
        self.check(&config)?;
        Ok(config)
    }

    fn check(&self, config: &Config) -> Result<(), ConfigError> {
        for number in config.ranged() {
            if !(number.least..=number.most).contains(&number.value) {
                let reason = format!("must be from {} to {}, not {}", number.least, number.most, number.value);
                return Err(self.wrong(number.key, reason));
            }
        }
        if config.limits.body_bytes + 1_024 > config.limits.frame_bytes {
            let reason =
                "must be at least 1024 less than `limits.frame_bytes`, or no message of that size fits into a frame";
            return Err(self.wrong("limits.body_bytes", reason.to_owned()));
        }
        if config.server.tls_certificate.is_some() != config.server.tls_key.is_some() {
            return Err(self.wrong("server.tls_key", "goes together with `server.tls_certificate`".to_owned()));
        }
        let cluster = &config.cluster;
        let given = [
            ("cluster.certificate", cluster.certificate.is_some()),
            ("cluster.key", cluster.key.is_some()),
            ("cluster.authority", cluster.authority.is_some()),
            ("cluster.secret", cluster.secret.is_some()),
        ];
        if let Some((missing, _)) = given.iter().find(|(_, given)| cluster.node.is_some() && !given) {
            return Err(self.wrong(missing, "is needed, since `cluster.node` is set".to_owned()));
        }
        if config.store.kind == StoreKind::Cluster && config.store.postgres.is_none() {
            return Err(self.wrong("store.postgres", "is needed, since `store.kind` is `cluster`".to_owned()));
        }
        if config.store.kind == StoreKind::Cluster && config.store.cql.is_empty() {
            return Err(self.wrong("store.cql", "is needed, since `store.kind` is `cluster`".to_owned()));
        }
        if config.media.s3_bucket.is_some()
            && config.media.s3_access_key.is_some() != config.media.s3_secret_key.is_some()
        {
            return Err(self.wrong("media.s3_secret_key", "goes together with `media.s3_access_key`".to_owned()));
        }
        for origin in &config.server.allowed_origins {
            if !is_origin(origin) {
                let reason = format!("`{origin}` is not an origin, such as `https://chat.example.com`");
                return Err(self.wrong("server.allowed_origins", reason));
            }
        }
        if config.server.public_url.as_ref().is_some_and(|url| !is_origin(url.trim_end_matches('/'))) {
            return Err(self.wrong("server.public_url", "must look like `https://chat.example.com`".to_owned()));
        }
        if let Err(error) = config.log.level.parse::<tracing_subscriber::EnvFilter>() {
            return Err(self.wrong("log.level", error.to_string()));
        }
        Ok(())
    }

    fn wrong(&self, key: &str, reason: String) -> ConfigError {
        ConfigError::Value { key: key.to_owned(), origin: self.origin(key), reason }
    }
}

/// Scheme, host and perhaps a port; nothing after that.
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    })
}

/// The known key with the fewest letters changed, if it is near at all.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let bare = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let scored = known.map(|name| {
        // A right name in the wrong section is as near as can be.
        let distance = if bare(name) == bare(key) { 0 } else { distance(name, key) };
        (distance, name)
    });
    let (distance, name) = scored.min()?;
    (distance <= key.chars().count() / 2).then(|| name.to_owned())
}

/// Levenshtein's distance.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
