//! What real clients send, and what proxies add to it (`clients/*.txt`): none of it keeps a page or an API's response from being
//! stored, or tells one client's from the next, but for the fields that are written beside it.
//!
//! A file holds request heads with a blank line between them. `## ` begins one with its name; `# particular: ` lists the fields
//! that select, and `# facts: ` is what [`Facts::push`] says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue};
use levee::classes::{self, Class, Facts, Moved, Particulars, is_added_on_the_way, is_request_identifier};
use levee::seal::Seal;

/// One request head.
struct Head {
    name: String,
    fields: HeaderMap,
    particular: BTreeSet<String>,
    facts: Option<String>,
}

/// The heads of one file of `clients`.
fn read(path: &Path) -> Vec<Head> {
    let text = fs::read_to_string(path).expect("a file of heads");
    text.split("\n\n").filter_map(|block| block.trim_start().strip_prefix("## ")).map(head).collect()
}

fn head(block: &str) -> Head {
    let (name, rest) = block.split_once('\n').expect("a name and more");
    let (mut fields, mut particular, mut facts) = (HeaderMap::new(), BTreeSet::new(), None);
    let mut lines = rest.lines().peekable();
    while let Some(note) = lines.next_if(|line| line.starts_with("# ")) {
        match note.split_once(": ").expect("a note") {
            ("# particular", names) => particular = names.split(' ').map(str::to_owned).collect(),
            ("# facts", text) => facts = Some(text.to_owned()),
            _ => panic!("{name}: {note}"),
        }
    }
    assert!(
        lines.next().is_some_and(|line| line.starts_with("GET ") && line.ends_with(" HTTP/1.1")),
        "{name}"
    );
    for line in lines {
        let (field, value) = line.split_once(": ").unwrap_or_else(|| panic!("{name}: {line}"));
        let field: HeaderName = field.parse().expect("a name");
        fields.append(field, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
    }
    Head { name: name.to_owned(), fields, particular, facts }
}

/// All heads, by file.
fn all() -> BTreeMap<String, Vec<Head>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let files = fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path());
    files
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), read(&path)))
        .collect()
}

fn particulars(fields: &HeaderMap) -> Particulars<'_> {
    Particulars::of(fields, &Moved::default(), |_| false).expect("few")
}

#[test]
fn only_what_is_written_beside_a_head_selects() {
    let mut count = 0;
    for head in all().values().flatten() {
        let found: BTreeSet<String> =
            particulars(&head.fields).names().map(|name| name.as_str().to_owned()).collect();
        assert_eq!(found, head.particular, "{}", head.name);
        if let Some(facts) = &head.facts {
            let mut text = String::new();
            Facts::of(&head.fields).push(&mut text);
            assert_eq!(text, *facts, "{}", head.name);
        }
        count += 1;
    }
    assert!(count >= 150, "{count} heads");
}

#[test]
fn browsers_select_by_nothing_on_pages_and_what_pages_fetch() {
    for (file, heads) in all() {
        let allowed: &[&str] = match file.as_str() {
            // What is fetched ahead, and the script of a service worker: one value each.
            "chromium" | "firefox" => &["sec-purpose", "service-worker"],
            "safari" | "proxies" => &[],
            // The package of the app, on Android: one value for all who use that app.
            "in_app" => &["x-requested-with"],
            _ => continue,
        };
        for head in heads {
            assert!(head.particular.iter().all(|name| allowed.contains(&name.as_str())), "{}", head.name);
        }
    }
}

/// Every proxy before every client: nothing that it adds tells one of its requests from another.
#[test]
fn proxies_change_nothing_that_selects() {
    let seal = Seal::new(Some("secret"), "");
    let all = all();
    let mut count = 0;
    for client in all.iter().filter(|(file, _)| *file != "proxies").flat_map(|(_, heads)| heads) {
        let alone = particulars(&client.fields).digest(&seal);
        for proxy in &all["proxies"] {
            let mut both = client.fields.clone();
            for name in proxy.fields.keys() {
                if is_added_on_the_way(name) || is_request_identifier(name) {
                    both.remove(name);
                    for value in proxy.fields.get_all(name) {
                        both.append(name, value.clone());
                    }
                }
            }
            assert_eq!(particulars(&both).digest(&seal), alone, "{} behind {}", client.name, proxy.name);
            count += 1;
        }
    }
    assert!(count > 1000);
}

/// What a proxy adds is known as such: whatever is in its head and not in the client's own.
#[test]
fn what_proxies_add_has_a_class_of_its_own() {
    let own = ["host", "via", "cdn-loop", "accept-encoding", "connection"];
    for head in &all()["proxies"] {
        for (name, class, value) in classes::classes(&head.fields, &Moved::default()) {
            let added =
                is_added_on_the_way(name) || is_request_identifier(name) || own.contains(&name.as_str());
            assert_eq!(
                class != Class::Ordinary || is_request_identifier(name),
                added,
                "{}: {name}: {value:?}",
                head.name
            );
        }
    }
}
