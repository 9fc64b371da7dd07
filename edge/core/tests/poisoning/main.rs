//! The corpus of poisoning and deception: attacks by name, each in every phase of an entry's life, with and without `Vary`.
//!
//! An origin reads one field and believes it. A victim sends what a browser sends, or hardly anything. Whatever the attacker did
//! before, or does at the same time, the victim gets what the origin would have sent to it.

mod attacks;
mod deception;

use std::collections::BTreeSet;
use std::time::Duration;

use attacks::{Attack, CRAFTED, Effect, PARTICULAR, REMOVED, REPEATED, Way};
use levee::testing::{Answered, Ask, Reply, Sim, config_for};

/// What only an attacked response holds, beside what the field itself says.
const MARK: &str = "poison-0123456789";

type Fields = Vec<(&'static str, &'static str)>;

const BROWSER: [(&str, &str); 13] = [
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    ),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "de-CH,de;q=0.9,en;q=0.8"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"),
    ("sec-ch-ua", "\"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "none"),
    ("sec-fetch-user", "?1"),
    ("upgrade-insecure-requests", "1"),
    ("priority", "u=0, i"),
];

const SCRIPT: [(&str, &str); 2] = [("accept", "*/*"), ("user-agent", "curl/8.5.0")];

/// What the attacked response finds, and is found by, when it reaches its victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is stored.
    Cold,
    /// What is stored is stale, and served while it is fetched anew.
    Stale,
    /// The victim asks while the attacker's request is under way.
    Collapsed,
    /// What is stored is stale, and the origin confirms it, with fields of its own.
    Revalidated,
    /// What was stored has just been made invalid by a write.
    AfterPurge,
}

const PHASES: [Phase; 5] =
    [Phase::Cold, Phase::Stale, Phase::Collapsed, Phase::Revalidated, Phase::AfterPurge];

/// The field as the origin reads it: all of its lines.
fn read(ask: &Ask, name: &str) -> String {
    let lines = ask
        .fields
        .get_all(name)
        .into_iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    lines.collect::<Vec<_>>().join("|")
}

fn origin(attack: &'static Attack, phase: Phase, vary: bool) -> impl Fn(&Ask) -> Reply {
    move |ask| {
        let said = read(ask, attack.field);
        let believes = said.contains(attack.value);
        let lifetime = match (phase, attack.effect) {
            (Phase::Stale, _) => "max-age=1, stale-while-revalidate=60",
            (Phase::Revalidated, _) => "max-age=1",
            (_, Effect::Public) => "public, max-age=600",
            _ => "max-age=600",
        };
        let mark = match attack.way {
            // With other ordinary values a response may be another; that it repeats them is what is not for others.
            Way::Shared => attack.value,
            Way::Seen | Way::Removed => MARK,
        };
        let mark = if believes { mark } else { "" };
        let reply = match attack.effect {
            Effect::Echo => Reply::new(lifetime, &format!("page for {said}")),
            Effect::EchoField => Reply::new(lifetime, "page").field("x-for", said),
            _ if !believes => Reply::new(lifetime, "page"),
            Effect::Page | Effect::Public => Reply::new(lifetime, MARK),
            Effect::Redirect => Reply::new(lifetime, MARK).status(302).field("location", attack.value),
            Effect::Error(status) => Reply::new(lifetime, MARK).status(status),
            Effect::Cors => Reply::new(lifetime, MARK).field("access-control-allow-origin", attack.value),
            Effect::Link => Reply::new(lifetime, MARK).field("link", format!("<{}>", attack.value)),
            Effect::Cookie => Reply::new(lifetime, MARK).field("x-cookie", attack.value),
            Effect::Type => Reply::new(lifetime, MARK).field("content-type", "application/evil"),
        };
        let reply = match phase {
            Phase::Revalidated if ask.field("if-none-match") == "\"1\"" => {
                Reply::new(lifetime, "").status(304).field("x-note", mark).field("etag", "\"1\"")
            }
            Phase::Revalidated => reply.field("etag", "\"1\""),
            Phase::Collapsed => reply.after(Duration::from_secs(1)),
            _ => reply,
        };
        if vary { reply.field("vary", attack.field) } else { reply }
    }
}

/// What a victim sends, and the attacker with it, but for the field of the attack.
fn attacker_of(victim: &Fields, attack: &Attack) -> Fields {
    let mut fields: Fields = victim.iter().filter(|(name, _)| *name != attack.field).copied().collect();
    fields.push((attack.field, attack.value));
    fields
}

struct Run {
    /// What the attacker got, each time.
    attacker: Vec<Answered>,
    victim: Vec<Answered>,
}

fn run(sim: &Sim, phase: Phase, victim: &Fields, attacker: &Fields) -> Run {
    let get = |fields: &Fields| sim.send("GET", "/a", fields);
    let mut run = Run { attacker: vec![], victim: vec![] };
    match phase {
        Phase::Cold => {}
        Phase::Stale | Phase::Revalidated => {
            run.victim.push(get(victim));
            sim.advance(Duration::from_secs(5));
        }
        Phase::AfterPurge => {
            run.victim.push(get(victim));
            assert_eq!(sim.send("POST", "/a", &[("body", "x")]).status, 200);
        }
        Phase::Collapsed => {
            let all = [attacker, victim, attacker, victim, victim];
            let asked: Vec<_> = all.iter().map(|fields| ("GET", "/a", &fields[..])).collect();
            let mut answers = sim.send_together(&asked);
            sim.settle();
            let mut last = answers.split_off(3);
            run.attacker.extend([answers[0].clone(), answers[2].clone()]);
            run.victim.append(&mut last);
            run.victim.push(answers.remove(1));
        }
    }
    // The second time the attacker's own set is worth storing.
    for _ in 0..2 {
        run.attacker.push(get(attacker));
    }
    for _ in 0..2 {
        run.victim.push(get(victim));
        if matches!(phase, Phase::Stale | Phase::Revalidated) {
            sim.advance(Duration::from_secs(5));
            run.attacker.push(get(attacker));
        }
    }
    run.victim.push(get(victim));
    run
}

/// What the origin says to a request without an edge before it.
fn directly(attack: &Attack, fields: &Fields) -> (u16, String, String) {
    let said = fields.iter().find(|(name, _)| *name == attack.field).map_or("", |field| field.1);
    match attack.effect {
        Effect::Echo => (200, format!("page for {said}"), String::new()),
        Effect::EchoField => (200, "page".to_owned(), said.to_owned()),
        _ => (200, "page".to_owned(), String::new()),
    }
}

fn check(attack: &'static Attack, phase: Phase, vary: bool, victim: &Fields) {
    let sim = Sim::new(config_for(&["https://o.example"]), origin(attack, phase, vary));
    let attacker = attacker_of(victim, attack);
    let run = run(&sim, phase, victim, &attacker);
    let about = format!("{} ({}), {phase:?}, vary: {vary}", attack.name, attack.field);
    let expected = directly(attack, victim);
    for answer in &run.victim {
        let got = (answer.status, answer.text().to_owned(), answer.field("x-for").to_owned());
        assert_eq!(got, expected, "{about}: {}", answer.cache_status());
        for (name, value) in &answer.fields {
            let value = String::from_utf8_lossy(value.as_bytes());
            let is_named = name == "vary" || name == "cache-status" || attack.value.len() < 5;
            assert!(
                !value.contains(MARK) && (is_named || !value.contains(attack.value)),
                "{about}: {name}: {value}"
            );
        }
    }
    // The attack is real: the origin believes it, or never learns of it.
    let believed = sim.asked().iter().any(|ask| read(ask, attack.field).contains(attack.value));
    assert_eq!(believed, attack.way != Way::Removed, "{about}: what the origin saw");
    if attack.way == Way::Seen && attack.effect != Effect::Public {
        for answer in &run.attacker {
            let got = (answer.status, answer.text(), answer.field("x-for"));
            assert_ne!(got, (200, "page", ""), "{about}: the attacker gets what it asked for");
        }
    }
    // And it takes nothing from the victim: what is for it is stored.
    let echoes = matches!(attack.effect, Effect::Echo | Effect::EchoField);
    let last = run.victim.last().expect("answers").cache_status();
    if !echoes && matches!(phase, Phase::Cold | Phase::AfterPurge | Phase::Collapsed) {
        assert!(last.starts_with("hit"), "{about}: {last}");
    }
}

fn all() -> impl Iterator<Item = &'static Attack> {
    [PARTICULAR, CRAFTED, REPEATED, REMOVED].into_iter().flatten()
}

fn check_all(attacks: &'static [Attack]) {
    for attack in attacks {
        for phase in PHASES {
            for vary in [false, true] {
                check(attack, phase, vary, &BROWSER.to_vec());
                check(attack, phase, vary, &SCRIPT.to_vec());
            }
        }
    }
}

#[test]
fn particular_fields_reach_nobody_else() {
    check_all(PARTICULAR);
}

#[test]
fn crafted_values_of_ordinary_fields_reach_nobody_else() {
    check_all(CRAFTED);
}

#[test]
fn repeated_values_of_ordinary_fields_reach_nobody_else() {
    check_all(REPEATED);
}

#[test]
fn what_clients_say_of_their_way_reaches_no_origin() {
    check_all(REMOVED);
}

#[test]
fn each_attack_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = all().map(|attack| attack.name).collect();
    assert_eq!(names.len(), all().count(), "a name stands twice");
    assert!(names.len() >= 120, "{}", names.len());
}

/// Every field of docs/fields.md that is ordinary, an identifier, or named as particular is attacked by.
#[test]
fn each_field_of_the_documentation_is_attacked_by() {
    const LIST: &str = include_str!("../../../../docs/fields.md");
    let attacked: BTreeSet<&str> = all().map(|attack| attack.field).collect();
    let mut fields = 0;
    for heading in ["Ordinary", "Request identifiers", "Particular"] {
        let (_, section) = LIST.split_once(&format!("\n## {heading}\n")).expect("the section");
        let section = section.split("\n## ").next().unwrap_or_default();
        for row in section.lines().filter(|line| line.starts_with("| `")) {
            let names = row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2);
            for name in names {
                assert!(attacked.contains(name.to_ascii_lowercase().as_str()), "no attack by `{name}`");
                fields += 1;
            }
        }
    }
    assert!(fields > 80, "{fields}");
}
