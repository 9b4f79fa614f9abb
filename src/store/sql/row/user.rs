//! Accounts, as they come out of a table.

use rookery_core::{ids::UserId, time::Millis};
use sqlx::FromRow;
use uuid::Uuid;

use super::unsigned;
use crate::store::record::{Credentials, PlatformRole, User};

/// An account as it comes out of a table.
#[derive(FromRow)]
pub(in crate::store::sql) struct UserRow {
    id: Uuid,
    handle: Option<String>,
    display_name: String,
    about: Option<String>,
    email: Option<String>,
    role: i64,
    disabled: bool,
    deleted: bool,
    created_at: i64,
    last_seen: Option<i64>,
}

impl UserRow {
    /// The user in it.
    pub(in crate::store::sql) fn user(self) -> User {
        User {
            id: UserId(self.id),
            handle: self.handle.unwrap_or_default(),
            display_name: self.display_name,
            about: self.about,
            email: self.email,
            role: if self.role == 1 { PlatformRole::Admin } else { PlatformRole::User },
            disabled: self.disabled,
            deleted: self.deleted,
            created_at: Millis(self.created_at),
            last_seen: self.last_seen.map(Millis),
        }
    }
}

/// What a login is checked against.
#[derive(FromRow)]
pub(in crate::store::sql) struct CredentialsRow {
    #[sqlx(flatten)]
    user: UserRow,
    password_hash: String,
    failures: i64,
    failed_at: i64,
}

impl CredentialsRow {
    /// What is in it.
    pub(in crate::store::sql) fn credentials(self) -> Credentials {
        Credentials {
            user: self.user.user(),
            password_hash: self.password_hash,
            failures: u32::try_from(unsigned(self.failures)).unwrap_or(u32::MAX),
            failed_at: Millis(self.failed_at),
        }
    }
}

/// The columns of a user; `u` is the table.
macro_rules! select_user {
    ($rest:expr) => {
        concat!(
            "SELECT u.id, u.handle, u.display_name, u.about, u.email, u.role, u.disabled, u.deleted, u.created_at,
             u.last_seen ",
            $rest
        )
    };
}
pub(in crate::store::sql) use select_user;

/// The number that stands for a role.
pub(in crate::store::sql) const fn platform_role_number(role: PlatformRole) -> i64 {
    match role {
        PlatformRole::User => 0,
        PlatformRole::Admin => 1,
    }
}
