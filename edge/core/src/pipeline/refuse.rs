//! What an adapter refuses by itself, in the form of the edge's other answers.

use http::{HeaderMap, Response};

use super::answer_problem;
use crate::body::Body;
use crate::edge::Edge;
use crate::respond::problem::Problem;
use crate::respond::{Outcome, Report};

/// Answers with `problem` a request that never reached [`super::handle`]: what came was no request, or one for which there is no
/// room. `fields` are those of the request, as far as they are known. Counts it.
pub fn refuse<B: Body>(edge: &Edge, fields: &HeaderMap, problem: &Problem) -> Response<B> {
    answer_problem(edge, fields, problem, Report::new(Outcome::Error))
}
