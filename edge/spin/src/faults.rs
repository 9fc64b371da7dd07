//! What the runtime and bodies report, in the pipeline's words.

use levee::platform::{ClientFault, FetchError};
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::body::{BodyError, Broken};

/// Why the runtime has no response.
pub(crate) fn of_exchange(error: ErrorCode) -> FetchError {
    use ErrorCode as Code;
    match error {
        Code::DnsTimeout | Code::DnsError(_) | Code::DestinationNotFound => FetchError::Dns,
        Code::ConnectionRefused => FetchError::ConnectionRefused,
        Code::ConnectionTimeout => FetchError::ConnectionTimeout,
        // The deadline of the first byte is reported as one of reading.
        Code::ConnectionReadTimeout | Code::HttpResponseTimeout => FetchError::ResponseTimeout,
        Code::DestinationUnavailable
        | Code::DestinationIpUnroutable
        | Code::ConnectionTerminated
        | Code::ConnectionWriteTimeout
        | Code::ConnectionLimitReached => FetchError::ConnectionTerminated(error.to_string()),
        Code::TlsProtocolError | Code::TlsCertificateError | Code::TlsAlertReceived(_) => {
            FetchError::Tls(error.to_string())
        }
        Code::HttpProtocolError
        | Code::HttpResponseIncomplete
        | Code::HttpResponseHeaderSectionSize(_)
        | Code::HttpResponseHeaderSize(_)
        | Code::HttpResponseBodySize(_)
        | Code::HttpResponseTrailerSectionSize(_)
        | Code::HttpResponseTrailerSize(_)
        | Code::HttpResponseTransferCoding(_)
        | Code::HttpResponseContentCoding(_)
        | Code::HttpUpgradeFailed => FetchError::Protocol(error.to_string()),
        // What is sent is the client's body, and it is not what its head says.
        Code::HttpRequestBodySize(_)
        | Code::HttpRequestTrailerSectionSize(_)
        | Code::HttpRequestTrailerSize(_) => ClientFault::Malformed(error.to_string()).into(),
        Code::HttpRequestDenied | Code::DestinationIpProhibited => FetchError::Internal(
            "the runtime forbids it: the origin is not among `allowed_outbound_hosts` in spin.toml"
                .to_owned(),
        ),
        Code::HttpRequestLengthRequired
        | Code::HttpRequestMethodInvalid
        | Code::HttpRequestUriInvalid
        | Code::HttpRequestUriTooLong
        | Code::HttpRequestHeaderSectionSize(_)
        | Code::HttpRequestHeaderSize(_)
        | Code::LoopDetected
        | Code::ConfigurationError
        | Code::InternalError(_) => FetchError::Internal(error.to_string()),
    }
}

/// Why a request's body could not be sent on.
pub(crate) fn of_request_body(error: &BodyError) -> FetchError {
    match &error.0 {
        Broken::Runtime(why) => ClientFault::Malformed(why.clone()).into(),
        Broken::TooSlow => ClientFault::Stalled.into(),
        Broken::Made(why) => FetchError::Internal(format!("the handler's body broke off: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runtime_reports_is_named() {
        assert_eq!(of_exchange(ErrorCode::ConnectionRefused), FetchError::ConnectionRefused);
        assert_eq!(of_exchange(ErrorCode::ConnectionReadTimeout), FetchError::ResponseTimeout);
        assert_eq!(of_exchange(ErrorCode::DestinationNotFound), FetchError::Dns);
        let FetchError::Internal(why) = of_exchange(ErrorCode::HttpRequestDenied) else {
            panic!("it is the edge's own fault")
        };
        assert!(why.contains("allowed_outbound_hosts"), "{why}");
    }

    #[test]
    fn a_clients_body_is_never_the_origins_fault() {
        for code in [ErrorCode::HttpRequestBodySize(Some(3)), ErrorCode::HttpRequestTrailerSectionSize(None)]
        {
            assert!(matches!(of_exchange(code), FetchError::Client(ClientFault::Malformed(_))));
        }
        assert_eq!(of_request_body(&BodyError::too_slow()), FetchError::Client(ClientFault::Stalled));
        let broken = of_request_body(&BodyError::runtime("HTTP protocol error"));
        assert!(
            matches!(broken, FetchError::Client(ClientFault::Malformed(why)) if why.contains("protocol"))
        );
        let made = of_request_body(&BodyError(Broken::Made("no more".into())));
        assert!(matches!(made, FetchError::Internal(why) if why.contains("no more")));
    }
}
