//! Those who stall end, and others do not notice.

use super::{Regression, get, on_all, post, round, together};
use crate::caching;
use crate::edge::Runtime;
use crate::plan::{Client, Content, Does, End, Ends, Reply, Resource, Round, Route};

pub(super) const ALL: &[Regression] = &[
    on_all("an-origin-that-stalls-in-content-is-given-up", || stalled(caching::FRESH, Route::Plain)),
    Regression {
        name: "an-origin-that-stalls-in-passed-content-is-given-up",
        make: || stalled(caching::NO_STORE, Route::Pass),
        not_on: &[(
            Runtime::Worker,
            "passed content does not go through Levee, and the platform ends what stalls",
        )],
    },
    on_all("an-origin-that-stalls-before-its-head-is-given-up", || {
        let reply = Reply { ends: Ends::Stall(0), ..Reply::default() };
        together(Route::Plain, vec![reply, Reply::default()], vec![get(), get()])
    }),
    on_all("a-client-that-stalls-in-content-is-answered", || {
        let ask = post(Content::Length(5_000));
        let client = Client { does: Does::StallSending(700), ..Client::asks(vec![ask]) };
        let resource = Resource { route: Route::Pass, replies: vec![Reply::default()] };
        Round { resources: vec![resource], clients: vec![client] }
    }),
    on_all("a-client-that-leaves-takes-nothing-from-others", || {
        let reply = Reply { delay: 40, length: 3_000, ..Reply::default() };
        let mut round = together(Route::Plain, vec![reply], vec![get(); 4]);
        round.clients[0].does = Does::LeaveSending(1000, End::Rst);
        round.clients[1].does = Does::LeaveReading(200);
        round
    }),
    on_all("a-client-that-does-not-read-holds-up-nobody", || {
        let reply = Reply { length: 150_000, ..Reply::default() };
        let mut round = together(Route::Plain, vec![reply], vec![get(); 4]);
        round.clients[0].does = Does::StallReading;
        round
    }),
];

/// The first reply stalls; those who come meanwhile wait for it.
fn stalled(caching: crate::plan::Caching, route: Route) -> Round {
    let stalls = Reply { ends: Ends::Stall(700), length: 400, ..Reply::new(caching) };
    let mut both = together(route, vec![stalls, Reply::new(caching)], vec![get(); 3]);
    both.clients.extend(round(route, Vec::new(), vec![get()]).clients);
    both
}
