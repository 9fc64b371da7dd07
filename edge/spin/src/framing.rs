//! How long a message's content is, as its fields say (RFC 9112, section 6.3).
//!
//! Framing belongs to one connection: the fields that say it end here, and those of the message that goes out are made from
//! the body that is sent.

use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::{Method, StatusCode};
use levee::fields::{list, transfer};

/// What the fields of a request said of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// So many bytes.
    Length(u64),
    /// Chunks, and then an end.
    Chunked,
    /// Nothing. HTTP/1.1 then has no content; HTTP/2 may have some.
    Nothing,
}

/// Takes the fields out of a request that say how long its content is.
///
/// # Errors
/// Where they contradict each other or say nothing that can be understood: whoever reads them otherwise sees another message.
pub(crate) fn of_request(fields: &mut HeaderMap) -> Result<Said, &'static str> {
    let is_coded = fields.remove(TRANSFER_ENCODING).is_some();
    let length = length(fields).map_err(|()| "The request's Content-Length is not one number.")?;
    fields.remove(CONTENT_LENGTH);
    match (is_coded, length) {
        (true, Some(_)) => Err("The request has both Content-Length and Transfer-Encoding."),
        (true, None) => Ok(Said::Chunked),
        (false, Some(length)) => Ok(Said::Length(length)),
        (false, None) => Ok(Said::Nothing),
    }
}

/// Takes the fields out of a response that say how long its content is; `None` where nothing does. The runtime's HTTP client
/// has held the content to it.
///
/// Beside `Transfer-Encoding`, `Content-Length` says nothing. `Content-Length` stays where there is no content and it tells how
/// long that of a GET would be (RFC 9110, section 8.6).
pub(crate) fn of_response(method: &Method, status: StatusCode, fields: &mut HeaderMap) -> Option<u64> {
    let is_coded = fields.remove(TRANSFER_ENCODING).is_some();
    let length = length(fields).ok().flatten().filter(|_| !is_coded);
    fields.remove(CONTENT_LENGTH);
    if is_bodiless(status) {
        return Some(0);
    }
    if *method == Method::HEAD {
        if let Some(length) = length {
            fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        return Some(0);
    }
    length
}

/// What a response's content is coded in on the way, where that is more than chunks: the runtime's HTTP client takes off the chunks
/// alone, and what is coded must not pass for the content.
pub(crate) fn unknown_coding(fields: &HeaderMap) -> Option<String> {
    let codings: Vec<_> = list::all(fields, TRANSFER_ENCODING.as_str()).collect();
    let known = |coding: &str| ["chunked", "identity"].iter().any(|name| coding.eq_ignore_ascii_case(name));
    let is_known = codings.iter().all(|coding| known(coding)) || transfer::names_no_coding(fields);
    (!is_known).then(|| codings.join(", "))
}

/// The one number that all lines and list members say, if any does.
fn length(fields: &HeaderMap) -> Result<Option<u64>, ()> {
    let mut length = None;
    for line in fields.get_all(CONTENT_LENGTH) {
        for said in line.to_str().map_err(|_| ())?.split(',') {
            let said = said.trim_matches([' ', '\t']);
            // `parse` takes a plus sign.
            let is_number = !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit());
            let said = if is_number { said.parse::<u64>().map_err(|_| ())? } else { return Err(()) };
            if *length.get_or_insert(said) != said {
                return Err(());
            }
        }
    }
    Ok(length)
}

/// What `Content-Length` says on a request that goes out. The HTTP client sends the others chunked, and those of GET and HEAD
/// without content.
pub(crate) fn for_request(method: &Method, length: Option<u64>) -> Option<u64> {
    length.filter(|length| *length > 0 || !has_no_usual_content(method))
}

/// Of these the runtime's HTTP client sends only content whose length is said.
pub(crate) fn has_no_usual_content(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::CONNECT)
}

/// What `Content-Length` says on a response that goes out (RFC 9110, section 8.6): how much is sent, and on an answer to HEAD
/// what its fields say of a GET's.
pub(crate) fn for_response(
    is_head: bool,
    status: StatusCode,
    fields: &HeaderMap,
    length: Option<u64>,
) -> Option<u64> {
    if is_bodiless(status) {
        None
    } else if is_head {
        self::length(fields).ok().flatten()
    } else {
        length
    }
}

/// Such a response has no content, whatever its fields say (RFC 9110, section 6.4.1).
pub(crate) fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

/// Whether the runtime can pass on a response of this status: wasi:http takes none above 599, and its server no 1xx.
pub(crate) fn is_carried(status: u16) -> bool {
    (200..=599).contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn request(lines: &[(&'static str, &'static str)]) -> Result<Said, &'static str> {
        let mut fields = fields(lines);
        let said = of_request(&mut fields);
        assert!(said.is_err() || fields.is_empty(), "{fields:?}");
        said
    }

    #[test]
    fn a_requests_length_is_what_all_of_it_says() {
        assert_eq!(request(&[]), Ok(Said::Nothing));
        assert_eq!(request(&[("content-length", "12")]), Ok(Said::Length(12)));
        assert_eq!(request(&[("content-length", "12"), ("content-length", "12, 12")]), Ok(Said::Length(12)));
        assert_eq!(request(&[("transfer-encoding", "chunked")]), Ok(Said::Chunked));
    }

    #[test]
    fn a_request_that_contradicts_itself_is_refused() {
        let both = [("content-length", "3"), ("transfer-encoding", "chunked")];
        assert!(request(&both).is_err_and(|why| why.contains("both")));
        for wrong in ["", "+1", "-1", "1 2", "1,2", "0x1", "99999999999999999999999", "1,"] {
            assert!(request(&[("content-length", wrong)]).is_err(), "{wrong}");
        }
        assert!(request(&[("content-length", "1"), ("content-length", "2")]).is_err());
    }

    fn response(
        method: &Method,
        status: u16,
        lines: &[(&'static str, &'static str)],
    ) -> (Option<u64>, usize) {
        let mut fields = fields(lines);
        let length = of_response(method, StatusCode::from_u16(status).expect("a status"), &mut fields);
        (length, fields.len())
    }

    #[test]
    fn what_is_coded_does_not_pass_for_the_content() {
        let unknown = |coding: &'static str| unknown_coding(&fields(&[("transfer-encoding", coding)]));
        for known in ["chunked", "Chunked", "identity", "odd"] {
            assert_eq!(unknown(known), None, "{known}");
        }
        assert_eq!(unknown_coding(&HeaderMap::new()), None);
        for coding in ["gzip, chunked", "gzip", "chunked, gzip", "odd, chunked"] {
            assert_eq!(unknown(coding).as_deref(), Some(coding));
        }
    }

    #[test]
    fn a_responses_length_counts_only_without_a_coding() {
        let length = ("content-length", "3");
        assert_eq!(response(&Method::GET, 200, &[length]), (Some(3), 0));
        assert_eq!(response(&Method::GET, 200, &[length, ("transfer-encoding", "chunked")]), (None, 0));
        assert_eq!(response(&Method::GET, 200, &[]), (None, 0));
        assert_eq!(response(&Method::GET, 204, &[length]), (Some(0), 0));
        assert_eq!(response(&Method::GET, 304, &[length]), (Some(0), 0));
        assert_eq!(response(&Method::HEAD, 200, &[length]), (Some(0), 1), "it tells of the GET");
        assert_eq!(response(&Method::HEAD, 200, &[length, ("transfer-encoding", "chunked")]), (Some(0), 0));
    }

    #[test]
    fn what_goes_out_says_how_much_is_sent() {
        assert_eq!(for_request(&Method::POST, Some(0)), Some(0));
        assert_eq!(for_request(&Method::DELETE, Some(0)), Some(0), "else it would be sent chunked");
        assert_eq!(for_request(&Method::GET, Some(0)), None);
        assert_eq!(for_request(&Method::GET, Some(2)), Some(2));
        assert_eq!(for_request(&Method::PUT, None), None);
        let said = fields(&[("content-length", "3")]);
        assert_eq!(for_response(false, StatusCode::OK, &said, Some(5)), Some(5));
        assert_eq!(for_response(false, StatusCode::OK, &said, None), None);
        assert_eq!(for_response(true, StatusCode::OK, &said, Some(0)), Some(3));
        assert_eq!(for_response(false, StatusCode::NO_CONTENT, &said, Some(0)), None);
        assert_eq!(for_response(true, StatusCode::NOT_MODIFIED, &said, Some(0)), None);
    }

    #[test]
    fn the_statuses_that_the_runtime_carries() {
        for (status, is) in
            [(100, false), (101, false), (199, false), (200, true), (599, true), (600, false), (999, false)]
        {
            assert_eq!(is_carried(status), is, "{status}");
        }
    }
}
