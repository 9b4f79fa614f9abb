//! The limits of a given server, put out of the way for the time of a bench.

use anyhow::Context;
use reqwest::Method;
use serde_json::{Map, Value};

use super::options::Common;
use super::server::OUT_OF_THE_WAY;
use crate::client::rest::Rest;

/// Limits that were changed, and what they were.
pub(super) struct Borrowed {
    admin: Rest,
    before: Map<String, Value>,
}

impl Borrowed {
    /// Changes the limits of the server that the flags name; nothing without an admin address.
    pub(super) async fn take(common: &Common) -> anyhow::Result<Option<Borrowed>> {
        let (Some(admin), Some(token)) = (&common.admin_url, &common.admin_token) else { return Ok(None) };
        let admin = Rest::new(admin)?.with_token(token);
        let config: Value = admin.ask(Method::GET, &["admin", "v1", "config"], &[], None).await?;
        let (before, wanted) = changes(config["items"].as_array().map_or(&[], Vec::as_slice));
        change(&admin, wanted).await.context("the limits cannot be changed")?;
        Ok(Some(Borrowed { admin, before }))
    }

    /// Puts back what was there.
    pub(super) async fn put_back(self) -> anyhow::Result<()> {
        change(&self.admin, self.before).await.context("the limits could not be put back")
    }
}

/// Of the settings that may be changed while the server runs: what they are, and what a bench wants them to be.
fn changes(items: &[Value]) -> (Map<String, Value>, Map<String, Value>) {
    let (mut before, mut wanted) = (Map::new(), Map::new());
    for item in items.iter().filter(|item| item["changeable"] == true) {
        if let Some((key, value)) = OUT_OF_THE_WAY.iter().find(|(key, _)| item["key"] == *key) {
            before.insert((*key).to_owned(), item["value"].clone());
            wanted.insert((*key).to_owned(), (*value).into());
        }
    }
    (before, wanted)
}

async fn change(admin: &Rest, changes: Map<String, Value>) -> anyhow::Result<()> {
    if !changes.is_empty() {
        let _: Value = admin.ask(Method::PATCH, &["admin", "v1", "config"], &[], Some(&changes.into())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_in_the_way_and_may_be_changed_is_changed() {
        let items = [
            json!({"key": "limits.sends_per_second", "value": 20, "changeable": true}),
            json!({"key": "auth.password_passes", "value": 2, "changeable": false}),
            json!({"key": "log.level", "value": "info", "changeable": true}),
        ];
        let (before, wanted) = changes(&items);
        assert_eq!(Value::from(before), json!({"limits.sends_per_second": 20}));
        assert_eq!(Value::from(wanted), json!({"limits.sends_per_second": 1_000_000}));
    }
}
