//! Where the configuration comes from.

use std::fs;

use levee::config::Config as Compiled;

/// Where the manifest puts the compiled configuration among the component's files.
const FILE: &str = "/levee.bin";

/// A configuration, or why there is none. In the latter case every request is answered 500 with that reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config(pub(crate) Result<Compiled, String>);

impl Config {
    /// Reads the compiled configuration from the component's file; `source` is what it was compiled from.
    #[doc(hidden)]
    pub fn shipped(source: &str) -> Self {
        let bytes = match fs::read(FILE) {
            Ok(bytes) => bytes,
            Err(error) => {
                return Self(Err(format!(
                    "The component has no file {FILE} ({error}): compile {source} into it and name it in `files` of \
                     spin.toml."
                )));
            }
        };
        Self(Compiled::decode(&bytes).map_err(|error| {
            format!("The component's file {FILE}, made from {source}, cannot be used: {error}.")
        }))
    }
}

/// A configuration made by the program itself.
impl From<Compiled> for Config {
    fn from(config: Compiled) -> Self {
        Self(Ok(config))
    }
}
