//! JSON in: what a call says, with nothing in it that is not understood.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value as Json};

use super::Call;
use crate::diagnostic::{did_you_mean, one_of};
use crate::exchange::{Body, Problem, parse_json};

/// The members of a call's body. An empty body has none.
pub(super) struct Members(Map<String, Json>);

/// Reads an object that may only have these members.
pub(super) fn members(call: &Call<'_>, known: &[&str]) -> Result<Members, Problem> {
    let members = object(call)?;
    if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
        let meant = did_you_mean(unknown, known.iter().copied());
        let known = if known.is_empty() { "nothing".to_owned() } else { one_of(known.iter().copied()) };
        let detail = format!("`{unknown}` is not understood here: the body may have {known}.{meant}");
        return Err(Problem::bad_request("body-member-unknown", detail));
    }
    Ok(Members(members))
}

/// Reads an object with any members.
pub(super) fn object(call: &Call<'_>) -> Result<Map<String, Json>, Problem> {
    let bytes = match &call.request.body {
        Body::TooLarge { limit } => {
            let detail = format!("The body is larger than {limit} bytes.");
            return Err(Problem::new("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large", detail));
        }
        Body::Whole(bytes) if bytes.is_empty() => return Ok(Map::new()),
        Body::Whole(bytes) => bytes,
    };
    let media = call.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    // A form of another page could be posted here without asking; JSON could not.
    if !media.eq_ignore_ascii_case("application/json") {
        let detail = "Send the body as `Content-Type: application/json`.";
        return Err(Problem::new(
            "media-type",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body has another media type",
            detail,
        ));
    }
    match parse_json(bytes, call.rules.json_depth) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(Problem::bad_request("body-kind", "The body must be a JSON object.")),
        Err(fault) => Err(Problem::bad_request("body-syntax", format!("The body is not usable JSON: {fault}."))),
    }
}

impl Members {
    pub(super) fn all(self) -> Map<String, Json> {
        self.0
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(invalid(name, format!("it must be a text, not {other}"))),
        }
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<&Map<String, Json>>, Problem> {
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Object(members)) => Ok(Some(members)),
            Some(other) => Err(invalid(name, format!("it must be an object, not {other}"))),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(invalid(name, format!("it must be a whole number from 0, not {value}"))),
            },
        }
    }
}

/// The problem for a member that cannot be used.
pub(super) fn invalid(name: &str, why: impl std::fmt::Display) -> Problem {
    Problem::new(
        "member-invalid",
        StatusCode::BAD_REQUEST,
        "A member of the body cannot be used",
        format!("`{name}`: {why}."),
    )
    .with("member", name.into())
}
