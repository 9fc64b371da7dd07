//! `cargo xtask explain URL`: asks a running edge what it does with a request, and why.

use anyhow::{Context, Result, bail};
use clap::Parser;
use serde_json::Value;

/// What is explained.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The URL as a client asks for it, such as http://127.0.0.1:8787/api/films?q=heat
    url: String,
    /// The value of the edge's secret LEVEE_STATUS_TOKEN, by default of the variable of that name; an edge on this machine asks
    /// for none.
    #[arg(long)]
    token: Option<String>,
    /// A field of the request, such as 'Accept-Language: de'; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let (edge, target) = split(&args.url)?;
    let mut request = ureq::get(format!("{edge}/.levee/explain?url={}", encoded(target)))
        .config()
        .http_status_as_error(false)
        .build()
        .header("accept", "application/json");
    let token = args.token.clone().or_else(|| std::env::var("LEVEE_STATUS_TOKEN").ok());
    if let Some(token) = &token {
        request = request.header("levee-token", token);
    }
    for header in &args.headers {
        let (name, value) = header
            .split_once(':')
            .with_context(|| format!("`{header}` is no field: write it as 'Accept-Language: de'"))?;
        request = request.header(name.trim(), value.trim());
    }
    let mut response = request.call().with_context(|| format!("no edge answers at {edge}"))?;
    let status = response.status();
    let body = response.body_mut().read_to_string().context("the edge's answer broke off")?;
    let answer: Value = serde_json::from_str(&body)
        .with_context(|| format!("what answers at {edge} is not a Levee edge (status {status})"))?;
    match answer.as_array() {
        Some(steps) if status.is_success() => {
            print(steps);
            Ok(())
        }
        _ => bail!("{}: {}", text(&answer, "title"), text(&answer, "detail")),
    }
}

/// Scheme and authority, and the rest.
fn split(url: &str) -> Result<(&str, &str)> {
    let start = url.find("://").map(|at| at + 3).context("the URL must begin with http:// or https://")?;
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    let target = &url[end..];
    Ok((&url[..end], if target.is_empty() { "/" } else { target }))
}

/// A target as the value of a query parameter.
fn encoded(target: &str) -> String {
    let mut out = String::new();
    for byte in target.bytes() {
        match byte {
            b'%' | b'?' | b'&' | b'#' | b'+' | b' ' | b'"' | b'<' | b'>' | 0x80.. => {
                out.push_str(&format!("%{byte:02X}"));
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

fn print(steps: &[Value]) {
    for step in steps {
        println!("{:<8} {}", text(step, "step"), text(step, "what"));
        println!("{:<8}   by {}", "", text(step, "rule"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_its_target_encoded() {
        let (edge, target) = split("http://127.0.0.1:8787/a?b=1&c=%20").expect("a URL");
        assert_eq!((edge, target), ("http://127.0.0.1:8787", "/a?b=1&c=%20"));
        assert_eq!(encoded(target), "/a%3Fb=1%26c=%2520");
        assert_eq!(split("https://a.example").expect("a URL"), ("https://a.example", "/"));
        assert!(split("a.example").is_err());
    }
}
