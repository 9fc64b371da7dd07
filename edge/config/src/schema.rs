//! The JSON Schema of `levee.toml`, for editors.

use crate::json::Json;
use crate::read::Value;
use crate::source::File;

/// The JSON Schema (draft 2020-12) of `levee.toml`, as indented JSON with a line break at its end.
///
/// It is generated from the types that read the file, so that an editor knows each key that is read and no other.
pub fn json_schema() -> String {
    let head = [
        ("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into()),
        ("title".to_owned(), "levee.toml".into()),
    ];
    let Json::Object(body) = File::schema() else { unreachable!("a section's schema is an object") };
    let members = body
        .into_iter()
        .map(|(name, value)| if name == "properties" { (name, properties(value)) } else { (name, value) });
    let schema = Json::Object(head.into_iter().chain(members).collect());
    match serde_json::to_string_pretty(&schema) {
        Ok(text) => text + "\n",
        Err(_) => unreachable!("plain data always encodes"),
    }
}

/// A route's keys have no defaults of their own: what a route leaves unsaid, `[defaults]` says.
fn properties(properties: Json) -> Json {
    let Json::Object(members) = properties else { return properties };
    let members = members.into_iter().map(|(name, value)| {
        let value = if name == "routes" { value.without("default", "properties") } else { value };
        (name, value)
    });
    Json::Object(members.collect())
}
