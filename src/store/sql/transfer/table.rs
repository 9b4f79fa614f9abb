//! What is moved: the tables of both databases, column by column.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Id,
    Number,
    /// A number in SQLite, a truth value in PostgreSQL.
    Flag,
    Text,
    Bytes,
}

/// One column.
pub(super) struct Column {
    /// What to ask SQLite for.
    pub(super) from: &'static str,
    /// What it is called in PostgreSQL.
    pub(super) to: &'static str,
    pub(super) sort: Sort,
}

/// One table.
pub struct Table {
    /// Its name, the same in both.
    pub name: &'static str,
    /// The first of its columns that are its key; rows go over in the order of it, which both databases agree on.
    pub(super) key: usize,
    pub(super) columns: &'static [Column],
}

/// Makes columns from `sort name` where both databases call it the same, or `sort to = from`.
macro_rules! columns {
    ($($sort:ident $to:literal $(= $from:literal)?),+ $(,)?) => {
        &[$(Column { from: columns!(@ $to $($from)?), to: $to, sort: Sort::$sort }),+]
    };
    (@ $to:literal) => { $to };
    (@ $to:literal $from:literal) => { $from };
}

/// Every table but those of the logs, in an order that suits their references.
pub const TABLES: &[Table] = &[
    Table {
        name: "users",
        key: 1,
        columns: columns![
            Id "id", Text "handle", Text "skeleton", Text "display_name", Text "folded_name", Text "about", Text "email",
            Number "role", Flag "disabled", Flag "deleted", Number "created_at", Number "last_seen",
            Text "password_hash", Number "failures", Number "failed_at",
        ],
    },
    Table {
        name: "devices",
        key: 1,
        columns: columns![
            Id "id", Id "owner" = "user", Text "name", Bytes "token", Number "created_at", Number "last_used_at",
            Number "expires_at",
        ],
    },
    Table { name: "contacts", key: 2, columns: columns![Id "owner", Id "other", Number "state", Number "since"] },
    Table { name: "blocks", key: 2, columns: columns![Id "owner", Id "other", Number "at"] },
    Table {
        name: "idempotency",
        key: 2,
        columns: columns![
            Id "owner" = "user", Text "key", Bytes "request", Number "status", Bytes "body", Number "at",
        ],
    },
    Table {
        name: "audit",
        key: 1,
        columns: columns![Number "pos", Number "at", Text "actor", Text "action", Text "subject", Text "detail"],
    },
    Table {
        name: "rooms",
        key: 1,
        columns: columns![
            Id "id", Number "kind", Text "name", Text "folded_name", Text "topic", Number "visibility",
            Flag "archived", Flag "deleted", Number "created_at", Number "members", Id "pair_low", Id "pair_high",
            // In SQLite all of these follow from the log, which is in the same file and never ahead.
            Number "applied" = "coalesce((SELECT max(seq) FROM events WHERE room = rooms.id), 0)",
            Number "head" = "coalesce((SELECT max(seq) FROM events WHERE room = rooms.id), 0)",
            Number "messages" =
                "coalesce((SELECT messages FROM events WHERE room = rooms.id ORDER BY seq DESC LIMIT 1), 0)",
            Number "active_at" =
                "coalesce((SELECT at FROM events WHERE room = rooms.id ORDER BY seq DESC LIMIT 1), created_at)",
            Flag "published" = "1",
        ],
    },
    Table {
        name: "memberships",
        key: 2,
        columns: columns![
            Id "room", Id "member" = "user", Number "role", Number "joined_at", Number "visible_from",
            Number "muted_until", Number "read", Number "read_messages", Number "delivered", Number "notify",
            Number "notify_muted_until",
        ],
    },
    Table {
        name: "media",
        key: 1,
        columns: columns![
            Id "id", Id "room", Id "uploader", Text "name", Number "size", Number "kept", Bytes "sha256", Text "voice",
            Number "state", Number "created_at", Number "used_at", Flag "attached", Text "made",
        ],
    },
    Table { name: "media_refs", key: 3, columns: columns![Id "media", Id "room", Number "seq"] },
    Table { name: "bans", key: 2, columns: columns![Id "room", Id "member" = "user"] },
];
