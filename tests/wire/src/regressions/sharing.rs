//! What one client must not get of another's.

use super::{Regression, get, on_all, round, together};
use crate::caching;
use crate::edge::Runtime;
use crate::plan::{
    Ask, Caching, Client, Condition, Framing, OddAsk, PROVOKES, Reply, Resource, Round, Route,
};

pub(super) const ALL: &[Regression] = &[
    on_all("private-with-a-comma", || private(caching::PRIVATE_COMMA)),
    on_all("private-with-an-empty-value", || private(caching::PRIVATE_EMPTY)),
    on_all("private-behind-an-open-quote", || private(caching::PRIVATE_UNBALANCED)),
    on_all("private-in-a-second-line", || private(caching::PRIVATE_SECOND_LINE)),
    on_all("connection-cannot-remove-private", || private(caching::PRIVATE_CONNECTION)),
    on_all("a-private-response-releases-those-who-wait", || {
        let reply = Reply { delay: 30, ..Reply::new(caching::PRIVATE) };
        together(Route::Silent, vec![reply], vec![get(); 5])
    }),
    on_all("connection-cannot-take-the-keyed-field", || {
        let tenant = || get().with("x-tenant", "north");
        let taken = tenant().with("connection", "x-tenant");
        round(Route::All, vec![Reply::default()], vec![taken, tenant(), get(), tenant()])
    }),
    on_all("a-304-brings-no-cookie-to-all", || {
        let first = Reply { set_cookie: true, ..Reply::new(COOKIE_ASKED) };
        let fresh = Reply { caching: caching::FRESH, ..first.clone() };
        let next = Reply { same_content: true, confirms: true, ..fresh };
        round(Route::Plain, vec![first, next], vec![get(); 4])
    }),
    on_all("a-304-with-another-entity-tag-confirms-nothing", || {
        let first = Reply::new(caching::ASK_FIRST);
        let wrong = Reply { confirms_wrongly: true, ..first.clone() };
        round(Route::Plain, vec![first.clone(), wrong, first], vec![get(); 4])
    }),
    on_all("head-without-a-validator-confirms-nothing", || {
        // A condition is not confirmed: it is other content, of which the head says little.
        let first = Reply::new(caching::STALE);
        let other = Reply { etag: false, length: 40, framing: CHUNKED, ..Reply::default() };
        let head = Ask { method: "HEAD", ..get() };
        round(Route::Plain, vec![first, other], vec![get(), head, get(), get()])
    }),
    on_all("a-304-that-varies-is-for-one-variant", || {
        let first = Reply::new(caching::CONFIRM);
        let varies = Reply {
            vary: Some("accept-language"),
            same_content: true,
            confirms: true,
            caching: caching::FRESH,
            ..first.clone()
        };
        let language = |language| get().with("accept-language", language);
        round(Route::Plain, vec![first, varies], vec![language("de"), language("de"), language("fr")])
    }),
    on_all("a-304-allows-no-other-site", || {
        let first = Reply { cors: true, ..Reply::new(caching::CONFIRM) };
        let fresh = Reply { caching: caching::FRESH, ..first.clone() };
        let next = Reply { same_content: true, confirms: true, ..fresh };
        let site = |site| get().with("origin", site);
        let one = || site("http://one.example");
        round(Route::Plain, vec![first, next], vec![get(), one(), site("http://two.example"), get(), one()])
    }),
    on_all("override-stores-no-503", || error(Route::Override, 503)),
    on_all("override-stores-no-403", || error(Route::Override, 403)),
    on_all("override-stores-no-429", || error(Route::Override, 429)),
    on_all("an-error-that-one-client-provokes-is-its-own", || {
        let reply = Reply { provoked: Some(431), ..Reply::new(caching::SILENT) };
        let provokes = || get().with("accept-language", PROVOKES);
        round(Route::Override, vec![reply], vec![provokes(), get(), provokes(), get()])
    }),
    on_all("an-error-that-one-client-provokes-is-not-for-those-who-wait", || {
        let reply = Reply { provoked: Some(400), delay: 150, ..Reply::new(caching::FRESH) };
        let provokes = get().with("accept-language", PROVOKES);
        together(Route::Plain, vec![reply], vec![provokes, get(), get(), get()])
    }),
    on_all("conditions-hold-where-nothing-is-stored", || {
        let reply = Reply { ranges: true, ..Reply::new(caching::NO_STORE) };
        let other = |condition| Ask { condition, ..get() };
        let part = |condition| Ask { condition, ..get().with("range", "bytes=0-9") };
        let asks = vec![
            other(Condition::Match { seen: false }),
            part(Condition::Match { seen: false }),
            part(Condition::IfRange { seen: false }),
            other(Condition::NoneMatch { seen: true }),
        ];
        round(Route::Plain, vec![reply], asks)
    }),
    on_all("a-416-answers-no-plain-get", || {
        let reply = Reply { ranges: true, length: 70_000, ..Reply::default() };
        let outside = get().with("range", "bytes=9999999-");
        round(Route::Silent, vec![reply], vec![get(), outside.clone(), get(), outside, get()])
    }),
    Regression {
        name: "a-byte-above-127-leaves-the-cookie",
        make: || {
            let odd = Ask { cookie: true, odd: OddAsk::HighByte, ..get() };
            let plain = Ask { cookie: true, ..get() };
            round(Route::Key, vec![Reply::default()], vec![odd, plain, get()])
        },
        not_on: &[(Runtime::Spin, "its fields are UTF-8: it answers such a request itself")],
    },
    on_all("an-upgrade-is-not-answered-from-the-cache", || {
        let upgrade = get().with("connection", "upgrade").with("upgrade", "websocket");
        round(Route::Plain, vec![Reply::default()], vec![get(), upgrade.clone(), upgrade, get()])
    }),
    on_all("credentials-are-not-shared", || {
        let cookie = || Ask { cookie: true, ..get() };
        let token = || Ask { authorization: true, ..get() };
        let asks = vec![cookie(), cookie(), token(), get(), token(), cookie()];
        let resources = [Route::Plain, Route::Strip, Route::Key, Route::All, Route::Silent, Route::Override]
            .map(|route| Resource { route, replies: vec![Reply::default()] });
        let at = |index: usize, asks: &[Ask]| {
            asks.iter().map(|ask| Ask { resource: index, ..ask.clone() }).collect::<Vec<_>>()
        };
        let clients = (0..resources.len()).flat_map(|index| {
            let asks = at(index, &asks);
            [Client::asks(asks[..3].to_vec()), Client::asks(asks[3..].to_vec())]
        });
        Round { clients: clients.collect(), resources: resources.into() }
    }),
];

const CHUNKED: Framing = Framing::Chunked { extensions: false, trailers: false };

const COOKIE_ASKED: Caching = Caching {
    lines: &[("Cache-Control", "max-age=0, no-cache=\"set-cookie\"")],
    once: false,
    ..caching::FIELD_ASKED
};

fn private(caching: Caching) -> Round {
    round(Route::Silent, vec![Reply::new(caching)], vec![get(); 3])
}

fn error(route: Route, status: u16) -> Round {
    round(route, vec![Reply { status, ..Reply::new(caching::SILENT) }], vec![get(); 3])
}
