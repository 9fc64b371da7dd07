//! The requests of one HTTP/2 connection.
//!
//! A client may leave a single stream unread while it reads others, and hyper waits. So each response's bytes are followed until
//! they have left: they go out in small pieces that say when they are gone. A stream that stands still for too long is reset; where
//! hyper is done with it and its last bytes wait in HTTP/2's own buffer, the connection ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;

use http::{Request, Response};
use hyper::body::{Body as _, Incoming};

use super::service::{Service, size};
use crate::app::App;

mod check;
mod local;
mod piece;
mod stream;

pub(super) use check::{Open, Verdict};
pub(super) use local::Local;
use piece::Sending;
use stream::Stream;

/// What a request counts as that is under way, in bytes, and one whose body is still to be read.
const REQUEST: usize = 12 << 10;
const UPLOAD: usize = 32 << 10;

/// Answers the requests of one connection.
pub(super) struct Streams<A> {
    service: Rc<Service<A>>,
    open: Rc<Open>,
}

impl<A> Streams<A> {
    pub(super) fn new(service: Rc<Service<A>>, open: Rc<Open>) -> Self {
        Self { service, open }
    }
}

impl<A: App> hyper::service::Service<Request<Incoming>> for Streams<A> {
    type Response = Response<Sending>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Sending>, Infallible>>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let service = self.service.clone();
        let upload = if request.body().is_end_stream() { 0 } else { UPLOAD };
        let stream = Rc::new(Stream::new(&service.slot, REQUEST + upload + size(request.headers())));
        self.open.add(&stream);
        // hyper hands the request's task to the executor next.
        local::next(stream.clone());
        Box::pin(async move {
            let response = service.answer(request).await;
            stream.answered(REQUEST);
            Ok(response.map(|body| Sending::new(body, stream)))
        })
    }
}
