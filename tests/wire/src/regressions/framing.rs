//! Messages that are framed wrongly, or rightly and unusually.

use super::{Regression, get, on_all, post, round};
use crate::caching;
use crate::edge::Runtime;
use crate::plan::{
    After, Ask, Client, Content, End, Ends, Framing, OddAsk, OddHead, Reply, Resource, Round, Route,
};

const HIDDEN: &str = "its HTTP server marks it no other way than an end";
const UNTOLD: &str = "its fetch does not tell that from a connection that broke";

pub(super) const ALL: &[Regression] = &[
    on_all("chunked-holds-beside-a-smaller-length", || both(-97)),
    on_all("chunked-holds-beside-a-larger-length", || both(50)),
    on_all("a-length-that-is-too-large-never-looks-complete", || framed(Framing::TooLong(20))),
    on_all("what-follows-a-message-belongs-to-none", || framed(Framing::Extra { response: true })),
    on_all("two-lengths-are-refused", || framed(Framing::TwoLengths)),
    on_all("two-lengths-for-head-get-an-answer", || {
        let reply = Reply { framing: Framing::TwoLengths, ..Reply::default() };
        round(Route::Strip, vec![reply], vec![Ask { method: "HEAD", ..get() }])
    }),
    on_all("a-204-has-no-length", || {
        let reply = Reply { status: 204, ..Reply::default() };
        round(Route::Plain, vec![reply], vec![get(), get()])
    }),
    on_all("the-last-chunk-is-part-of-the-message", || {
        let reply = Reply {
            framing: Framing::Chunked { extensions: true, trailers: true },
            ends: Ends::Cut(999, End::Fin),
            ..Reply::default()
        };
        round(Route::Plain, vec![reply.clone(), reply, Reply::default()], vec![get(), get(), get()])
    }),
    Regression {
        name: "a-break-is-seen-where-the-connection-ends-content",
        make: || {
            let reply = Reply { framing: Framing::BadChunk, ..Reply::default() };
            let old = || Ask { odd: OddAsk::Http10, ..get() };
            round(Route::Plain, vec![reply], vec![old(), old()])
        },
        not_on: &[(Runtime::Worker, HIDDEN), (Runtime::Spin, HIDDEN)],
    },
    on_all("a-head-with-150-fields", || odd(OddHead::Many(150))),
    on_all("a-space-before-a-colon-of-the-origin", || odd(OddHead::SpaceBeforeColon)),
    on_all("bytes-above-127-of-the-origin", || odd(OddHead::HighBytes)),
    on_all("malformed-chunks-of-a-client-are-its-own-fault", || {
        round(Route::Pass, vec![Reply::default()], vec![post(Content::BadChunk(100)), get()])
    }),
    on_all("two-lengths-of-a-client-are-refused", || {
        round(Route::Plain, vec![Reply::default()], vec![post(Content::TwoLengths(100)), get()])
    }),
    on_all("content-is-no-request", || {
        round(Route::Plain, vec![Reply::default()], vec![post(Content::LengthAndChunked), get()])
    }),
    on_all("a-get-with-content-is-not-answered-from-the-cache", || {
        let content = Content::Chunked { length: 60, extensions: false, trailers: false };
        let with_length = Ask { content: Content::Length(60), ..get() };
        round(Route::Plain, vec![Reply::default()], vec![get(), get(), Ask { content, ..get() }, with_length])
    }),
    on_all("a-bare-line-feed-is-refused", || odd_ask(OddAsk::BareLf)),
    on_all("a-space-before-a-colon-of-a-client-is-refused", || odd_ask(OddAsk::SpaceBeforeColon)),
    on_all("trace-is-refused", || odd_ask(OddAsk::Trace)),
    on_all("http2-settings-are-not-forwarded", || {
        let ask = get()
            .with("connection", "upgrade, http2-settings")
            .with("upgrade", "h2c")
            .with("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA");
        round(Route::Pass, vec![Reply::default()], vec![ask])
    }),
    Regression {
        name: "a-kept-alive-connection-closes-in-the-race",
        make: || race(End::Fin),
        not_on: &[(Runtime::Worker, UNTOLD), (Runtime::Spin, UNTOLD)],
    },
    Regression {
        name: "a-kept-alive-connection-is-reset-in-the-race",
        make: || race(End::Rst),
        not_on: &[(Runtime::Worker, UNTOLD), (Runtime::Spin, UNTOLD)],
    },
];

fn framed(framing: Framing) -> Round {
    let reply = Reply { framing, ..Reply::default() };
    let asks = vec![get(), post(Content::Length(60)), get(), get()];
    round(Route::Plain, vec![reply.clone(), reply, Reply::default()], asks)
}

fn both(more: i32) -> Round {
    framed(Framing::LengthAndChunked(more))
}

fn odd(odd: OddHead) -> Round {
    round(Route::Plain, vec![Reply { odd, ..Reply::default() }], vec![get(), get()])
}

fn odd_ask(odd: OddAsk) -> Round {
    round(Route::Plain, vec![Reply::default()], vec![Ask { odd, ..get() }, get()])
}

/// Each connection serves one request and is closed as the next one comes.
fn race(end: End) -> Round {
    let reply = Reply { after: After::CloseOnNext(end), ..Reply::new(caching::NO_STORE) };
    let asks = vec![get(); 6];
    let resource = Resource { route: Route::Plain, replies: vec![reply] };
    Round { resources: vec![resource], clients: vec![Client::asks(asks.clone()), Client::asks(asks)] }
}
