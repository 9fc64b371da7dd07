//! Nothing is given to anyone for whom it is not meant: generated origins, generated requests of many users, time passing.

use std::rc::Rc;
use std::time::Duration;

use http::HeaderMap;
use levee::classes::{AcceptClass, Moved, Particulars};
use levee::config::{
    ClientDirectives, Config, Credentials, KeyPolicy, NamePattern, Particular, Policy, QueryPolicy,
    SetCookie, Stale,
};
use levee::fields::cache_control::{CacheControl, Qualified};
use levee::fields::{cookies, credentials};
use levee::testing::{Answered, Sim, config_for};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

#[allow(dead_code, reason = "shared by several tests")]
mod world;

use world::{Given, Log, Resource, Step};

/// The default profile with something keyed and something forwarded.
fn default_profile() -> Policy {
    Policy {
        key: KeyPolicy {
            query: QueryPolicy::Drop(vec![NamePattern::new("utm_*")]),
            fields: vec!["x-tenant".into()],
            ..KeyPolicy::default()
        },
        forward: vec!["x-variant".into()],
        ..Policy::default()
    }
}

/// `levee.transparent.toml`: a plain RFC 9111 shared cache.
fn transparent_profile() -> Policy {
    Policy {
        particular: Particular::Answer,
        client_directives: ClientDirectives::Honour,
        credentials: Credentials::Authorization,
        set_cookie: SetCookie::Store,
        heuristic: true,
        pass_targeted: true,
        key: KeyPolicy { sort_languages: true, ..KeyPolicy::default() },
        stale: Stale { disconnected: Duration::from_secs(3_600), ..Stale::default() },
        ..Policy::default()
    }
}

fn profiles() -> impl Strategy<Value = Policy> {
    let strip = Policy { credentials: Credentials::Strip, set_cookie: SetCookie::Strip, ..default_profile() };
    let keyed = Credentials::Key { cookies: vec!["sid".into()], fields: vec!["x-api-key".into()] };
    let keyed = Policy { credentials: keyed, ..default_profile() };
    prop::sample::select(vec![default_profile(), default_profile(), transparent_profile(), strip, keyed])
}

fn map(step: &Step) -> HeaderMap {
    step.fields
        .iter()
        .map(|&(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
        .collect()
}

/// Whether an answer to this request may be given to another at all, by what it says itself.
fn is_shareable(given: &Given, asker: &Step, policy: &Policy) -> Result<(), String> {
    let cc = CacheControl::parse(&given.cache_control);
    if cc.no_store && !cc.must_understand {
        return Err("no-store".into());
    }
    if cc.private == Qualified::Yes {
        return Err("private".into());
    }
    if let Some(name) = credentials::found(&map(asker), policy)
        && !(cc.public || cc.s_maxage.is_some() || cc.must_revalidate)
    {
        return Err(format!("the answer to a request with {name}"));
    }
    if given.resource.set_cookie && policy.set_cookie == SetCookie::Refuse {
        return Err("an answer with Set-Cookie".into());
    }
    Ok(())
}

/// Whether the answer depends on something in which this other request differs.
fn depends_on_another(given: &Given, step: &Step, policy: &Policy) -> Result<(), String> {
    let ours = map(step);
    let sent = |name: &str| ours.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let mut declared: Vec<&str> = given.resource.vary.clone();
    if given.resource.cors && !given.ask.field("origin").is_empty() {
        declared.push("origin");
    }
    for name in declared {
        let would_see = match name {
            "cookie" => match &policy.credentials {
                Credentials::Strip => String::new(),
                Credentials::Key { .. } => cookies::cookie(&ours, "sid")
                    .map_or(String::new(), |sid| format!("sid={}", sid.escape_ascii())),
                _ => sent(name),
            },
            "accept-encoding" => sent(name).replace("gzip, br", "br,gzip"),
            _ => sent(name),
        };
        if given.ask.field(name) != would_see {
            return Err(format!("it varies on {name}: {:?}, not {would_see:?}", given.ask.field(name)));
        }
    }
    let tenant = given.ask.field("x-tenant");
    if tenant != sent("x-tenant") && !policy.key.fields.is_empty() {
        return Err(format!("it is for tenant {tenant:?}"));
    }
    if !policy.selects() {
        return Ok(());
    }
    shaped_by_another(given, step, policy)
}

/// Whether a field in which this other request differs may have shaped the response, named by `Vary` or not.
fn shaped_by_another(given: &Given, step: &Step, policy: &Policy) -> Result<(), String> {
    let (ours, theirs) = (map(step), given.ask.fields.clone());
    let is_named = |name: &str| {
        policy.forward.iter().chain(&policy.key.fields).any(|field| field == name)
            || matches!(&policy.credentials, Credentials::Key { fields, .. } if fields.iter().any(|field| field == name))
    };
    for name in theirs.keys() {
        let value = theirs[name].to_str().unwrap_or("");
        if value == "evil.example" || (name == "cookie" && policy.credentials == Credentials::Pass) {
            return Err(format!("it has seen {name}: {value:?}"));
        }
    }
    if AcceptClass::of(&ours) != AcceptClass::of(&theirs) || ours.get("origin") != theirs.get("origin") {
        return Err("it was asked for by another class of `Accept`, or from another `Origin`".into());
    }
    let particulars = |fields| Particulars::of(fields, &Moved::default(), is_named).expect("a few");
    let (ours, theirs) = (particulars(&ours), particulars(&theirs));
    // What brings an entry up to date may say that it is for all.
    let said = [Some(&given.cache_control), given.resource.update.as_ref()];
    let mut said = said.into_iter().flatten().map(|text| CacheControl::parse(text));
    let is_for_all = theirs.is_empty() && said.any(|cc| cc.public || cc.s_maxage.is_some());
    if ours != theirs && !is_for_all {
        return Err(format!("it is for those with {theirs:?}, not {ours:?}"));
    }
    Ok(())
}

struct Run {
    sim: Sim,
    log: Log,
    /// Which step caused the answer with a mark.
    owners: Vec<usize>,
    steps: Vec<Step>,
}

impl Run {
    fn step(&mut self, at: usize) -> Answered {
        let step = &self.steps[at];
        self.sim.advance(Duration::from_millis(step.after));
        let answer = self.sim.send(step.method, step.target, &step.fields);
        self.owners.resize(self.log.borrow().len(), at);
        answer
    }

    fn check(&self, at: usize, answer: &Answered, policy: &Policy) -> Result<(), TestCaseError> {
        let log = self.log.borrow();
        let step = &self.steps[at];
        let mut texts = vec![("the body", answer.text().to_owned())];
        texts.extend(["x-mark", "set-cookie"].map(|name| {
            let values: Vec<_> =
                answer.fields.get_all(name).into_iter().filter_map(|v| v.to_str().ok()).collect();
            (name, values.join(" "))
        }));
        for (place, text) in texts {
            for mark in world::marks(&text) {
                if self.owners[mark] == at {
                    continue;
                }
                let given = &log[mark];
                let asker = &self.steps[self.owners[mark]];
                let fault = is_shareable(given, asker, policy)
                    .and_then(|()| depends_on_another(given, step, policy))
                    .and_then(|()| match place {
                        "set-cookie" if policy.set_cookie != SetCookie::Store => {
                            Err("another's cookie".into())
                        }
                        "x-mark" if given.cache_control.contains("private=") => {
                            Err("private=\"x-mark\"".to_owned())
                        }
                        _ => Ok(()),
                    });
                prop_assert!(
                    fault.is_ok(),
                    "{place} of <{mark}>: {fault:?}\nasked by {asker:?}\ngiven to {step:?}\n{given:#?}\n{answer:#?}"
                );
            }
        }
        has_the_key_asked_for(step, answer)?;
        is_fresh_enough(step, answer, policy)
    }
}

/// The body tells the URL that the origin was asked for.
fn has_the_key_asked_for(step: &Step, answer: &Answered) -> Result<(), TestCaseError> {
    let wanted = match step.target {
        "/a/../0" => "/0",
        "/1?q=1&utm_source=x" if !answer.text().contains("utm_source") => "/1?q=1",
        other => other,
    };
    if let Some((_, content)) = answer.text().split_once("> ") {
        let url = content.split(' ').next().unwrap_or("");
        prop_assert_eq!(url, &format!("https://o.example{wanted}"));
    }
    Ok(())
}

/// No answer out of the cache is older than its lifetime and what is allowed beyond it.
fn is_fresh_enough(step: &Step, answer: &Answered, policy: &Policy) -> Result<(), TestCaseError> {
    let status = answer.cache_status();
    let Some(ttl) = status.split("; ").find_map(|part| part.strip_prefix("ttl=")?.parse::<i64>().ok()) else {
        return Ok(());
    };
    let age: i64 = answer.field("age").parse().expect("an age");
    let cc = CacheControl::parse(answer.field("cache-control"));
    let lifetime = i64::from(cc.s_maxage.or(cc.max_age).unwrap_or(0));
    prop_assert_eq!(ttl, lifetime - age, "{}", status);
    if status.starts_with("fwd=") && !status.contains("stale-if-error") {
        return Ok(());
    }
    prop_assert_ne!(&cc.no_cache, &Qualified::Yes, "no-cache is served unasked");
    if ttl > 0 {
        return Ok(());
    }
    prop_assert!(!(cc.must_revalidate || cc.proxy_revalidate || cc.s_maxage.is_some()), "stale: {}", status);
    let asked =
        CacheControl::parse(map(step).get("cache-control").and_then(|v| v.to_str().ok()).unwrap_or(""));
    let honoured = policy.client_directives == ClientDirectives::Honour;
    let window = if status.contains("stale-while-revalidate") {
        i64::from(cc.stale_while_revalidate.unwrap_or(0))
    } else if status.contains("stale-if-error") {
        i64::from(cc.stale_if_error.unwrap_or(0)).max(policy.stale.disconnected.as_secs() as i64)
    } else if honoured {
        i64::from(asked.max_stale.unwrap_or(0)) + 1
    } else {
        0
    };
    prop_assert!(-ttl < window, "stale for {} s, and {window} s are allowed: {status}", -ttl);
    Ok(())
}

/// Lets the clients come one after the other, and looks at every answer.
fn all_is_well(policy: &Policy, resources: Vec<Resource>, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let log = Log::default();
    let config = Config { defaults: policy.clone(), ..config_for(&["https://o.example"]) };
    let sim = Sim::new(config, world::origin(resources, Rc::clone(&log)));
    let mut run = Run { sim, log, owners: vec![], steps };
    for at in 0..run.steps.len() {
        let answer = run.step(at);
        run.check(at, &answer, policy)?;
    }
    Ok(())
}

/// Failures are kept beside this file, to be committed and run first.
fn persisted(cases: u32) -> ProptestConfig {
    let failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")) as _);
    ProptestConfig { cases, failure_persistence, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(persisted(400))]

    #[test]
    fn what_is_not_for_others_is_given_to_no_other(
        policy in profiles(),
        resources in prop::collection::vec(world::resource(), 2),
        steps in prop::collection::vec(world::step(), 2..14),
    ) {
        all_is_well(&policy, resources, steps)?;
    }

    /// Answers without a body (304, and to HEAD) bring entries up to date; what they say is as personal as any other.
    #[test]
    fn what_updates_an_entry_may_be_given_to_others_too(
        policy in profiles(),
        resources in prop::collection::vec(world::resource_with_updates(), 2),
        steps in prop::collection::vec(world::step(), 2..14),
    ) {
        all_is_well(&policy, resources, steps)?;
    }
}
