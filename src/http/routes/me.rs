//! One's own account.

use actix_web::{HttpRequest, HttpResponse};
use rookery_core::text;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Shared, Who, close_logins, erase::erase as erase_account};
use crate::{
    auth,
    clock::now,
    http::{
        Answer, Problem,
        answer::view::Me,
        request::{Body, clearable},
    },
    store::record::UserPatch,
};

/// What to change of one's account; `null` clears.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MeChange)]
pub(in crate::http) struct Change {
    /// The name; cleared it is the handle.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>)]
    display_name: Option<Option<String>>,
    /// The address.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    /// A few words.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>)]
    about: Option<Option<String>>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PasswordChange {
    /// The one that holds.
    #[schema(format = Password)]
    current: String,
    /// The one to come: 8 to 1,024 bytes.
    #[schema(format = Password, min_length = 8)]
    new: String,
}

/// The proof that it is really them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PasswordProof {
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// Who I am.
pub(in crate::http) async fn show(api: Shared, me: Who) -> Answer {
    let user = api.directory.user(me.user).await?.ok_or_else(|| Problem::not_found("user"))?;
    Ok(HttpResponse::Ok().json(Me::from(user)))
}

/// Changes what is named.
pub(in crate::http) async fn change(api: Shared, me: Who, body: Body<Change>) -> Answer {
    let Change { display_name, email, about } = body.value;
    let display_name = match display_name {
        None => None,
        Some(Some(name)) => Some(text::name("display_name", &name)?),
        Some(None) => api.directory.user(me.user).await?.map(|user| user.handle),
    };
    let email = email.map(|email| email.as_deref().map(auth::email).transpose()).transpose()?;
    let about = about.map(|about| about.as_deref().map(|about| text::line("about", about)).transpose()).transpose()?;
    let about = about.map(|about| about.filter(|about| !about.is_empty()));
    let patch = UserPatch { display_name, about, email, ..UserPatch::default() };
    let user = api.directory.update_user(me.user, patch).await?;
    Ok(HttpResponse::Ok().json(Me::from(user)))
}

/// Another password; every other login ends.
pub(in crate::http) async fn change_password(api: Shared, me: Who, body: Body<PasswordChange>) -> Answer {
    auth::check_password_rules("new", &body.value.new)?;
    let guarded = api.accounts.guard(me.user, &body.value.current, now()).await?;
    let ended = api.accounts.change_password(guarded, "new", &body.value.new, me.device).await?;
    close_logins(&api, me.user, ended, "password changed");
    Ok(HttpResponse::NoContent().finish())
}

/// Takes everything personal out of the account.
pub(in crate::http) async fn erase(api: Shared, request: HttpRequest, me: Who, body: Body<PasswordProof>) -> Answer {
    let guarded = api.accounts.guard(me.user, &body.value.password, now()).await?;
    drop(guarded);
    erase_account(&api, me.user, &super::request_id(&request)).await?;
    Ok(HttpResponse::NoContent().finish())
}
