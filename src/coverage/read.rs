//! Coverage files, read.

use serde_json::Value as Json;

use super::{FORMAT, Report};

/// Reads a coverage file. The error says the line, the fact and the remedy.
pub(crate) fn read(bytes: &[u8]) -> Result<Report, (usize, String)> {
    const REMEDY: &str =
        "`standin coverage --format json`, `standin serve --exit-report FILE.json` and GET /_standin/coverage give one";
    let at = |error: &serde_json::Error| (error.line().max(1), error.to_string());
    let value: Json = serde_json::from_slice(bytes).map_err(|error| {
        let (line, words) = at(&error);
        (line, format!("this is no JSON, so it is no coverage file: {words}; {REMEDY}"))
    })?;
    match value.get("coverage") {
        Some(Json::Number(number)) if number.as_u64() == Some(FORMAT) => {}
        Some(Json::Number(number)) => {
            let words = format!(
                "this file has the format {number}, and {FORMAT} is known here: use the version of standin that wrote it"
            );
            return Err((1, words));
        }
        _ => return Err((1, format!("this is no coverage file: it has no `\"coverage\": {FORMAT}`; {REMEDY}"))),
    }
    let mut report: Report = serde_json::from_slice(bytes).map_err(|error| {
        let (line, words) = at(&error);
        (line, format!("this coverage file is damaged: {words}; {REMEDY}"))
    })?;
    // What it says of itself follows from its items.
    report.sum();
    Ok(report)
}
