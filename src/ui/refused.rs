use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::exchange::{Problem, Response};

/// Why there is no page, or why something was not done: a problem, as the control plane says it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// What RFC 9457 has: `type`, `title`, `status`, `detail`, and further members.
    pub(super) problem: Json,
}

impl Refused {
    pub(super) fn of(response: Response) -> Self {
        let status = response.status;
        let problem = serde_json::from_slice(&response.body).unwrap_or_else(|_| {
            json!({ "title": status.canonical_reason().unwrap_or("Refused"), "status": status.as_u16(), "detail": "" })
        });
        Refused { status, problem }
    }

    /// The last part of its type.
    pub(super) fn slug(&self) -> &str {
        self.problem["type"].as_str().and_then(|kind| kind.rsplit(':').next()).unwrap_or_default()
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Refused::of(problem.into_response())
    }
}
