//! How two people stand, as it comes out of a table.

use rookery_core::time::Millis;
use sqlx::FromRow;

use super::user::UserRow;
use crate::store::{
    StoreError,
    record::{Contact, ContactState},
};

const INVITED: i64 = 0;
/// They invited me.
pub(in crate::store::sql) const ASKING: i64 = 1;
const CONTACT: i64 = 2;

/// A contact as it comes out of a table.
#[derive(FromRow)]
pub(in crate::store::sql) struct ContactRow {
    #[sqlx(flatten)]
    user: UserRow,
    pub(in crate::store::sql) state: i64,
    since: i64,
}

impl ContactRow {
    /// The contact in it.
    pub(in crate::store::sql) fn contact(self) -> Result<Contact, StoreError> {
        let state = match self.state {
            INVITED => ContactState::Invited,
            ASKING => ContactState::Asking,
            CONTACT => ContactState::Contact,
            other => return Err(StoreError::Corrupt(format!("state of a contact {other}"))),
        };
        Ok(Contact { user: self.user.user(), state, since: Millis(self.since) })
    }
}
