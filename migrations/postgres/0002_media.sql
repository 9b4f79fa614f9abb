-- Files that messages carry; their bytes are elsewhere.

CREATE TABLE media (
    id UUID PRIMARY KEY,
    room UUID NOT NULL,
    uploader UUID NOT NULL,
    name TEXT NOT NULL,
    -- Bytes as they were announced, and bytes that count against the uploader.
    size BIGINT NOT NULL,
    kept BIGINT NOT NULL,
    sha256 BYTEA,
    voice TEXT,
    -- 0 uploading, 1 ready, 2 refused, 3 about to be gone.
    state BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    -- Whether a message refers to it, or did.
    attached BOOLEAN NOT NULL DEFAULT FALSE,
    -- What the server made of it.
    made TEXT
);

CREATE INDEX media_by_uploader ON media (uploader, state);
CREATE INDEX media_by_room ON media (room);
CREATE INDEX media_unused ON media (used_at) WHERE NOT attached AND state < 3;
CREATE INDEX media_doomed ON media (id) WHERE state = 3;

-- Which messages refer to which file.
CREATE TABLE media_refs (
    media UUID NOT NULL,
    room UUID NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (media, room, seq)
);

CREATE INDEX media_refs_by_message ON media_refs (room, seq);
