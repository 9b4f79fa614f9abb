-- The directory of a cluster; the logs of the rooms are in another store. Times are milliseconds since 1970, positions in a
-- log are integers. Text that lists are ordered by is compared byte by byte, whatever the database's own collation.

CREATE TABLE rooms (
    id UUID PRIMARY KEY,
    kind BIGINT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT COLLATE "C" NOT NULL,
    topic TEXT NOT NULL,
    visibility BIGINT NOT NULL,
    archived BOOLEAN NOT NULL DEFAULT FALSE,
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    members BIGINT NOT NULL DEFAULT 0,
    pair_low UUID,
    pair_high UUID,
    -- The event of the log up to which this row, memberships and bans are true.
    applied BIGINT NOT NULL,
    -- The newest event that was published, how many messages there are up to it, and when it was.
    head BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    -- Whether a head was published: then the log has what is in `beginnings`.
    published BOOLEAN NOT NULL DEFAULT FALSE
) WITH (fillfactor = 85);

-- Two people have one direct room.
CREATE UNIQUE INDEX rooms_by_pair ON rooms (pair_low, pair_high) WHERE pair_low IS NOT NULL AND NOT deleted;
CREATE INDEX rooms_public ON rooms (folded_name, id) WHERE visibility = 1 AND NOT deleted;

-- The first events of a room, until its log has them.
CREATE TABLE beginnings (
    room UUID NOT NULL,
    seq BIGINT NOT NULL,
    sender UUID NOT NULL,
    client_id UUID NOT NULL,
    at BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (room, seq)
);

CREATE TABLE memberships (
    room UUID NOT NULL,
    member UUID NOT NULL,
    role BIGINT NOT NULL,
    joined_at BIGINT NOT NULL,
    visible_from BIGINT NOT NULL,
    muted_until BIGINT,
    read BIGINT NOT NULL,
    -- How many messages the log held at `read`: unread is a difference.
    read_messages BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    notify BIGINT NOT NULL DEFAULT 0,
    notify_muted_until BIGINT,
    PRIMARY KEY (room, member)
) WITH (fillfactor = 85);

CREATE INDEX memberships_by_member ON memberships (member, room);
CREATE INDEX memberships_by_role ON memberships (room, role DESC, joined_at, member);

CREATE TABLE bans (
    room UUID NOT NULL,
    member UUID NOT NULL,
    PRIMARY KEY (room, member)
);

CREATE TABLE users (
    id UUID PRIMARY KEY,
    -- NULL once the account is gone, so that the name is free again.
    handle TEXT COLLATE "C",
    skeleton TEXT COLLATE "C",
    display_name TEXT NOT NULL,
    folded_name TEXT COLLATE "C" NOT NULL,
    about TEXT,
    email TEXT COLLATE "C",
    role BIGINT NOT NULL,
    disabled BOOLEAN NOT NULL DEFAULT FALSE,
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    last_seen BIGINT,
    password_hash TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    failed_at BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT users_handle UNIQUE (handle),
    CONSTRAINT users_skeleton UNIQUE (skeleton),
    CONSTRAINT users_email UNIQUE (email)
) WITH (fillfactor = 85);

CREATE INDEX users_by_name ON users (folded_name) WHERE NOT deleted;

CREATE TABLE devices (
    id UUID PRIMARY KEY,
    owner UUID NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    token BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITH (fillfactor = 85);

CREATE INDEX devices_by_owner ON devices (owner, created_at);

-- Each of two people has a row of their own.
CREATE TABLE contacts (
    owner UUID NOT NULL REFERENCES users (id),
    other UUID NOT NULL REFERENCES users (id),
    state BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (owner, other)
);

CREATE INDEX contacts_by_other ON contacts (other);

CREATE TABLE blocks (
    owner UUID NOT NULL REFERENCES users (id),
    other UUID NOT NULL REFERENCES users (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (owner, other)
);

CREATE INDEX blocks_by_other ON blocks (other);

CREATE TABLE idempotency (
    owner UUID NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    request BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (owner, key)
);

CREATE INDEX idempotency_by_age ON idempotency (at);

CREATE TABLE audit (
    pos BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);

-- A row for each transaction of the last minutes: if a connection breaks during a commit, it says what became of it. The
-- database's own numbers of transactions cannot: after a crash they may be given again.
CREATE TABLE commits (
    id UUID PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL DEFAULT now()
);
