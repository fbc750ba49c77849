use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

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
    /// None where it was thrown away.
    body: Option<Said<'r>>,
    pub(super) effort: Effort,
    /// The stubs that were not judged to the end.
    passed_over: RefCell<PassedOver>,
}

/// Stubs of which a condition was given up, and which therefore do not answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PassedOver {
    /// The first of them, in words.
    pub(crate) first: Vec<String>,
    /// How many more there are.
    pub(crate) more: usize,
}

/// How many stubs that are passed over are told of one by one.
const TOLD: usize = 5;

/// What looking at one request may cost, for all conditions together; and whether one of them was given up.
#[derive(Debug, Clone)]
pub(super) struct Effort(Rc<Counted>);

#[derive(Debug)]
struct Counted {
    left: Cell<usize>,
    gave_up: Cell<bool>,
}

impl Effort {
    /// In bytes that are looked at.
    pub(super) const MOST: usize = 64 << 20;
    /// What a condition costs that looks at nothing much.
    pub(super) const LEAST: usize = 64;

    pub(super) fn new() -> Self {
        Effort(Rc::new(Counted { left: Cell::new(Self::MOST), gave_up: Cell::new(false) }))
    }

    /// Whether so much may be looked at; otherwise the condition is given up.
    #[must_use]
    pub(super) fn spend(&self, bytes: usize) -> bool {
        match self.0.left.get().checked_sub(bytes.saturating_add(Self::LEAST)) {
            Some(left) => self.0.left.set(left),
            None => self.give_up(),
        }
        !self.gave_up()
    }

    pub(super) fn left(&self) -> usize {
        self.0.left.get()
    }

    /// Nothing is true of what was not worked out, and neither is its opposite.
    pub(super) fn give_up(&self) {
        self.0.gave_up.set(true);
    }

    pub(super) fn gave_up(&self) -> bool {
        self.0.gave_up.get()
    }

    /// Looks at another condition.
    pub(super) fn next(&self) {
        self.0.gave_up.set(false);
    }
}

/// One value that conditions are held against.
#[derive(Debug)]
pub(super) struct Said<'a> {
    bytes: Cow<'a, [u8]>,
    text: OnceCell<Cow<'a, str>>,
    json: OnceCell<Option<Cow<'a, Json>>>,
    depth: usize,
    effort: Effort,
    no_body: bool,
}

impl<'a> Said<'a> {
    /// A value with an effort of its own.
    pub(super) fn new(bytes: impl Into<Cow<'a, [u8]>>, depth: usize) -> Self {
        Said {
            bytes: bytes.into(),
            text: OnceCell::new(),
            json: OnceCell::new(),
            depth,
            effort: Effort::new(),
            no_body: false,
        }
    }

    /// The same, of which what is worked out counts together with others.
    pub(super) fn within(self, effort: &Effort) -> Self {
        Said { effort: effort.clone(), ..self }
    }

    /// An empty body is the empty text, and also one that is not there.
    pub(super) fn is_no_body(&self) -> bool {
        self.no_body
    }

    pub(super) fn effort(&self) -> &Effort {
        &self.effort
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

    /// What is not UTF-8 in it is U+FFFD, as WireMock has it.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| match &self.bytes {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(bytes).into_owned()),
        })
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
        let effort = Effort::new();
        let body = match &request.body {
            Body::Whole(bytes) => {
                Some(Said { no_body: bytes.is_empty(), ..Said::new(&bytes[..], depth).within(&effort) })
            }
            Body::TooLarge { .. } => None,
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
            effort,
            passed_over: RefCell::default(),
        }
    }

    /// Remembers a stub of which a condition was given up.
    pub(super) fn pass_over(&self, stub: &str, place: &str) {
        let mut over = self.passed_over.borrow_mut();
        if over.first.len() < TOLD {
            let words = format!("the stub {stub} was passed over: the condition at {place} was given up");
            over.first.push(words);
        } else {
            over.more += 1;
        }
    }

    /// The stubs that were passed over so far.
    pub(crate) fn passed_over(&self) -> PassedOver {
        self.passed_over.borrow().clone()
    }

    /// Path and query.
    pub(super) fn url(&self) -> &str {
        self.url.get_or_init(|| match &self.request.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_owned(),
        })
    }

    /// None where it was thrown away.
    pub(super) fn body(&self) -> Option<&Said<'r>> {
        self.body.as_ref()
    }

    pub(super) fn said<'a>(&self, value: &'a [u8]) -> Said<'a> {
        Said::new(value, self.depth).within(&self.effort)
    }

    /// The values of a parameter of the query, decoded.
    pub(super) fn query(&self, name: &str) -> Vec<&[u8]> {
        named(self.query.get_or_init(|| pairs(self.request.query.as_deref().unwrap_or_default().as_bytes())), name)
    }

    pub(super) fn form(&self, name: &str) -> Vec<&[u8]> {
        let read = || {
            let media = self.request.headers.get(CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
            let form = b"application/x-www-form-urlencoded";
            let is_form = media.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form));
            if is_form { pairs(self.request.body.bytes()) } else { Vec::new() }
        };
        named(self.form.get_or_init(read), name)
    }

    pub(super) fn cookie(&self, name: &str) -> Vec<&[u8]> {
        let read = || {
            let lines = self.request.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
            let pair =
                |part: &str| part.trim().split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            lines.flat_map(|line| line.split(';').filter_map(pair).collect::<Vec<_>>()).collect()
        };
        named(self.cookies.get_or_init(read), name)
    }

    pub(super) fn header(&self, name: &str) -> Vec<&[u8]> {
        self.request.headers.get_all(name).iter().map(|value| value.as_bytes()).collect()
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn named<'p>(pairs: &'p [(String, String)], wanted: &str) -> Vec<&'p [u8]> {
    pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_bytes()).collect()
}
