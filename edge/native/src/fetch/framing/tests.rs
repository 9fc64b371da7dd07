use http_body_util::{Either, Full};

use super::*;

fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for &(name, value) in lines {
        fields.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    fields
}

fn text<'a>(fields: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    fields.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

/// What goes out for a request with these fields and body.
fn sent(method: Method, lines: &[(&'static str, &'static str)], body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = "http://a.example/x?y".parse().unwrap();
    *request.headers_mut() = map(lines);
    let endpoint = Endpoint::of(request.uri()).unwrap();
    of_request(request, &endpoint, false).unwrap()
}

fn unknown() -> Body {
    Body::stream(futures_util::stream::iter([Ok::<_, std::io::Error>("hello".into())]))
}

/// Fields that would frame another message than the one that is sent.
const FALSE: &[(&str, &str)] = &[
    ("content-length", "189"),
    ("content-length", "3"),
    ("transfer-encoding", "gzip, chunked"),
    ("connection", "keep-alive, x-named"),
    ("keep-alive", "timeout=5"),
    ("te", "trailers"),
    ("trailer", "x"),
    ("upgrade", "h2c"),
    ("http2-settings", "AAMAAABkAAQAAP__"),
    ("proxy-connection", "keep-alive"),
    ("proxy-authorization", "Basic x"),
    ("proxy-x", "1"),
    ("x-named", "1"),
];

#[test]
fn a_request_is_framed_by_its_body_alone() {
    for (method, body, framing) in [
        (Method::GET, Body::default(), None),
        (Method::HEAD, Body::default(), None),
        (Method::DELETE, Body::default(), None),
        (Method::OPTIONS, Body::default(), None),
        (Method::POST, Body::default(), Some(("content-length", "0"))),
        (Method::PUT, Body::default(), Some(("content-length", "0"))),
        (Method::PATCH, Body::default(), Some(("content-length", "0"))),
        (Method::POST, "hello".into(), Some(("content-length", "5"))),
        (Method::GET, "hello".into(), Some(("content-length", "5"))),
        (Method::GET, unknown(), Some(("transfer-encoding", "chunked"))),
        (Method::POST, unknown(), Some(("transfer-encoding", "chunked"))),
    ] {
        let request = sent(method.clone(), FALSE, body);
        let mut expected = vec![("host", "a.example")];
        expected.extend(framing);
        assert_eq!(*request.headers(), map(&expected), "{method}");
        assert_eq!(request.uri(), "/x?y");
    }
}

#[test]
fn only_a_websocket_is_asked_for() {
    let mut request = Request::new(Body::default());
    *request.uri_mut() = "http://a.example/".parse().unwrap();
    *request.headers_mut() = map(FALSE);
    let endpoint = Endpoint::of(request.uri()).unwrap();
    let request = of_request(request, &endpoint, true).unwrap();
    let expected = map(&[("host", "a.example"), ("connection", "upgrade"), ("upgrade", "websocket")]);
    assert_eq!(*request.headers(), expected);
    assert!(
        of_request(
            Request::builder().method(Method::CONNECT).body(Body::default()).unwrap(),
            &endpoint,
            false
        )
        .is_err()
    );
}

type Sized = Either<Full<bytes::Bytes>, http_body_util::StreamBody<futures_util::stream::Empty<Nothing>>>;
type Nothing = Result<http_body::Frame<bytes::Bytes>, std::convert::Infallible>;

/// What is left of a response's framing, where hyper has read a body of `size`.
fn read(
    method: &Method,
    status: u16,
    lines: &[(&'static str, &'static str)],
    size: Option<usize>,
) -> Result<(Option<String>, Reuse), FetchError> {
    let body = match size {
        Some(size) => Sized::Left(Full::from(vec![0; size])),
        None => Sized::Right(http_body_util::StreamBody::new(futures_util::stream::empty())),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status.try_into().unwrap();
    *response.headers_mut() = map(lines);
    response.headers_mut().append("etag", HeaderValue::from_static("\"1\""));
    let reuse = of_response(method, &mut response)?;
    let fields = response.headers_mut();
    let length = text(fields, "content-length").join("|");
    fields.remove("content-length");
    assert_eq!(*fields, map(&[("etag", "\"1\"")]), "{lines:?}");
    Ok(((!length.is_empty()).then_some(length), reuse))
}

const KEPT: Reuse = Reuse::For(None);

#[test]
fn a_response_says_the_length_that_was_read_or_none() {
    let get = |lines, size| read(&Method::GET, 200, lines, size);
    let length = |length: &str| Some(length.to_owned());
    assert_eq!(get(&[("content-length", "5")], Some(5)), Ok((length("5"), KEPT)));
    assert_eq!(get(&[("content-length", "5"), ("content-length", "5")], Some(5)), Ok((length("5"), KEPT)));
    assert_eq!(get(&[("content-length", "5, 5")], Some(5)), Ok((length("5"), KEPT)));
    assert_eq!(get(&[("content-length", "0")], Some(0)), Ok((length("0"), KEPT)));
    assert_eq!(get(&[("transfer-encoding", "Chunked")], None), Ok((None, KEPT)));
    assert_eq!(get(&[], None), Ok((None, KEPT)));
    assert_eq!(get(&[("transfer-encoding", "identity")], None), Ok((None, KEPT)));
    let both = &[("content-length", "3"), ("transfer-encoding", "chunked")];
    assert_eq!(get(both, None), Ok((None, Reuse::Never)));
}

#[test]
fn an_end_that_is_not_certain_is_refused() {
    for lines in [
        &[("content-length", "5"), ("content-length", "6")][..],
        &[("content-length", "5, 6")],
        &[("content-length", "5,")],
        &[("content-length", "+5")],
        &[("content-length", "-1")],
        &[("content-length", "5 0")],
        &[("content-length", "0x5")],
        &[("content-length", "")],
        &[("content-length", "99999999999999999999")],
        &[("transfer-encoding", "gzip, chunked")],
        &[("transfer-encoding", "gzip")],
        &[("transfer-encoding", "chunked, chunked")],
        &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        &[("transfer-encoding", "chunked, identity")],
        &[("transfer-encoding", "identity, chunked")],
        &[("transfer-encoding", "chunked,")],
        &[("transfer-encoding", "chunked;q=1")],
        &[("transfer-encoding", "")],
        &[("transfer-encoding", "xchunked"), ("content-length", "5")],
    ] {
        for method in [Method::GET, Method::POST, Method::HEAD] {
            let refused = read(&method, 200, lines, None);
            assert!(matches!(refused, Err(FetchError::Protocol(_))), "{method} {lines:?} {refused:?}");
        }
        for status in [204, 304] {
            assert_eq!(read(&Method::GET, status, lines, Some(0)), Ok((None, Reuse::Never)), "{lines:?}");
        }
    }
}

#[test]
fn a_name_that_no_coding_has_ends_with_the_connection() {
    assert_eq!(read(&Method::GET, 200, &[("transfer-encoding", "odd")], None), Ok((None, KEPT)));
}

#[test]
fn what_has_no_body_says_no_length_but_for_a_head() {
    let says = &[("content-length", "5")][..];
    assert_eq!(read(&Method::HEAD, 200, says, Some(0)), Ok((Some("5".to_owned()), KEPT)));
    assert_eq!(read(&Method::HEAD, 200, &[], Some(0)), Ok((None, KEPT)));
    assert_eq!(read(&Method::HEAD, 200, &[("transfer-encoding", "chunked")], Some(0)), Ok((None, KEPT)));
    assert_eq!(read(&Method::GET, 304, says, Some(0)), Ok((None, KEPT)));
    assert_eq!(
        read(&Method::GET, 304, &[("transfer-encoding", "chunked")], Some(0)),
        Ok((None, Reuse::Never))
    );
    assert_eq!(read(&Method::GET, 204, says, Some(0)), Ok((None, Reuse::Never)));
    assert_eq!(read(&Method::GET, 204, &[("content-length", "0")], Some(0)), Ok((None, KEPT)));
}

#[test]
fn how_long_the_origin_keeps_a_connection() {
    for (value, reuse) in [
        ("timeout=5", Reuse::For(Some(Duration::from_secs(4)))),
        ("timeout=5, max=100", Reuse::For(Some(Duration::from_secs(4)))),
        ("max=7, Timeout = \"20\"", Reuse::For(Some(Duration::from_secs(19)))),
        ("timeout=1", Reuse::Never),
        ("timeout=0", Reuse::Never),
        ("timeout=60, max=0", Reuse::Never),
        ("timeout=x", KEPT),
        ("300", KEPT),
    ] {
        let lines = &[("content-length", "5"), ("keep-alive", value)];
        assert_eq!(read(&Method::GET, 200, lines, Some(5)).unwrap().1, reuse, "{value}");
    }
}

#[test]
fn after_http_1_0_a_connection_is_not_used_again() {
    let mut response = Response::new(Full::<bytes::Bytes>::from("hello"));
    *response.version_mut() = Version::HTTP_10;
    response.headers_mut().insert("connection", HeaderValue::from_static("keep-alive"));
    assert_eq!(of_response(&Method::GET, &mut response), Ok(Reuse::Never));
}
