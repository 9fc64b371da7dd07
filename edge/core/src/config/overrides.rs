//! What a deployment says beside the compiled configuration: other addresses of its origins.

use super::Origin;

/// The variable that replaces the URL of an origin: that of `box-office` is `LEVEE_ORIGIN_BOX_OFFICE_URL`. Platforms whose
/// variables are in lower case spell it so.
pub fn origin_variable(origin: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let mut name = String::from("LEVEE_ORIGIN_");
    name.extend(origin.chars().map(upper));
    name.push_str("_URL");
    name
}

/// Replaces an origin's URL by what `variable` says: one build, several environments.
///
/// # Errors
/// What is wrong with such a URL, for people.
pub fn override_origin(origin: &mut Origin, variable: &str, url: &str) -> Result<(), String> {
    let Some(valid) = origin_url(url) else {
        return Err(format!(
            "The variable {variable} is `{url}`: it must be http:// or https://, a host, and no path."
        ));
    };
    valid.clone_into(&mut origin.url);
    Ok(())
}

/// Scheme and authority, without a slash at the end.
fn origin_url(url: &str) -> Option<&str> {
    let url = url.strip_suffix('/').unwrap_or(url);
    let authority = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let parsed = authority.parse::<http::uri::Authority>().ok()?;
    (!parsed.host().is_empty() && !authority.contains('@')).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OriginHost;

    fn overridden(url: &str) -> Result<String, String> {
        let mut origin = Origin {
            name: "box-office".into(),
            url: "https://example.net".into(),
            region: None,
            health: None,
            weight: 1,
            backup: false,
            host: OriginHost::Origin,
        };
        override_origin(&mut origin, &origin_variable("box-office"), url)?;
        Ok(origin.url)
    }

    #[test]
    fn a_variable_replaces_the_url_of_the_origin_it_names() {
        assert_eq!(origin_variable("box-office"), "LEVEE_ORIGIN_BOX_OFFICE_URL");
        assert_eq!(overridden("http://127.0.0.1:8081"), Ok("http://127.0.0.1:8081".into()));
        assert_eq!(overridden("https://[::1]:8081/"), Ok("https://[::1]:8081".into()));
    }

    #[test]
    fn what_is_no_origin_is_refused_by_name() {
        for url in
            ["", "example.net", "ftp://example.net", "http://", "http://a/b", "http://u:p@a", "http://a b"]
        {
            let error = overridden(url).expect_err(url);
            assert!(error.contains("LEVEE_ORIGIN_BOX_OFFICE_URL"), "{error}");
        }
    }
}
