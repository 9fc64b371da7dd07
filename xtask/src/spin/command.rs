//! The `spin` command: whether it is here, and new enough.

use std::path::PathBuf;

use crate::run;

/// The first version that knows WASI 0.3 as the component exports it.
const LEAST: (u32, u32) = (4, 1);

/// What there is of `spin` on this machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SpinCommand {
    Usable(PathBuf),
    /// Its version, as it says it.
    TooOld(String),
    Missing,
}

/// Asks for `spin` on the PATH.
pub(crate) fn find() -> SpinCommand {
    match run::ask("spin", &["--version"]) {
        None => SpinCommand::Missing,
        Some(said) if is_new_enough(&said) => SpinCommand::Usable(PathBuf::from("spin")),
        Some(said) => SpinCommand::TooOld(said),
    }
}

/// `spin 4.1.0 (abc 2026-10-01)`.
fn is_new_enough(said: &str) -> bool {
    let mut numbers = said.split_whitespace().nth(1).unwrap_or_default().split('.');
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    let (Some(major), Some(minor)) = (next(), next()) else { return false };
    (major, minor) >= LEAST
}

impl SpinCommand {
    /// Why it cannot be used, and how to get it.
    pub(crate) fn remedy(&self) -> String {
        let (major, minor) = LEAST;
        let how =
            format!("Spin {major}.{minor} or later is installed as https://spinframework.dev/install says");
        match self {
            Self::Usable(_) => String::new(),
            Self::TooOld(version) => format!("`{version}` is too old: {how}."),
            Self::Missing => format!("The command `spin` is not here: {how}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_new_enough("spin 4.1.0 (0f1c3 2026-10-01)"));
        assert!(is_new_enough("spin 10.0.0"));
        assert!(!is_new_enough("spin 4.0.9 (0f1c3 2026-03-01)"));
        assert!(!is_new_enough("spin 3.10.0"));
        assert!(!is_new_enough("SPIN verifies promela"), "another program of that name");
    }

    #[test]
    fn what_is_missing_is_said_with_its_remedy() {
        assert!(SpinCommand::Missing.remedy().contains("https://spinframework.dev/install"));
        assert!(SpinCommand::TooOld("spin 3.0.0".into()).remedy().contains("4.1"));
    }
}
