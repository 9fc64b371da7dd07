//! Makes up rounds: the same for the same seed and number.

use crate::caching;
use crate::dice::Dice;
use crate::plan::{
    After, Ask, Client, Condition, Content, Does, End, Ends, Framing, OddAsk, OddHead, PROVOKES, Reply,
    Resource, Round, Route, Split,
};

/// What the round's numbers are drawn for.
const PURPOSE: u64 = 1;

/// The round of this number.
pub fn round(seed: u64, number: u64) -> Round {
    let mut dice = Dice::new(seed, number, PURPOSE);
    let dice = &mut dice;
    // A theme keeps strangeness apart: where everything is strange at once, nothing is reached.
    let theme = Theme::pick(dice);
    let resources = (0..dice.between(1, 2)).map(|_| resource(dice, theme)).collect::<Vec<_>>();
    let clients =
        (0..dice.between(1, 5)).map(|at| client(dice, theme, resources.len(), at)).collect::<Vec<_>>();
    Round { resources, clients }
}

/// What is strange in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Theme {
    /// The origin's framing, heads and ends.
    origin: bool,
    /// Requests and how clients leave.
    client: bool,
    /// Someone stalls.
    stalls: bool,
}

impl Theme {
    fn pick(dice: &mut Dice) -> Self {
        Self { origin: dice.chance(400), client: dice.chance(300), stalls: dice.chance(8) }
    }
}

fn resource(dice: &mut Dice, theme: Theme) -> Resource {
    let route = dice.pick(&Route::EVERY);
    let first = reply(dice, theme);
    let mut replies = vec![first];
    for _ in 0..dice.below(4) {
        // Most things stay as they are from one reply to the next.
        let next = if dice.chance(600) {
            Reply { same_content: dice.chance(700), ..replies[0].clone() }
        } else {
            reply(dice, theme)
        };
        replies.push(next);
    }
    Resource { route, replies }
}

const FINAL: [u16; 14] = [200, 200, 200, 200, 200, 203, 204, 301, 403, 404, 410, 429, 500, 503];
const PROVOKED: [u16; 5] = [400, 403, 406, 414, 431];
const VARY: [&str; 4] = ["accept-language", "accept-encoding", "Accept-Language, Accept-Encoding", "origin"];

fn reply(dice: &mut Dice, theme: Theme) -> Reply {
    let strange = theme.origin;
    let framing = framing(dice, strange);
    // What follows a message is sent only when that is whole.
    // Sent together with it: what comes later looks like a response to the next request to everyone.
    let extra = matches!(framing, Framing::Extra { .. });
    let ends = if extra { Ends::Whole } else { ends(dice, theme) };
    Reply {
        status: if dice.chance(700) { 200 } else { dice.pick(&FINAL) },
        caching: if dice.chance(500) { caching::FRESH } else { dice.pick(caching::EVERY) },
        vary: dice.maybe(200, |dice| dice.pick(&VARY)),
        etag: dice.chance(700),
        set_cookie: dice.chance(150),
        cors: dice.chance(100),
        length: length(dice),
        framing,
        same_content: dice.chance(400),
        confirms: dice.chance(600),
        confirms_wrongly: strange && dice.chance(60),
        ranges: dice.chance(300),
        provoked: dice.maybe(400, |dice| dice.pick(&PROVOKED)),
        interim: if strange && dice.chance(60) { dice.between(1, 2) } else { 0 },
        odd: if strange && dice.chance(150) { odd_head(dice) } else { OddHead::None },
        split: if extra { Split::Whole } else { split(dice) },
        ends,
        after: after(dice),
        delay: if dice.chance(200) { dice.between(1, 15) as u64 } else { 0 },
        reads: !(strange && dice.chance(30)),
    }
}

fn length(dice: &mut Dice) -> usize {
    match dice.below(100) {
        0..8 => 0,
        8..80 => dice.between(1, 300),
        80..95 => dice.between(300, 9_000),
        95..99 => dice.between(9_000, 60_000),
        // Above `limits.object`.
        _ => dice.between(66_000, 150_000),
    }
}

fn framing(dice: &mut Dice, strange: bool) -> Framing {
    if strange && dice.chance(350) {
        return match dice.below(6) {
            0 => Framing::LengthAndChunked(dice.between(1, 40) as i32 - 20),
            1 => Framing::TooLong(dice.between(1, 500)),
            2 => Framing::Extra { response: dice.chance(500) },
            3 => Framing::TwoLengths,
            4 => Framing::BadChunk,
            _ => Framing::LengthAndChunked(1000),
        };
    }
    match dice.below(10) {
        0..6 => Framing::Length,
        6..9 => Framing::Chunked { extensions: dice.chance(200), trailers: dice.chance(200) },
        _ => Framing::Close,
    }
}

fn odd_head(dice: &mut Dice) -> OddHead {
    match dice.below(6) {
        0 => OddHead::SpaceBeforeColon,
        1 => OddHead::Fold,
        2 => OddHead::Many(dice.between(90, 160)),
        3 => OddHead::NoReason,
        4 => OddHead::Http10,
        _ => OddHead::HighBytes,
    }
}

fn split(dice: &mut Dice) -> Split {
    match dice.below(100) {
        0..70 => Split::Whole,
        70..97 => Split::At(dice.below(1000)),
        _ => Split::Pieces(dice.between(1, 30)),
    }
}

fn ends(dice: &mut Dice, theme: Theme) -> Ends {
    if theme.stalls && dice.chance(250) {
        return Ends::Stall(dice.below(1000));
    }
    if theme.origin && dice.chance(150) {
        // The last bytes are where a message is nearly whole.
        let at = if dice.chance(300) { 999 } else { dice.below(1000) };
        return Ends::Cut(at, dice.pick(&End::BOTH));
    }
    Ends::Whole
}

fn after(dice: &mut Dice) -> After {
    match dice.below(100) {
        0..88 => After::Keep,
        88..92 => After::SaidClose,
        92..95 => After::Close,
        _ => After::CloseOnNext(dice.pick(&End::BOTH)),
    }
}

fn client(dice: &mut Dice, theme: Theme, resources: usize, at: usize) -> Client {
    let asks = (0..dice.between(1, 4)).map(|_| ask(dice, theme, resources)).collect();
    let does = match dice.below(100) {
        0..40 if theme.stalls => {
            if dice.chance(500) {
                Does::StallSending(dice.below(1000))
            } else {
                Does::StallReading
            }
        }
        40..60 if theme.client => Does::LeaveSending(dice.below(1000), dice.pick(&End::BOTH)),
        60..80 if theme.client => Does::LeaveReading(dice.below(400)),
        _ => Does::Ask,
    };
    Client {
        asks,
        pipelined: dice.chance(150),
        split: split(dice),
        does,
        waits: at > 0 && dice.chance(500),
        http2: dice.chance(60),
    }
}

const LANGUAGES: [&str; 3] = ["de", "en", "fr"];
const CODINGS: [&str; 3] = ["gzip", "br", "identity"];
const TENANTS: [&str; 2] = ["north", "south"];
const SITES: [&str; 2] = ["http://one.example", "http://two.example"];

fn ask(dice: &mut Dice, theme: Theme, resources: usize) -> Ask {
    let method = match dice.below(100) {
        0..80 => "GET",
        80..88 => "HEAD",
        88..95 => "POST",
        95..97 => "PUT",
        97..98 => "OPTIONS",
        _ => "DELETE",
    };
    let mut fields = Vec::new();
    let mut put = |name, value: &str| fields.push((name, value.to_owned()));
    if dice.chance(350) {
        put("accept-language", if dice.chance(150) { PROVOKES } else { dice.pick(&LANGUAGES) });
    }
    if dice.chance(300) {
        put("accept-encoding", dice.pick(&CODINGS));
    }
    if dice.chance(250) {
        put("x-tenant", dice.pick(&TENANTS));
        if dice.chance(150) {
            put("connection", "x-tenant");
        }
    }
    if dice.chance(150) {
        put("origin", dice.pick(&SITES));
    }
    if dice.chance(150) {
        put("x-api-key", dice.pick(&TENANTS));
    }
    if dice.chance(50) {
        put("cache-control", dice.pick(&["no-cache", "max-age=0", "no-store", "only-if-cached"]));
    }
    if dice.chance(20) {
        put("te", "trailers");
    }
    if dice.chance(150) {
        put("range", dice.pick(&["bytes=0-9", "bytes=5-", "bytes=-7", "bytes=0-0,3-4", "bytes=99999999-"]));
    }
    if theme.client && dice.chance(40) {
        put("connection", "upgrade");
        put("upgrade", dice.pick(&["websocket", "h2c", "made-up"]));
        put("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA");
    }
    let usual_content = matches!(method, "POST" | "PUT") || (theme.client && dice.chance(60));
    Ask {
        method,
        resource: dice.below(resources),
        fields,
        authorization: dice.chance(80),
        cookie: dice.chance(150),
        condition: condition(dice),
        content: if usual_content { content(dice, theme.client) } else { Content::None },
        odd: if theme.client && dice.chance(120) { odd_ask(dice) } else { OddAsk::None },
        close: dice.chance(60),
    }
}

fn condition(dice: &mut Dice) -> Condition {
    let seen = dice.chance(700);
    match dice.below(100) {
        0..12 => Condition::NoneMatch { seen },
        12..14 => Condition::NoneMatchAny,
        14..20 => Condition::Match { seen },
        20..26 => Condition::IfRange { seen },
        _ => Condition::None,
    }
}

fn content(dice: &mut Dice, strange: bool) -> Content {
    // None, or enough to hold a mark.
    let length = match length(dice).min(40_000) {
        0 => 0,
        some => some.max(40),
    };
    match dice.below(10) {
        0 if strange => Content::LengthAndChunked,
        1 if strange => Content::BadChunk(length),
        2 if strange => Content::TwoLengths(length),
        3..7 => Content::Length(length),
        _ => Content::Chunked { length, extensions: dice.chance(200), trailers: dice.chance(200) },
    }
}

fn odd_ask(dice: &mut Dice) -> OddAsk {
    dice.pick(&[
        OddAsk::Http10,
        OddAsk::Http10,
        OddAsk::AbsoluteForm,
        OddAsk::Fold,
        OddAsk::HighByte,
        OddAsk::LargeFields,
        OddAsk::SpaceBeforeColon,
        OddAsk::BareLf,
        OddAsk::NoHost,
        OddAsk::TwoHosts,
        OddAsk::NulByte,
        OddAsk::Trace,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_always_the_same_round_and_rarely_anothers() {
        let text = |seed, number| format!("{:?}", round(seed, number));
        assert_eq!(text(1, 5), text(1, 5));
        assert_ne!(text(1, 5), text(1, 6));
        assert_ne!(text(1, 5), text(2, 5));
    }
}
