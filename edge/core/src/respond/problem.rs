//! Errors that the edge answers by itself: problem+json (RFC 9457), HTML for a browser.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{Answer, own_page};
use crate::fields::accept;
use crate::origin::OriginError;
use crate::platform::{ClientFault, FetchError};

/// Something that went wrong, for whoever reads the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// A stable word for programs: `origin-unreachable`.
    pub code: &'static str,
    pub title: &'static str,
    /// What was wrong here, and what is allowed or will help.
    pub detail: String,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u32>,
    /// `error` of `Proxy-Status` (RFC 9209), where an exchange with the origin failed.
    pub proxy_error: Option<&'static str>,
    /// `WWW-Authenticate`, where the edge asks for a token.
    pub authenticate: Option<&'static str>,
    /// `Allow`, where it is the method that is refused.
    pub allow: Option<&'static str>,
}

impl Problem {
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            title,
            detail: detail.into(),
            retry_after: None,
            proxy_error: None,
            authenticate: None,
            allow: None,
        }
    }

    /// The problem that a client is told about when no origin answered. `jitter` spreads the next tries.
    pub fn from_origin(error: &OriginError, jitter: u64) -> Self {
        let gateway = |code, title, proxy_error| Self {
            proxy_error: Some(proxy_error),
            ..Self::new(StatusCode::BAD_GATEWAY, code, title, error.to_string())
        };
        let late = |proxy_error| Self {
            proxy_error: Some(proxy_error),
            ..Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "origin-timeout",
                "The origin is too late",
                error.to_string(),
            )
        };
        match error {
            OriginError::Saturated | OriginError::ClientShare => Self {
                retry_after: Some(1 + u32::try_from(jitter % 4).unwrap_or(0)),
                proxy_error: Some("connection_limit_reached"),
                ..Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "origin-saturated",
                    "The origin is busy",
                    error.to_string(),
                )
            },
            OriginError::Handler(_) => {
                gateway("handler-failed", "The handler behind the cache failed", "proxy_internal_error")
            }
            OriginError::Fetch(fetch) => match fetch {
                FetchError::ConnectionTimeout => late("connection_timeout"),
                FetchError::ResponseTimeout => late("http_response_timeout"),
                FetchError::Dns => gateway("origin-unreachable", "The origin cannot be found", "dns_error"),
                FetchError::ConnectionRefused => {
                    gateway("origin-unreachable", "The origin cannot be reached", "connection_refused")
                }
                FetchError::Client(fault) => Self::from_client(fault),
                FetchError::UnsupportedStatus(_) => {
                    gateway("origin-status", "The origin's status cannot be passed on", "http_protocol_error")
                }
                FetchError::ConnectionTerminated(_) | FetchError::KeptAliveClosed => {
                    // A runtime may not tell a connection that was refused from one that broke.
                    gateway(
                        "origin-broke-off",
                        "The origin cannot be reached, or broke off",
                        "connection_terminated",
                    )
                }
                FetchError::Tls(_) => {
                    gateway("origin-tls", "The origin cannot be trusted", "tls_protocol_error")
                }
                FetchError::Protocol(_) => {
                    gateway("origin-protocol", "The origin does not speak HTTP", "http_protocol_error")
                }
                FetchError::Internal(_) => {
                    gateway("edge-internal", "The edge could not ask the origin", "proxy_internal_error")
                }
            },
        }
    }

    /// The problem that is told to those who waited for a response that came with this status.
    pub fn from_status(status: StatusCode, jitter: u64) -> Self {
        let overloaded = status == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            retry_after: overloaded.then(|| 1 + u32::try_from(jitter % 4).unwrap_or(0)),
            ..Self::new(
                status,
                "origin-failed",
                "The origin failed",
                format!("the origin answered {} to a request for the same", status.as_u16()),
            )
        }
    }

    /// The request's body broke off on its way to the origin.
    fn from_client(fault: &ClientFault) -> Self {
        let (status, code, title) = match fault {
            ClientFault::Malformed(_) => {
                (StatusCode::BAD_REQUEST, "bad-body", "The request's body is malformed")
            }
            ClientFault::Unsupported(_) => {
                (StatusCode::BAD_REQUEST, "unsupported-body", "The request's body cannot be sent on")
            }
            ClientFault::Stalled | ClientFault::Gone => {
                (StatusCode::REQUEST_TIMEOUT, "slow-body", "The request's body came too slowly")
            }
        };
        Self::new(status, code, title, fault.to_string())
    }

    /// The answer, as HTML where the request prefers it. Not to be stored by anyone.
    pub fn answer(&self, request: &HeaderMap) -> Answer {
        let html = accept::wants_html(request);
        let (content_type, body) = if html {
            ("text/html; charset=utf-8", self.html())
        } else {
            ("application/problem+json", self.json())
        };
        let mut answer = own_page(self.status, content_type, body);
        let fields = &mut answer.fields;
        fields.insert(header::VARY, HeaderValue::from_static("accept"));
        if let Some(seconds) = self.retry_after {
            fields.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(authenticate) = self.authenticate {
            fields.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(authenticate));
        }
        if let Some(allow) = self.allow {
            fields.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(error) = self.proxy_error
            && let Ok(value) = HeaderValue::from_str(&format!("levee; error={error}"))
        {
            fields.insert(HeaderName::from_static("proxy-status"), value);
        }
        answer
    }

    fn json(&self) -> String {
        format!(
            "{{\"type\":\"about:blank\",\"title\":{},\"status\":{},\"detail\":{},\"code\":\"{}\"}}\n",
            json_string(self.title),
            self.status.as_u16(),
            json_string(&self.detail),
            self.code
        )
    }

    fn html(&self) -> String {
        let title = escape(self.title);
        let detail = escape(&self.detail);
        let status = self.status.as_u16();
        page(
            &format!("{status} {title}"),
            &format!(
                "<p class=\"status\">{status}</p><h1>{title}</h1><p>{detail}</p><p class=\"by\">Levee, {}</p>",
                self.code
            ),
        )
    }
}

/// A small page of the edge's own: no script, nothing loaded from elsewhere.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style><main>{body}</main></html>\n"
    )
}

const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}\
body{margin:0}main{max-width:44rem;margin:12vh auto;padding:0 1.5rem}\
h1{font-size:1.6rem;line-height:1.25;margin:.2em 0 .6em}h2{font-size:1.1rem;margin:2em 0 .5em}\
.status{font:600 3.5rem/1 system-ui;margin:0;color:#1d6fb8}.by{color:#767676;font-size:.85rem;margin-top:3em}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35em .8em .35em 0;border-bottom:1px solid #8884;vertical-align:top}\
td.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.92em}";

/// Text for HTML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// Text as a JSON string, with its quotes (RFC 8259, section 7).
pub(crate) fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_for_programs_and_html_for_browsers() {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "bad-target", "Bad", "a \"<b>\"\n");
        let answer = problem.answer(&HeaderMap::new());
        let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(json["detail"], "a \"<b>\"\n");
        assert_eq!(json["status"], 400);
        let mut browser = HeaderMap::new();
        browser.insert(header::ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"));
        let page = String::from_utf8(problem.answer(&browser).body.to_vec()).unwrap();
        assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"), "{page}");
    }

    #[test]
    fn late_is_504_and_broken_is_502() {
        let status = |error: FetchError| Problem::from_origin(&error.into(), 0).status.as_u16();
        assert_eq!(status(FetchError::ResponseTimeout), 504);
        assert_eq!(status(FetchError::ConnectionRefused), 502);
        let busy = Problem::from_origin(&OriginError::Saturated, 3);
        assert_eq!((busy.status.as_u16(), busy.retry_after), (503, Some(4)));
    }
}
