//! The operations on accounts, logins, people; health and documentation.

use actix_web::http::Method;

use super::operation::{Operation, Parameter, operation};
use crate::http::{
    answer::view::{Contact, DeviceView, Me, User},
    routes::{accounts, health, logins, me},
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = accounts_and_logins();
    all.extend(contacts_and_blocks());
    all.extend(health_and_docs());
    all
}

fn accounts_and_logins() -> Vec<Operation> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        operation(post.clone(), "/api/v1/accounts", "Make an account")
            .takes::<accounts::AccountRequest>()
            .gives::<User>(201, "The account."),
        operation(post.clone(), "/api/v1/logins", "Log in")
            .takes::<logins::LoginRequest>()
            .gives::<logins::Login>(201, "The login."),
        operation(get.clone(), "/api/v1/logins", "My logins").lists::<DeviceView>(),
        operation(Method::DELETE, "/api/v1/logins", "Log out everywhere else").done(),
        operation(Method::DELETE, "/api/v1/logins/current", "Log out here").done(),
        operation(Method::DELETE, "/api/v1/logins/{device}", "Log out one login").done(),
        operation(get.clone(), "/api/v1/me", "Who I am").gives::<Me>(200, "Me."),
        operation(Method::PATCH, "/api/v1/me", "Change my profile")
            .takes::<me::Change>()
            .gives::<Me>(200, "Me, changed."),
        operation(Method::DELETE, "/api/v1/me", "End my account").takes::<me::PasswordProof>().done(),
        operation(post.clone(), "/api/v1/me/password", "Change my password; every other login ends")
            .takes::<me::PasswordChange>()
            .done(),
        operation(get.clone(), "/api/v1/users/{user}", "One user").gives::<User>(200, "The user."),
        operation(get, "/api/v1/users", "Find users")
            .with(&[Parameter::Words("query", "Beginning of handle or name, else a part of it.")])
            .lists::<User>(),
        operation(post, "/api/v1/tickets", "A ticket for the handshake of a WebSocket")
            .repeatable()
            .gives::<logins::Ticket>(201, "The ticket."),
    ]
}

fn contacts_and_blocks() -> Vec<Operation> {
    const CONTACT: &str = "/api/v1/contacts/{user}";
    const BLOCK: &str = "/api/v1/blocks/{user}";
    vec![
        operation(Method::GET, "/api/v1/contacts", "My contacts and invitations").lists::<Contact>(),
        operation(Method::GET, CONTACT, "How I stand with somebody").gives::<Contact>(200, "The contact."),
        operation(Method::PUT, CONTACT, "Invite, or accept an invitation")
            .gives::<Contact>(201, "Invited.")
            .gives::<Contact>(200, "Accepted, or as it was."),
        operation(Method::DELETE, CONTACT, "Cancel, refuse or remove").done(),
        operation(Method::GET, "/api/v1/blocks", "Whom I block").lists::<User>(),
        operation(Method::GET, BLOCK, "Whether I block somebody").gives::<User>(200, "I do."),
        operation(Method::PUT, BLOCK, "Block somebody").gives::<User>(201, "Blocked.").gives::<User>(200, "As it was."),
        operation(Method::DELETE, BLOCK, "Unblock somebody").done(),
    ]
}

fn health_and_docs() -> Vec<Operation> {
    vec![
        operation(Method::GET, "/", "The web client; on the admin listener the page of operators").says(
            200,
            Some("text/html"),
            "Its page.",
        ),
        operation(Method::GET, "/assets/{file}", "What that page names").says(
            200,
            Some("text/javascript"),
            "The file, as what its name says.",
        ),
        operation(Method::GET, "/healthz", "Whether the process lives").says(200, Some("text/plain"), "It does."),
        operation(Method::GET, "/readyz", "Whether new work is welcome")
            .with(&[Parameter::Given("verbose", "Says more, as JSON.")])
            .says(200, Some("text/plain"), "It is.")
            .may_give::<health::Readiness>(200)
            .gives::<health::Readiness>(503, "It is not, with `verbose`."),
        operation(Method::GET, "/docs", "The documentation").says(200, Some("text/html"), "The list of pages."),
        operation(Method::GET, "/docs/{page}", "One page of it").says(200, Some("text/html"), "The page."),
        operation(Method::GET, "/docs/adr/{decision}", "One decision and its reasons").says(
            200,
            Some("text/html"),
            "The page.",
        ),
    ]
}
