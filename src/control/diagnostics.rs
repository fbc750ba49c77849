//! `/diagnostics/{code}`: what a code of a diagnostic means.

use serde_json::json;

use super::{Answer, Call, ok};
use crate::diagnostic::{explanations, or_rather};
use crate::exchange::Problem;

pub(super) fn explain(call: &Call<'_>) -> Answer {
    let code = call.parameter("code");
    if let Some((code, text)) = explanations().find(|(known, _)| *known == code) {
        return ok(&json!({ "code": code, "text": text }));
    }
    let meant = or_rather(code, explanations().map(|(known, _)| known));
    let detail = format!("There is no code `{code}`{meant}. `standin explain` lists all.");
    Err(Problem::not_found("code-unknown", detail))
}
