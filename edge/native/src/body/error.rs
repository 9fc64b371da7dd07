//! Why a body broke off.

use std::error::Error;

use levee::platform::ClientFault;

/// A body broke off. It is never taken for a body's end: whoever reads it is cut off as well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// A request's body: its client is to blame, and nobody else.
    #[error(transparent)]
    Client(#[from] ClientFault),
    /// A response's body, an origin's or a handler's.
    #[error("{}", describe(.0.as_ref()))]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

impl BodyError {
    /// What already is one stays as it is: a handler may hand on the body of its request.
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        match error.into().downcast::<Self>() {
            Ok(own) => *own,
            Err(other) => Self::Other(other),
        }
    }

    /// What a client has done wrong, if that is what `error` comes from. hyper wraps the error of a body that it sends.
    pub(crate) fn client_fault<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ClientFault> {
        let mut next = Some(error);
        while let Some(error) = next {
            match error.downcast_ref::<Self>() {
                Some(Self::Client(fault)) => return Some(fault),
                _ => next = error.source(),
            }
        }
        None
    }
}

/// hyper keeps the interesting half of what it says in the source.
fn describe(error: &(dyn Error + 'static)) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] BodyError);

    #[test]
    fn a_clients_fault_is_found_behind_what_wraps_it() {
        let stalled = || BodyError::Client(ClientFault::Stalled);
        assert_eq!(BodyError::client_fault(&stalled()), Some(&ClientFault::Stalled));
        assert_eq!(BodyError::client_fault(&Outer(stalled())), Some(&ClientFault::Stalled));
        let again = BodyError::new(Box::new(stalled()) as Box<dyn Error + Send + Sync>);
        assert!(matches!(again, BodyError::Client(ClientFault::Stalled)));
        assert_eq!(BodyError::client_fault(&BodyError::new("the origin's")), None);
    }
}
