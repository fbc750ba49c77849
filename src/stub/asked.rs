use std::borrow::Cow;
use std::cell::OnceCell;

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use serde_json::Value as Json;

use crate::exchange::{Body, Request, parse_json, spelled};

/// A request as conditions look at it. What costs something is read when the first condition asks for it, and once.
#[derive(Debug)]
pub(crate) struct Asked<'r> {
    pub(super) request: &'r Request,
    /// The path as received, behind the prefix of the sandbox.
    pub(super) path: &'r str,
    depth: usize,
    url: OnceCell<String>,
    query: OnceCell<Vec<(String, String)>>,
    cookies: OnceCell<Vec<(String, String)>>,
    form: OnceCell<Vec<(String, String)>>,
    body: Option<Said<'r>>,
}

/// One value that conditions are held against.
#[derive(Debug)]
pub(super) struct Said<'a> {
    bytes: Cow<'a, [u8]>,
    json: OnceCell<Option<Cow<'a, Json>>>,
    depth: usize,
}

impl<'a> Said<'a> {
    pub(super) fn new(bytes: impl Into<Cow<'a, [u8]>>, depth: usize) -> Self {
        Said { bytes: bytes.into(), json: OnceCell::new(), depth }
    }

    /// A value of JSON: texts without quotes, everything else as it is written.
    pub(super) fn of_json(value: &'a Json, depth: usize) -> Self {
        let said = Said::new(spelled(value).into_bytes(), depth);
        let _ = said.json.set(Some(Cow::Borrowed(value)));
        said
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// None where it is not UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    pub(super) fn json(&self) -> Option<&Json> {
        self.json.get_or_init(|| parse_json(&self.bytes, self.depth).ok().map(Cow::Owned)).as_deref()
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }
}

impl<'r> Asked<'r> {
    /// `depth` is how deep JSON may be nested to be read.
    pub(crate) fn new(request: &'r Request, path: &'r str, depth: usize) -> Self {
        let body = match &request.body {
            Body::Whole(bytes) if bytes.is_empty() => None,
            Body::Whole(bytes) => Some(Said::new(&bytes[..], depth)),
            // It was thrown away, and is not a body that was not sent.
            Body::TooLarge { .. } => Some(Said::new(&[0xff][..], depth)),
        };
        Asked {
            request,
            path,
            depth,
            url: OnceCell::new(),
            query: OnceCell::new(),
            cookies: OnceCell::new(),
            form: OnceCell::new(),
            body,
        }
    }

    /// Path and query.
    pub(super) fn url(&self) -> &str {
        self.url.get_or_init(|| match &self.request.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_owned(),
        })
    }

    pub(super) fn body(&self) -> Option<&Said<'r>> {
        self.body.as_ref()
    }

    pub(super) fn said<'a>(&self, text: &'a str) -> Said<'a> {
        Said::new(text.as_bytes(), self.depth)
    }

    /// The values of a parameter of the query, decoded.
    pub(super) fn query(&self, name: &str) -> Vec<&str> {
        named(self.query.get_or_init(|| pairs(self.request.query.as_deref().unwrap_or_default().as_bytes())), name)
    }

    pub(super) fn form(&self, name: &str) -> Vec<&str> {
        let read = || {
            let media = self.request.headers.get(CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
            let form = b"application/x-www-form-urlencoded";
            let is_form = media.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form));
            if is_form { pairs(self.request.body.bytes()) } else { Vec::new() }
        };
        named(self.form.get_or_init(read), name)
    }

    pub(super) fn cookie(&self, name: &str) -> Vec<&str> {
        let read = || {
            let lines = self.request.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
            let pair =
                |part: &str| part.trim().split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            lines.flat_map(|line| line.split(';').filter_map(pair).collect::<Vec<_>>()).collect()
        };
        named(self.cookies.get_or_init(read), name)
    }

    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.request.headers.get_all(name).iter();
        lines.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok()).collect()
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn named<'p>(pairs: &'p [(String, String)], wanted: &str) -> Vec<&'p str> {
    pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect()
}
