-- Everything that Rookery keeps. Ids are 16-byte blobs, times are milliseconds since 1970, positions in a log are integers.

CREATE TABLE shards (
    shard INTEGER PRIMARY KEY,
    owner BLOB NOT NULL,
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE rooms (
    id BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    topic TEXT NOT NULL,
    visibility INTEGER NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    members INTEGER NOT NULL DEFAULT 0,
    pair_low BLOB,
    pair_high BLOB
) STRICT, WITHOUT ROWID;

-- Two people have one direct room.
CREATE UNIQUE INDEX rooms_by_pair ON rooms (pair_low, pair_high) WHERE pair_low IS NOT NULL AND deleted = 0;
CREATE INDEX rooms_public ON rooms (folded_name, id) WHERE visibility = 1 AND deleted = 0;

-- The truth of every room. `pos` is only where a row lies; order is (room, seq).
CREATE TABLE events (
    pos INTEGER PRIMARY KEY,
    room BLOB NOT NULL,
    seq INTEGER NOT NULL,
    stamp INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    sender BLOB NOT NULL,
    client_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    target INTEGER,
    messages INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (room, seq),
    UNIQUE (room, sender, client_id)
) STRICT;

-- The edits of a message: a delete empties them too.
CREATE INDEX events_edits ON events (room, target) WHERE kind = 1;

-- What differs from the first row of a message.
CREATE TABLE overlays (
    room BLOB NOT NULL,
    seq INTEGER NOT NULL,
    body TEXT,
    edited_at INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions (
    room BLOB NOT NULL,
    seq INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    user BLOB NOT NULL,
    at INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (room, seq, emoji, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    room BLOB NOT NULL,
    user BLOB NOT NULL,
    role INTEGER NOT NULL,
    joined_at INTEGER NOT NULL,
    visible_from INTEGER NOT NULL,
    muted_until INTEGER,
    read INTEGER NOT NULL,
    -- How many messages the log held at `read`: unread is a difference.
    read_messages INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    notify INTEGER NOT NULL DEFAULT 0,
    notify_muted_until INTEGER,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_by_user ON memberships (user, room);
CREATE INDEX memberships_by_role ON memberships (room, role DESC, joined_at, user);

CREATE TABLE bans (
    room BLOB NOT NULL,
    user BLOB NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id BLOB PRIMARY KEY,
    -- NULL once the account is gone, so that the name is free again.
    handle TEXT UNIQUE,
    skeleton TEXT UNIQUE,
    display_name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    about TEXT,
    email TEXT UNIQUE,
    role INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    last_seen INTEGER,
    password_hash TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    failed_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX users_by_name ON users (folded_name) WHERE deleted = 0;

CREATE TABLE devices (
    id BLOB PRIMARY KEY,
    user BLOB NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    token BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX devices_by_user ON devices (user, created_at);

-- Each of two people has a row of their own.
CREATE TABLE contacts (
    owner BLOB NOT NULL REFERENCES users (id),
    other BLOB NOT NULL REFERENCES users (id),
    state INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (owner, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX contacts_by_other ON contacts (other);

CREATE TABLE blocks (
    owner BLOB NOT NULL REFERENCES users (id),
    other BLOB NOT NULL REFERENCES users (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (owner, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX blocks_by_other ON blocks (other);

CREATE TABLE idempotency (
    user BLOB NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (at);

CREATE TABLE audit (
    pos INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
