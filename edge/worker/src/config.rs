//! Where the configuration comes from, and what the Worker's variables change in it.

use levee::config::{Config as Compiled, origin_variable, override_origin};

/// A configuration, or why there is none. In the latter case every request is answered 500 with that reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config(pub(crate) Result<Compiled, String>);

impl Config {
    /// Reads the compiled configuration from the bundle's `levee.bin`; `source` is what it was compiled from.
    #[doc(hidden)]
    pub fn bundled(source: &str) -> Self {
        let bytes = crate::isolate::bundled_config();
        Self(Compiled::decode(bytes.as_deref().unwrap_or_default()).map_err(|error| {
            if bytes.as_deref().unwrap_or_default().is_empty() {
                format!("The bundle's levee.bin is empty: compile {source} into it.")
            } else {
                format!("The bundle's levee.bin, made from {source}, cannot be used: {error}.")
            }
        }))
    }
}

/// A configuration made by the program itself.
impl From<Compiled> for Config {
    fn from(config: Compiled) -> Self {
        Self(Ok(config))
    }
}

/// Replaces origin URLs by `LEVEE_ORIGIN_<NAME>_URL`, where `variable` has one: one bundle, several environments.
///
/// # Errors
/// What is wrong with such a URL, for people.
pub(crate) fn override_origins(
    config: &mut Compiled,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), String> {
    for origin in &mut config.origins {
        let name = origin_variable(&origin.name);
        if let Some(url) = variable(&name) {
            override_origin(origin, &name, &url)?;
        }
    }
    Ok(())
}
