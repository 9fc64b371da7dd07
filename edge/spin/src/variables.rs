//! The component's variables: secrets, and what differs between environments.

use spin_sdk::variables::{Error, get};

/// The variable that opens the status page.
pub(crate) const TOKEN: &str = "levee_status_token";
/// What seals credentials in keys.
pub(crate) const SECRET: &str = "levee_secret";
/// `local` on a developer's machine.
pub(crate) const ENVIRONMENT: &str = "levee_environment";

/// Where the Redis is that instances and servers share.
pub(crate) const REDIS: &str = "levee_redis_url";

/// A variable that is there and not empty: a manifest can only declare one as optional by an empty default.
///
/// # Errors
/// What the provider of variables says, for people.
pub(crate) async fn optional(name: &str) -> Result<Option<String>, String> {
    match get(name).await {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(Error::Undefined(_) | Error::InvalidName(_)) => Ok(None),
        Err(error) => Err(format!("The variable {name} cannot be read: {error}")),
    }
}
