//! The requests that a pack documents, and the one that a newcomer sends first.

use std::sync::Arc;

use http::Method;
use serde_json::Value as Json;

use super::source::{Key, Node, Side};
use super::{Credential, CredentialPlace, Example, Operation, Options, Pack, Replay, parameter_name, parameter_names};
use crate::exchange::{Sent, curl, spelled};

/// Names and values, in their order.
type Pairs = Vec<(String, String)>;

/// A documented request: what side files say of it, and what follows from its operation.
#[derive(Debug)]
pub(crate) struct Called<'p> {
    pub(crate) method: Method,
    /// The path that it was sent to, with the names of its parameters.
    pub(crate) template: Arc<str>,
    /// The parameters of the path, in its order.
    pub(crate) path: Pairs,
    /// Without credentials.
    pub(crate) query: Pairs,
    pub(crate) credentials: Vec<&'p Credential>,
    /// Without credentials and media type. Of several with one name the last counts.
    pub(crate) headers: Pairs,
    /// Scheme and host that it was sent to, where that matters.
    pub(crate) base: Option<String>,
    pub(crate) body: Option<CalledBody>,
    /// As what the body is sent, unless a header says otherwise.
    pub(crate) media_type: &'static str,
}

/// What a documented request carries.
#[derive(Debug)]
pub(crate) enum CalledBody {
    Text(String),
    /// So many spaces.
    Bytes(usize),
}

impl<'p> Called<'p> {
    /// A call of an operation that has nothing but credentials.
    fn plain(operation: &Operation, credentials: Vec<&'p Credential>) -> Self {
        Called {
            method: operation.method.clone(),
            template: Arc::clone(&operation.template),
            path: Vec::new(),
            query: Vec::new(),
            credentials,
            headers: Vec::new(),
            base: None,
            body: None,
            media_type: operation.body_type(),
        }
    }

    /// A command that sends it, where a pack is reached at `base`.
    pub(crate) fn curl(&self, with: &str, base: &str, pack: &Pack) -> String {
        let (mut headers, query) = pack.carried(self);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let body = match &self.body {
            Some(CalledBody::Text(text)) => Some(text.as_str()),
            Some(CalledBody::Bytes(_)) | None => None,
        };
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".to_owned(), self.media_type.to_owned()));
        }
        let url = format!("{base}{}{mark}{query}", self.target());
        curl(with, Sent { method: self.method.as_str(), url: &url, headers: &headers, body })
    }

    /// The path with the values of its parameters.
    pub(crate) fn target(&self) -> String {
        let mut values = self.path.iter().map(|(_, value)| encoded(value));
        let segment = |segment: &str| match parameter_name(segment) {
            Some(_) => values.next().unwrap_or_default(),
            None => segment.to_owned(),
        };
        self.template.split('/').map(segment).collect::<Vec<_>>().join("/")
    }
}

fn encoded(segment: &str) -> String {
    percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%2D", "-")
}

impl Operation {
    /// As what its body is sent where nothing else is said.
    pub(crate) fn body_type(&self) -> &'static str {
        match self.body.as_ref().is_some_and(|body| body.form) {
            true => "application/x-www-form-urlencoded",
            false => "application/json",
        }
    }
}

impl Pack {
    /// The side files of a documented exchange, the first of which counts, and the example that is its request.
    pub(crate) fn sides(&self, replay: &Replay) -> (Vec<&Side>, Option<&Example>) {
        let find = |index: Option<usize>| index.and_then(|index| self.examples.get(index));
        let (answer, request) = (find(replay.answer), find(replay.request));
        // What the answer's side file does not say, the request's may.
        ([answer, request].into_iter().flatten().map(|example| &example.side).collect(), request)
    }

    /// A documented call; of the side files the first counts. The error says what they leave open.
    pub(crate) fn called(
        &self,
        operation: &Operation,
        sides: &[&Side],
        request: Option<&Example>,
    ) -> Result<Called<'_>, String> {
        let (own, template) = match operation.line_of(sides) {
            Some(line) => (&line.method, &line.template),
            None => (&operation.method, &operation.template),
        };
        let path = parameter_names(template).into_iter().map(|name| {
            let said = sides.iter().find_map(|side| side.path.iter().find(|(key, _)| key.name == name));
            let (_, value) =
                said.ok_or_else(|| format!("the side file does not say `request: {{ path: {{ {name}: … }} }}`"))?;
            Ok((name.to_owned(), spelled(&value.to_json())))
        });
        let all = |read: fn(&Side) -> &Vec<(Key, Node)>| {
            let pairs = sides.iter().flat_map(|side| read(side));
            pairs.map(|(key, node)| (key.name.clone(), spelled(&node.to_json()))).collect()
        };
        let method = match sides.iter().find_map(|side| side.method.as_ref()) {
            Some(method) => Method::from_bytes(method.value.as_bytes())
                .map_err(|_| format!("`{}` is not a method", method.value))?,
            None => own.clone(),
        };
        Ok(Called {
            method,
            template: Arc::clone(template),
            path: path.collect::<Result<_, String>>()?,
            query: all(|side| &side.query),
            credentials: self.credentials_of(operation, sides)?,
            headers: all(|side| &side.headers),
            base: sides.iter().find_map(|side| side.base.as_ref()).map(|base| base.value.clone()),
            body: sides.first().map(|side| self.body_of(operation, side, request)).transpose()?.flatten(),
            media_type: operation.body_type(),
        })
    }

    /// The credentials that a documented call is sent with: those that the side file labels, else the first of each
    /// scheme that the operation needs.
    fn credentials_of(&self, operation: &Operation, sides: &[&Side]) -> Result<Vec<&Credential>, String> {
        if let Some(labels) = sides.iter().find_map(|side| side.caller.as_ref()) {
            let find = |label: &str| self.credentials.iter().find(|credential| credential.label == label);
            return labels
                .iter()
                .map(|label| find(&label.value).ok_or_else(|| format!("there is no credential `{}`", label.value)))
                .collect();
        }
        let known = self.known_credentials(&operation.auth);
        known.map_err(|scheme| format!("the pack lists no credential for the scheme `{}`", scheme.name))
    }

    fn body_of(
        &self,
        operation: &Operation,
        side: &Side,
        request: Option<&Example>,
    ) -> Result<Option<CalledBody>, String> {
        if let Some(bytes) = side.bytes {
            return Ok(Some(CalledBody::Bytes(bytes)));
        }
        let text = if let Some(text) = &side.text {
            text.value.clone()
        } else if let Some(node) = &side.body {
            let value = node.to_json();
            match (&operation.body, &value) {
                (Some(rule), Json::Object(object)) if rule.form => {
                    let pairs = object.iter().map(|(key, value)| (key, spelled(value)));
                    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
                }
                _ => value.to_string(),
            }
        } else if let Some(other) = &side.body_of {
            let is_it = |path: &str| *path == *other.value || path.ends_with(&format!("/{}", other.value));
            let found = self.examples.iter().find(|example| is_it(&example.path));
            found.ok_or_else(|| format!("there is no example `{}`", other.value))?.text.to_string()
        } else if let Some(request) = request {
            match request.laid() {
                None => request.text.to_string(),
                Some(whole) => whole?.to_string(),
            }
        } else {
            return Ok(None);
        };
        Ok(Some(CalledBody::Text(text)))
    }

    /// The read that needs least, for a first try: nothing but credentials that are known, and of these the fewest.
    pub(crate) fn easiest(&self, options: &Options) -> Option<(&Operation, Called<'_>)> {
        let needs_nothing = |operation: &&Operation| {
            let mut needed = operation.parameters.iter().flat_map(|parameters| parameters.required());
            operation.method == Method::GET && !operation.template.contains('{') && needed.next().is_none()
        };
        let there = self.operations.iter().filter(|operation| operation.wanted.holds(options));
        let known = |operation: &Operation| self.known_credentials(&operation.auth).ok();
        let called = there.filter(needs_nothing).filter_map(|operation| Some((operation, known(operation)?)));
        let (operation, credentials) = called.min_by_key(|(_, credentials)| credentials.len())?;
        Some((operation, Called::plain(operation, credentials)))
    }

    /// Headers and query with the credentials of a call in them.
    pub(crate) fn carried(&self, called: &Called<'_>) -> (Pairs, Pairs) {
        let (mut headers, mut query) = (Vec::new(), called.query.clone());
        for credential in &called.credentials {
            match &self.scheme(credential.scheme).place {
                CredentialPlace::Header(name) => headers.push((name.to_string(), credential.value.clone())),
                CredentialPlace::Query(name) => query.push((name.clone(), credential.value.clone())),
            }
        }
        headers.extend(called.headers.iter().cloned());
        (headers, query)
    }
}
