//! Making an account.

use actix_web::{HttpResponse, http::header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Shared;
use crate::{
    auth::NewAccount,
    clock::now,
    http::{Answer, answer::view::User, request::Body},
    store::record::PlatformRole,
};

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAccount)]
pub(in crate::http) struct AccountRequest {
    /// 2 to 32 letters, digits, `_`, `.`, `-`.
    #[schema(min_length = 2)]
    handle: String,
    /// 8 to 1,024 bytes.
    #[schema(format = Password, min_length = 8)]
    password: String,
    /// The handle if there is none.
    #[serde(default)]
    display_name: Option<String>,
    /// An address; one may log in with it.
    #[serde(default)]
    email: Option<String>,
}

/// Makes an account.
pub(in crate::http) async fn create(api: Shared, body: Body<AccountRequest>) -> Answer {
    let AccountRequest { handle, password, display_name, email } = body.value;
    let account = NewAccount { handle, password, display_name, email, role: PlatformRole::User };
    let user = api.accounts.register(account, now()).await?;
    let location = format!("/api/v1/users/{}", user.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(User::from(user)))
}
