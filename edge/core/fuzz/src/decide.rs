//! Freshness, storability, the decision and the answer for any fields.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use levee::Time;
use levee::config::{ClientDirectives, Credentials, Particular, Policy, SetCookie, Stale, Ttl};
use levee::decide::{
    Candidate, Decision, Facts, Forward, Freshness, Serve, StandIn, decide, storable, strip_unstorable,
};
use levee::entry::Entry;
use levee::fields::cache_control::Qualified;
use levee::fields::{CacheControl, vary::Vary};
use levee::respond::from_entry;

use super::input::Input;
use super::stored::{Parts, START, plain};

/// Eleven bytes: policy (3), status (2), milliseconds from request to response (2), two waits in seconds (2 and 2).
/// Then the request's fields, an empty line, the response's fields, an empty line, the body.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let policy = policy(&mut input);
    let status = StatusCode::from_u16(input.short() % 900 + 100).expect("three digits");
    let requested = START;
    let received = requested + Duration::from_millis(input.short().into());
    let waits = [input.short(), input.short()].map(|wait| Duration::from_secs(u64::from(wait) * 8));
    let request = input.fields();
    let response = input.fields();
    let body = Bytes::copy_from_slice(input.rest());

    let freshness = Freshness::compute(status, &response, requested, received, &policy);
    assert!(policy.ttl.max.is_none_or(|max| freshness.lifetime <= max));
    let facts = Facts::read(&request, &policy, false);
    let candidate = Candidate {
        request: &request,
        request_no_store: facts.directives.no_store(),
        status,
        response: &response,
        freshness: &freshness,
        length: Some(body.len() as u64),
    };
    let Ok(vary) = storable(&candidate, 1 << 20, &policy) else { return };
    may_be_stored(&candidate, &policy);
    assert!(vary.is_sorted_by(|a, b| a.as_str() < b.as_str()), "{vary:?}");

    let mut fields = response.clone();
    strip_unstorable(&mut fields, &policy);
    let mut again = fields.clone();
    strip_unstorable(&mut again, &policy);
    assert_eq!(fields, again, "what is stored may be stored");

    let key = "https://a.example/".to_owned();
    let parts = Parts { status, body, requested, received, vary, ..plain(key, fields) };
    let entry = Arc::new(Entry::new(parts, &policy));
    let (early, late) = (received + waits[0].min(waits[1]), received + waits[0].max(waits[1]));
    assert!(entry.age(early) <= entry.age(late));
    let [first, second] = [early, late].map(|now| {
        let decision = decide(&facts, Some(&entry), Forward::UriMiss, now);
        is_allowed(&decision, &entry, now);
        decision
    });
    assert!(rank(&first) <= rank(&second), "waiting made it fresher: {first:?}, then {second:?}");
    for method in [Method::GET, Method::HEAD] {
        answers(&method, &request, &entry, &policy, late);
    }
}

fn policy(input: &mut Input<'_>) -> Policy {
    let [flags, credentials, times] = [input.byte(), input.byte(), input.byte()];
    let is = |bit: u8| flags & (1 << bit) != 0;
    let seconds = |n: u8| Duration::from_secs(n.into());
    Policy {
        client_directives: if is(0) { ClientDirectives::Honour } else { ClientDirectives::Ignore },
        forward: vec!["x-a".into()],
        particular: if is(1) { Particular::Answer } else { Particular::default() },
        heuristic: is(2),
        pass_targeted: is(3),
        ttl: Ttl {
            default: seconds(if is(4) { times } else { 0 }),
            max: is(5).then_some(seconds(times)),
            overrides: None,
        },
        stale: Stale {
            while_revalidate: seconds(times / 2),
            if_error: seconds(times / 4),
            disconnected: seconds(times / 8),
            beside_s_maxage: is(6),
        },
        set_cookie: match flags >> 6 {
            0 => SetCookie::Refuse,
            1 => SetCookie::Strip,
            _ => SetCookie::Store,
        },
        credentials: match credentials % 4 {
            0 => Credentials::Pass,
            1 => Credentials::Strip,
            2 => Credentials::Authorization,
            _ => Credentials::Key { cookies: vec!["a".into()], fields: vec!["x-k".into()] },
        },
        ..Policy::default()
    }
}

/// RFC 9111, section 3, from the fields alone.
fn may_be_stored(candidate: &Candidate<'_>, policy: &Policy) {
    let response = candidate.response;
    let cc = ["cdn-cache-control"]
        .iter()
        .find_map(|name| CacheControl::read_targeted(response, name))
        .or_else(|| CacheControl::read(response, "cache-control"))
        .unwrap_or_default();
    assert!(!cc.no_store || cc.must_understand, "no-store is stored");
    assert_ne!(cc.private, Qualified::Yes, "private is stored");
    assert_ne!(Vary::read(response), Vary::Any, "Vary: * is stored");
    assert!(!matches!(candidate.status.as_u16(), 100..200 | 206 | 304 | 412 | 416));
    if matches!(policy.credentials, Credentials::Pass | Credentials::Authorization)
        && candidate.request.contains_key("authorization")
    {
        assert!(cc.public || cc.s_maxage.is_some() || cc.must_revalidate, "an answer to Authorization");
    }
    assert!(!candidate.request_no_store);
}

fn is_allowed(decision: &Decision<'_>, entry: &Entry, now: Time) {
    let freshness = &entry.freshness;
    let age = entry.age(now);
    let staleness = age.saturating_sub(freshness.lifetime);
    match decision {
        Decision::Serve { serve: Serve::Fresh, .. } => assert!(age < freshness.lifetime),
        Decision::Serve { serve: Serve::WhileRevalidate, .. } => {
            assert!(freshness.may_be_stale && staleness < freshness.while_revalidate);
        }
        Decision::Serve { serve: Serve::MaxStale, .. } => assert!(freshness.may_be_stale),
        Decision::Revalidate { stand_in, .. } => match stand_in {
            StandIn::Never => {}
            StandIn::Disconnected => assert!(freshness.may_be_stale && staleness < freshness.disconnected),
            StandIn::OnError => assert!(freshness.may_be_stale && staleness < freshness.if_error),
        },
        Decision::Fetch(_) => panic!("there is an entry"),
        // The origin judges `If-Match`.
        Decision::Pass(_) | Decision::GatewayTimeout => {}
    }
    if decision.is_serve() {
        assert!(!freshness.always_validate, "no-cache is served");
    }
}

/// From most to least use.
fn rank(decision: &Decision<'_>) -> u8 {
    match decision {
        Decision::Serve { serve: Serve::Fresh, .. } => 0,
        Decision::Serve { .. } => 1,
        Decision::Revalidate { stand_in: StandIn::OnError, .. } => 2,
        Decision::Revalidate { stand_in: StandIn::Disconnected, .. } => 3,
        _ => 4,
    }
}

fn answers(method: &Method, request: &HeaderMap, entry: &Entry, policy: &Policy, now: Time) {
    let answer = from_entry(method, request, entry, policy, now);
    let age = answer.fields["age"].to_str().ok().and_then(|age| age.parse().ok());
    assert_eq!(age, Some(entry.age(now).as_secs()));
    match answer.status.as_u16() {
        304 if entry.status != StatusCode::NOT_MODIFIED => assert!(answer.body.is_empty()),
        206 | 416 if answer.status != entry.status => assert_eq!(method, Method::GET),
        412 => assert!(answer.body.is_empty()),
        _ => {
            assert_eq!(answer.status, entry.status);
            assert!(if *method == Method::HEAD { answer.body.is_empty() } else { answer.body == entry.body });
        }
    }
}
