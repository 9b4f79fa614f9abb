//! The operations of operators.

use actix_web::http::Method;

use super::operation::{Operation, Parameter, operation};
use crate::http::admin::{nodes, rooms, server, sessions, users};

const QUERY: Parameter = Parameter::Text("query", "The beginning of it.");

pub(super) fn operations() -> Vec<Operation> {
    const USER: &str = "/admin/v1/users/{user}";
    const ROOM: &str = "/admin/v1/rooms/{room}";
    const CONFIG: &str = "/admin/v1/config";
    let (get, delete) = (Method::GET, Method::DELETE);
    vec![
        operation(get.clone(), "/metrics", "Everything that is counted").says(
            200,
            Some("text/plain"),
            "For Prometheus.",
        ),
        operation(get.clone(), "/admin/v1/overview", "How the server is").gives::<server::Overview>(200, "How it is."),
        operation(get.clone(), "/admin/v1/nodes", "Every node").gives::<nodes::Nodes>(200, "The nodes."),
        operation(get.clone(), "/admin/v1/nodes/{node}", "One node").gives::<nodes::AdminNode>(200, "The node."),
        operation(Method::POST, "/admin/v1/nodes/{node}/drain", "Have a node give its shards away").done(),
        operation(Method::POST, "/admin/v1/nodes/{node}/resume", "Have a node take its part again").done(),
        operation(get.clone(), "/admin/v1/shards", "Who owns what").lists::<nodes::AdminShard>(),
        operation(Method::POST, "/admin/v1/shards/{shard}/move", "Move a shard, or say what that would do")
            .takes::<nodes::Move>()
            .gives::<nodes::Moved>(200, "What it does."),
        operation(get.clone(), "/admin/v1/users", "Users").with(&[QUERY]).lists::<users::AdminUser>(),
        operation(get.clone(), USER, "One user").gives::<users::AdminUser>(200, "The user."),
        operation(Method::PATCH, USER, "Shut out, let in, change role or password")
            .takes::<users::Change>()
            .gives::<users::AdminUser>(200, "The user, changed."),
        operation(delete.clone(), USER, "End an account").done(),
        operation(get.clone(), "/admin/v1/users/{user}/sessions", "A user's connections")
            .lists::<sessions::AdminSession>(),
        operation(get.clone(), "/admin/v1/sessions", "All connections").lists::<sessions::AdminSession>(),
        operation(delete.clone(), "/admin/v1/sessions/{session}", "Close a connection").done(),
        operation(get.clone(), "/admin/v1/rooms", "Rooms").with(&[QUERY]).lists::<rooms::AdminRoom>(),
        operation(get.clone(), ROOM, "One room").gives::<rooms::AdminRoom>(200, "The room."),
        operation(Method::PATCH, ROOM, "Archive, open, let a quarantined room try again")
            .takes::<rooms::Change>()
            .gives::<rooms::AdminRoom>(200, "The room, changed."),
        operation(delete, ROOM, "End a room").done(),
        operation(Method::POST, "/admin/v1/rooms/{room}/announce", "Tell everybody in a room something")
            .takes::<rooms::Announcement>()
            .gives::<rooms::Announced>(201, "Where it stands."),
        operation(get.clone(), "/admin/v1/rooms/{room}/digest", "A room's log in 32 bytes")
            .gives::<rooms::RoomDigest>(200, "The digest."),
        operation(get.clone(), CONFIG, "Every setting").gives::<server::Settings>(200, "The settings."),
        operation(Method::PATCH, CONFIG, "Change settings, all or none")
            .takes::<server::SettingsChange>()
            .gives::<server::Settings>(200, "The settings, changed."),
        operation(get, "/admin/v1/audit", "The audit log, newest first").lists::<server::AuditLine>(),
    ]
}
