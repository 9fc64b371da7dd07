use std::fs;
use std::path::Path;

use crate::{Error, Result};

/// Reads a server's configuration with `{{name}}` in the places of addresses and folders, puts the values there and writes
/// the result to `to`.
pub(crate) fn fill(template: &Path, values: &[(&str, &str)], to: &Path) -> Result<()> {
    let what = || format!("the configuration {}", template.display());
    let mut text = fs::read_to_string(template).map_err(Error::io(what()))?;
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    fs::write(to, text).map_err(Error::io(format!("writing {}", to.display())))
}
