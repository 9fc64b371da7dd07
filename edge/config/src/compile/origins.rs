//! `[origins.NAME]`.

use levee::config::{Origin, OriginHost};

use super::{names_help, override_url};
use crate::Overrides;
use crate::read::{At, Reader};
use crate::source::{self, File};

/// The name of the one origin of a neutral configuration.
const NEUTRAL: &str = "origin";

/// The names of the origins, in the order of the file.
pub(super) fn names(file: &File) -> Vec<&str> {
    let origins = file.origins.as_ref().map(|origins| origins.value.0.as_slice()).unwrap_or_default();
    origins.iter().map(|(name, _)| name.value.as_str()).collect()
}

pub(super) fn compile(file: &File, overrides: &Overrides, reader: &mut Reader<'_>) -> Vec<Origin> {
    let Some(At { value: source, span }) = &file.origins else { return Vec::new() };
    let known = names(file);
    for (name, url) in &overrides.origins {
        if !known.contains(&name.as_str()) {
            let message = format!("no origin is named `{name}`, whose URL was to be replaced by `{url}`");
            reader.error_outside(message).help(names_help(name, &known));
        }
    }
    if source.0.is_empty() && !reader.has_errors() {
        reader.error(span, "no origin").help("write `[origins.NAME]`, then `url = …`");
    }
    let backup = |origin: &source::Origin| origin.backup.as_ref().is_some_and(|backup| backup.value);
    if !source.0.is_empty()
        && source.0.iter().all(|(_, origin)| backup(origin))
        && let Some(at) = source.0[0].1.backup.as_ref()
    {
        let help = "at least one origin is none: without `backup`, or with `backup = false`";
        reader.error(&at.span, "every origin is a backup").help(help);
    }
    let compiled = source.0.iter().map(|(name, origin)| {
        let replaced = overrides.origins.iter().rfind(|(to, _)| *to == name.value);
        let url = match replaced {
            Some((name, url)) => override_url(name, url, reader),
            None => origin.url.as_ref().map(|url| url.value.0.clone()),
        };
        Some(Origin {
            name: name.value.clone(),
            url: url?,
            region: origin.region.as_ref().map(|region| region.value.0.clone()),
            health: origin.health.as_ref().map(|path| path.value.0.clone()),
            weight: origin
                .weight
                .as_ref()
                .map_or(1, |weight| u16::try_from(weight.value.0).unwrap_or(u16::MAX)),
            backup: backup(origin),
            host: match origin.host.as_ref().map(|host| host.value) {
                Some(source::OriginHost::Client) => OriginHost::Client,
                Some(source::OriginHost::Origin) | None => OriginHost::Origin,
            },
        })
    });
    compiled.collect::<Vec<_>>().into_iter().flatten().collect()
}

pub(super) fn neutral(url: &str, overrides: &Overrides, reader: &mut Reader<'_>) -> Option<Origin> {
    let mut url = url;
    for (name, replaced) in &overrides.origins {
        if name == NEUTRAL {
            url = replaced;
        } else {
            let message =
                format!("no origin is named `{name}`, whose URL was to be replaced by `{replaced}`");
            reader.error_outside(message).help(names_help(name, &[NEUTRAL]));
        }
    }
    Some(Origin {
        name: NEUTRAL.to_owned(),
        url: override_url(NEUTRAL, url, reader)?,
        region: None,
        health: None,
        weight: 1,
        backup: false,
        host: OriginHost::Origin,
    })
}
