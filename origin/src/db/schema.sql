CREATE TABLE films (
    id          INTEGER PRIMARY KEY,
    title       TEXT    NOT NULL,
    year        INTEGER NOT NULL,
    released    TEXT,
    certificate TEXT,
    minutes     INTEGER,
    distributor TEXT,
    source      TEXT,
    genre       TEXT,
    style       TEXT,
    director    TEXT,
    tomatoes    INTEGER,              -- per cent
    rating      INTEGER,              -- tenths
    votes       INTEGER NOT NULL,
    showings    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX films_by_votes  ON films (votes DESC, id);
CREATE INDEX films_by_genre  ON films (genre, votes DESC);
CREATE INDEX films_by_year   ON films (year, votes DESC);
CREATE INDEX films_by_rating ON films (rating, votes DESC);

CREATE VIRTUAL TABLE films_fts USING fts5 (
    title, director,
    content = 'films', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TABLE cinemas (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    city     TEXT NOT NULL,
    country  TEXT NOT NULL,
    zone     TEXT NOT NULL,           -- IANA time zone
    currency TEXT NOT NULL            -- ISO 4217
) STRICT;

CREATE TABLE halls (
    id       INTEGER PRIMARY KEY,
    cinema   INTEGER NOT NULL REFERENCES cinemas (id),
    name     TEXT    NOT NULL,
    rows     INTEGER NOT NULL,
    columns  INTEGER NOT NULL,
    taper    INTEGER NOT NULL,        -- rows at the screen that are narrower
    capacity INTEGER NOT NULL
) STRICT;

-- A slot of the four-week programme, with the date on which it is on sale now.
CREATE TABLE screenings (
    id     INTEGER PRIMARY KEY,
    film   INTEGER NOT NULL REFERENCES films (id),
    hall   INTEGER NOT NULL REFERENCES halls (id),
    day    INTEGER NOT NULL,          -- of the programme
    minute INTEGER NOT NULL,          -- after midnight, on the cinema's clock
    price  INTEGER NOT NULL,          -- a seat, in hundredths of the cinema's currency
    round  INTEGER NOT NULL,          -- which repetition of the programme
    begins INTEGER NOT NULL           -- Unix seconds, of this round
) STRICT;
CREATE INDEX screenings_by_film  ON screenings (film, begins);
CREATE INDEX screenings_by_begin ON screenings (begins);

CREATE TABLE orders (
    id        TEXT PRIMARY KEY,
    screening INTEGER NOT NULL REFERENCES screenings (id),
    round     INTEGER NOT NULL,
    begins    INTEGER NOT NULL,
    seats     TEXT    NOT NULL,       -- as people write them, separated by blanks
    name      TEXT,
    email     TEXT,
    price     INTEGER NOT NULL,       -- a seat, on the day of the order
    created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A seat has no row until it is sold, and can have only one: this key is why none is sold twice.
CREATE TABLE sold_seats (
    screening INTEGER NOT NULL REFERENCES screenings (id),
    round     INTEGER NOT NULL,
    seat      INTEGER NOT NULL,       -- row times 100 plus number
    order_id  TEXT REFERENCES orders (id),
    PRIMARY KEY (screening, round, seat)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    key     TEXT PRIMARY KEY,
    request BLOB    NOT NULL,         -- hash of the order that the key stands for
    outcome TEXT    NOT NULL,         -- JSON
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created);
