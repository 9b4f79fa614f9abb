//! Finding people.

use actix_web::{HttpRequest, HttpResponse, web};
use rookery_core::ids::UserId;

use super::{Parameters, Shared, query};
use crate::{
    http::{
        Answer, Problem,
        answer::{paging, view::User},
    },
    store::Page,
};

/// One user, also one whose account is gone.
pub(in crate::http) async fn show(api: Shared, user: web::Path<UserId>) -> Answer {
    let user = api.directory.user(user.into_inner()).await?.ok_or_else(|| Problem::not_found("user"))?;
    Ok(HttpResponse::Ok().json(User::from(user)))
}

/// Users by the beginning of handle or name, then by what they contain.
pub(in crate::http) async fn search(api: Shared, request: HttpRequest, parameters: Parameters) -> Answer {
    let query = query(&parameters)?.filter(|query| !query.trim().is_empty());
    let query = query.ok_or_else(|| Problem::field("query", "missing", "at least one character"))?;
    let page = api.directory.search_users(query.trim().to_lowercase(), false, parameters.range()?).await?;
    let items = page.items.into_iter().map(User::from).collect();
    Ok(paging::list(&request, Page::<User> { items, next: page.next }))
}
