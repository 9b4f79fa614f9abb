//! The operations on files.

use actix_web::http::Method;

use super::operation::{Operation, Parameter, operation};
use crate::http::routes::media;

pub(super) fn operations() -> Vec<Operation> {
    const FILE: &str = "/api/v1/media/{media}";
    const TICKET: [Parameter; 1] = [Parameter::Text("ticket", "From a link, in place of a token.")];
    let read = |path, summary| {
        operation(Method::GET, path, summary)
            .with(&TICKET)
            .says(200, Some("application/octet-stream"), "All of it, under its own type if that is shown.")
            .says(206, Some("application/octet-stream"), "The bytes that `Range` asks for.")
            .says(304, None, "As `If-None-Match` says.")
    };
    vec![
        operation(Method::POST, "/api/v1/rooms/{room}/media", "Begin an upload")
            .takes::<media::MediaRequest>()
            .repeatable()
            .gives::<media::MediaView>(201, "Its parts may come."),
        operation(Method::PUT, "/api/v1/media/{media}/parts/{part}", "One part of an upload").takes_bytes().done(),
        operation(Method::POST, "/api/v1/media/{media}/complete", "All parts are there")
            .gives::<media::MediaView>(200, "It can be attached."),
        operation(Method::GET, FILE, "One file, and which of its parts are there")
            .gives::<media::MediaView>(200, "The file."),
        operation(Method::DELETE, FILE, "Delete a file that no message refers to").done(),
        read("/api/v1/media/{media}/content", "The file itself"),
        read("/api/v1/media/{media}/thumbnail", "A small picture of it"),
        operation(Method::POST, "/api/v1/media/{media}/links", "A link to it for five minutes")
            .gives::<media::MediaLink>(201, "The link."),
    ]
}
