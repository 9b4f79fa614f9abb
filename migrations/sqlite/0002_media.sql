-- Files that messages carry; their bytes are elsewhere.

CREATE TABLE media (
    id BLOB PRIMARY KEY,
    room BLOB NOT NULL,
    uploader BLOB NOT NULL,
    name TEXT NOT NULL,
    -- Bytes as they were announced, and bytes that count against the uploader.
    size INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    sha256 BLOB,
    voice TEXT,
    -- 0 uploading, 1 ready, 2 refused, 3 about to be gone.
    state INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    -- Whether a message refers to it, or did.
    attached INTEGER NOT NULL DEFAULT 0,
    -- What the server made of it.
    made TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX media_by_uploader ON media (uploader, state);
CREATE INDEX media_by_room ON media (room);
CREATE INDEX media_unused ON media (used_at) WHERE attached = 0 AND state < 3;
CREATE INDEX media_doomed ON media (id) WHERE state = 3;

-- Which messages refer to which file.
CREATE TABLE media_refs (
    media BLOB NOT NULL,
    room BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (media, room, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX media_refs_by_message ON media_refs (room, seq);
