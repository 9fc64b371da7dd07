//! `levee.toml`: read, checked, and compiled to what the edge reads ([`levee::config::Config`]); and its JSON Schema.
//!
//! This crate runs where an edge is built or started, and is never part of the wasm.

#![forbid(unsafe_code)]

mod compile;
mod diagnostic;
mod json;
#[macro_use]
mod read;
mod schema;
mod source;
mod syntax;
mod text;

use std::path::Path;

use levee::config::Config;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use diagnostic::{ConfigError, Diagnostic, Place, Severity};
pub use schema::json_schema;

use crate::read::{Node, Reader, Value};
use crate::text::Text;

/// What a command line adds to the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Hosts that are served beside those of the file. Where the file names none, any host is served, and these change nothing.
    pub hosts: Vec<String>,
    /// URLs that replace those of the origins of these names. A name that no origin has is an error.
    pub origins: Vec<(String, String)>,
}

/// A configuration that was read without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    pub config: Config,
    /// What the author should know, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

impl Compiled {
    /// The compiled form (`levee.bin`), as [`Config::decode`] reads it.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.config.encode()
    }
}

/// Compiles the file at `path`, which messages call as it is given.
///
/// # Errors
/// The file cannot be read, or is wrong: with everything that was found wrong in it.
pub fn compile_file(path: &Path, overrides: &Overrides) -> Result<Compiled, ConfigError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| unreadable(&name, &error))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => compile_str(&name, text, overrides),
        Err(error) => Err(syntax::not_utf8(&name, &bytes, error.valid_up_to())),
    }
}

/// Compiles `text`, which messages call `file_name`.
///
/// # Errors
/// The text is wrong: with everything that was found wrong in it.
pub fn compile_str(file_name: &str, text: &str, overrides: &Overrides) -> Result<Compiled, ConfigError> {
    let mut reader = Reader::new(Text::new(file_name, text));
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        syntax::report(&errors, &mut reader);
        return finish(None, reader);
    }
    let document = Spanned::new(0..0, DeValue::Table(table.into_inner()));
    let node = Node { value: document.get_ref(), span: 0..0, name: String::new() };
    let config =
        source::File::read(&node, &mut reader).and_then(|file| compile::file(&file, overrides, &mut reader));
    compile::warn_unenforced(&document, &mut reader);
    finish(config, reader)
}

/// The design's defaults in front of one origin, which is called `origin`. The extra hosts are served; where there are none, any host.
///
/// # Errors
/// The URL, or an override, is wrong.
pub fn neutral(origin_url: &str, overrides: &Overrides) -> Result<Compiled, ConfigError> {
    let mut reader = Reader::new(Text::new("", ""));
    let config = compile::neutral(origin_url, overrides, &mut reader);
    finish(config, reader)
}

fn finish(config: Option<Config>, reader: Reader<'_>) -> Result<Compiled, ConfigError> {
    let (errors, warnings) = reader.finish();
    match config {
        Some(config) if errors.is_empty() => Ok(Compiled { config, warnings }),
        _ => Err(ConfigError { errors, warnings }),
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> ConfigError {
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    let why = if missing { "there is no such file".to_owned() } else { error.to_string() };
    let mut diagnostic =
        Diagnostic::new(Severity::Error, format!("cannot read the configuration `{name}`: {why}"));
    if missing {
        diagnostic.help("a `levee.toml` says which hosts are served and which origins stand behind them");
    }
    ConfigError { errors: vec![diagnostic], warnings: Vec::new() }
}
