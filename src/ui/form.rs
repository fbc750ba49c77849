use std::collections::HashMap;

use crate::exchange::{Body, Problem, Request};
use serde_json::Value as Json;

use super::refused::Refused;

/// What a form was filled in with. Of several fields with one name the last counts.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    pub(super) fn read(request: &Request) -> Result<Self, Refused> {
        let Body::Whole(bytes) = &request.body else {
            let detail = "The form is larger than this server takes: shorten it, or start the server with --max-body.";
            let title = "The body is too large";
            return Err(Problem::new("body-too-large", http::StatusCode::PAYLOAD_TOO_LARGE, title, detail).into());
        };
        let media = request.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let detail = "Pages take forms, application/x-www-form-urlencoded. Programs call the control plane itself.";
            let title = "The body is not a form";
            let status = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new("media-type", status, title, detail).into());
        }
        // A browser ends lines as HTTP does, whatever was typed.
        let fields = form_urlencoded::parse(bytes);
        Ok(Form(fields.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n"))).collect()))
    }

    /// What stands in a field, without spaces around it; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |text| text.trim())
    }

    /// What stands in a field, as it was typed.
    pub(super) fn exact(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same as `text`, where it is not empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// What stands in a field, exactly as it was typed; nothing where the form has no such field.
    pub(super) fn typed(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The fields whose names begin with a prefix, without it, by name.
    pub(super) fn all(&self, prefix: &str) -> Vec<(&str, &str)> {
        let fields = self.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value.trim())));
        let mut fields: Vec<_> = fields.collect();
        fields.sort_unstable();
        fields
    }

    /// A number where the field holds one, and else what stands there: whoever takes it says what is wrong with it.
    pub(super) fn number(&self, name: &str) -> Option<Json> {
        let text = self.given(name)?;
        Some(text.parse::<serde_json::Number>().map_or_else(|_| text.into(), Json::Number))
    }

    /// JSON that somebody typed. The name is what the page calls the field.
    pub(super) fn json(&self, name: &str) -> Result<Json, Refused> {
        serde_json::from_str(self.text(name)).map_err(|error| {
            let detail = match self.text(name) {
                "" => format!("The form has no `{name}`: load the page again, and fill it in."),
                _ => format!("`{name}` is not JSON: {error}."),
            };
            Problem::bad_request("form-invalid", detail).into()
        })
    }
}
