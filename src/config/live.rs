//! The settings in force, some of which an operator may change while the server runs.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rookery_core::limits::Limits;
use serde::Serialize;
use serde_json::Value as Json;

use super::{Config, ConfigError, Loaded, Origin, Values};

/// Whether a setting may be changed while the server runs.
fn is_changeable(key: &str) -> bool {
    key.starts_with("limits.") || key == "log.level" || key == "auth.registration"
}

/// One setting, as operators see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Setting)]
pub struct Item {
    /// `section.key`
    pub key: String,
    /// Its value; `null`: not set. Secrets are not shown.
    pub value: Json,
    /// Where it comes from.
    pub origin: String,
    /// Whether it may be changed while the server runs.
    pub changeable: bool,
}

type Listener = Box<dyn Fn(&Config) + Send + Sync>;

struct Current {
    config: Arc<Config>,
    limits: Limits,
    values: Values,
}

/// The settings in force. Cheap to ask; a change is seen by everybody at once.
pub struct Live {
    current: RwLock<Current>,
    listeners: Mutex<Vec<Listener>>,
}

impl Live {
    /// The settings that the server started with.
    #[must_use]
    pub fn new(loaded: Loaded) -> Self {
        let limits = loaded.config.limits();
        let current = Current { config: Arc::new(loaded.config), limits, values: loaded.values };
        Self { current: RwLock::new(current), listeners: Mutex::default() }
    }

    /// The limits that the rules of chat depend on, as they are now.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.current.read().limits
    }

    /// All settings as they are now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.current.read().config)
    }

    /// Calls this with the settings after every change.
    pub fn on_change(&self, listener: impl Fn(&Config) + Send + Sync + 'static) {
        self.listeners.lock().push(Box::new(listener));
    }

    /// Changes settings, all or none.
    ///
    /// # Errors
    /// An unknown key, one that cannot be changed now, a value that does not fit; nothing has changed then.
    pub fn change(&self, changes: &serde_json::Map<String, Json>) -> Result<(), ConfigError> {
        // Held from before the first look to after the last listener, so that two changes do not mix.
        let listeners = self.listeners.lock();
        let mut values = self.current.read().values.clone();
        for (key, value) in changes {
            let wrong = |reason: String| ConfigError::Value { key: key.clone(), origin: Origin::Admin, reason };
            let value = toml::Value::try_from(value).map_err(|_| wrong("must be a plain value".to_owned()))?;
            values.lay(key, value, Origin::Admin)?;
            if !is_changeable(key) {
                return Err(ConfigError::Fixed(key.clone()));
            }
        }
        let config = Arc::new(values.resolve()?);
        *self.current.write() = Current { config: Arc::clone(&config), limits: config.limits(), values };
        for listener in listeners.iter() {
            listener(&config);
        }
        Ok(())
    }

    /// Every setting, in alphabetical order.
    #[must_use]
    pub fn listing(&self) -> Vec<Item> {
        let rows = self.current.read().values.listing();
        rows.into_iter()
            .map(|(key, value, origin)| Item {
                changeable: is_changeable(&key),
                value: value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or(Json::Null),
                origin: origin.to_string(),
                key,
            })
            .collect()
    }
}
