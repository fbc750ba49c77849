use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use super::source::Side;
use super::{ErrorId, Options, PackOption, Provenance, Reply, ResourceId, Schedule, SchemeId, Shape, Wanted};
use crate::diagnostic::Location;
use crate::exchange::Pattern;
use crate::expr::ExprId;
use crate::schema::{Place, Schema, Violation};

/// An operation, by its place in the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OperationId(pub(crate) usize);

/// Method, path, and everything that the documentation promises about them.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its place in the pack.
    pub(crate) number: OperationId,
    /// `<pack>/<folder>/<file>`.
    pub(crate) name: Arc<str>,
    /// The name as the value of `Standin-Operation`.
    pub(crate) header: HeaderValue,
    pub(crate) title: Arc<str>,
    pub(crate) description: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) method: Method,
    /// `/items/{id}`.
    pub(crate) template: Arc<str>,
    /// Further methods and paths, with the same parameters.
    pub(crate) also: Vec<Line>,
    /// What options must be for it to exist.
    pub(crate) wanted: Wanted,
    /// Not reached under the pack's mount prefixes.
    pub(crate) unmounted: bool,
    pub(crate) provenance: Provenance,
    pub(crate) auth: Auth,
    /// Which of several operations on one method and path this is.
    pub(crate) when: Option<ExprId>,
    pub(crate) parameters: Vec<Parameters>,
    pub(crate) body: Option<BodyRule>,
    pub(crate) ignore_case: Vec<ReadRule>,
    pub(crate) loads: Vec<Load>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) list: Option<List>,
    pub(crate) effects: Vec<Effect>,
    /// Cases, first match wins; the last has no condition.
    pub(crate) replies: Vec<Reply>,
    pub(crate) at: Location,
}

/// A method and path that leads to an operation.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) method: Method,
    pub(crate) template: Arc<str>,
    /// What options must be for it to exist; what the operation asks for is part of it.
    pub(crate) wanted: Wanted,
    pub(crate) at: Location,
}

impl Line {
    /// `{method, path, option}`.
    pub(crate) fn to_json(&self, options: &[PackOption]) -> Value {
        json!({ "method": self.method.as_str(), "path": &*self.template, "option": self.wanted.to_json(options) })
    }
}

impl Operation {
    /// Every method and path that leads here, its own first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let own = Line {
            method: self.method.clone(),
            template: Arc::clone(&self.template),
            wanted: self.wanted.clone(),
            at: self.at.clone(),
        };
        std::iter::once(own).chain(self.also.iter().cloned())
    }

    /// The further line that is written `PUT /items/{id}`.
    pub(crate) fn line(&self, written: &str) -> Option<&Line> {
        let (method, path) = written.split_once(' ')?;
        self.also.iter().find(|line| line.method.as_str() == method && *line.template == *path.trim())
    }

    /// The further line that an example was sent to, if its side files name one.
    pub(crate) fn line_of(&self, sides: &[&Side]) -> Option<&Line> {
        sides.iter().find_map(|side| self.line(&side.also.as_ref()?.value))
    }

    /// Whether it reads anything of this place by a schema.
    pub(crate) fn reads(&self, place: Place) -> bool {
        self.parameters.iter().any(|parameters| parameters.place == place)
    }

    /// Whether its query has a parameter of this name.
    pub(crate) fn has_query(&self, name: &str) -> bool {
        let mut query = self.parameters.iter().filter(|parameters| parameters.place == Place::Query);
        query.any(|parameters| parameters.known.iter().any(|known| known.name == name))
    }

    /// Whether it is there to say that the path has no such method.
    pub(crate) fn refuses_its_method(&self) -> bool {
        self.replies.iter().all(|reply| reply.status == StatusCode::METHOD_NOT_ALLOWED)
    }
}

/// An object in the body whose keys are read ignoring case.
#[derive(Debug)]
pub(crate) struct ReadRule {
    pub(crate) pointer: String,
    /// The spelling of the schema.
    pub(crate) keys: Vec<String>,
}

impl ReadRule {
    /// Gives the keys of the object the spelling of the schema. The error is a key that is then there twice.
    pub(crate) fn normalise(&self, body: &mut Value) -> Result<(), String> {
        let Some(Value::Object(object)) = body.pointer_mut(&self.pointer) else { return Ok(()) };
        let mut renamed = Map::with_capacity(object.len());
        for (key, value) in std::mem::take(object) {
            let spelled = self.keys.iter().find(|known| known.eq_ignore_ascii_case(&key)).cloned().unwrap_or(key);
            if renamed.contains_key(&spelled) {
                return Err(spelled);
            }
            renamed.insert(spelled, value);
        }
        *object = renamed;
        Ok(())
    }
}

/// Who must be known before an operation goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Nobody.
    Open,
    Scheme(SchemeId),
    All(Vec<Auth>),
    Any(Vec<Auth>),
    Optional(Box<Auth>),
}

impl Auth {
    /// The schemes that the simplest caller needs, in order: of several that would do the first, of optional ones none.
    pub(crate) fn needed(&self) -> Vec<SchemeId> {
        match self {
            Auth::Open | Auth::Optional(_) => Vec::new(),
            Auth::Scheme(scheme) => vec![*scheme],
            Auth::All(parts) => parts.iter().flat_map(Auth::needed).collect(),
            Auth::Any(parts) => parts.first().map(Auth::needed).unwrap_or_default(),
        }
    }

    /// Every scheme that is named, in order.
    pub(crate) fn schemes(&self) -> Vec<SchemeId> {
        match self {
            Auth::Open => Vec::new(),
            Auth::Scheme(scheme) => vec![*scheme],
            Auth::All(parts) | Auth::Any(parts) => parts.iter().flat_map(Auth::schemes).collect(),
            Auth::Optional(inner) => inner.schemes(),
        }
    }
}

/// The parameters of one place, with a schema over all of them.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) place: Place,
    pub(crate) schema: Schema,
    pub(crate) known: Vec<Parameter>,
    /// What is bound when none is given; `None` when one is required.
    pub(crate) defaults: Option<Arc<Value>>,
    pub(crate) at: Location,
}

impl Parameters {
    /// The parameters that must be given.
    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.known.iter().filter(|parameter| parameter.required).map(|parameter| parameter.name.as_str())
    }
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) required: bool,
    pub(crate) name: String,
    /// The schema's type, by which the text is read.
    pub(crate) reads: Reads,
    pub(crate) default: Option<Value>,
    /// The parameter's own schema, as written.
    pub(crate) schema: Value,
}

/// How the text of a parameter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Text,
    Integer,
    Number,
    Boolean,
}

#[derive(Debug)]
pub(crate) struct BodyRule {
    pub(crate) schema: Schema,
    pub(crate) schema_name: String,
    pub(crate) form: bool,
    pub(crate) optional: bool,
}

/// A record to look up before the operation goes on.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) name: Arc<str>,
    pub(crate) resource: ResourceId,
    pub(crate) id: ExprId,
    /// The field that identifies it in place of its id, by its place among the resource's look-ups.
    pub(crate) by: Option<usize>,
    pub(crate) otherwise: Option<ErrorId>,
    pub(crate) optional: bool,
    pub(crate) turn: Turn,
    pub(crate) at: Location,
}

/// When a load or guard has its turn: what looks at the body waits until the body fits its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    BeforeBody,
    AfterBody,
}

/// A condition with the error it gives.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) name: Arc<str>,
    pub(crate) require: ExprId,
    pub(crate) otherwise: ErrorId,
    pub(crate) turn: Turn,
    /// Where the rule comes from, when the pack says so.
    pub(crate) provenance: Option<Provenance>,
    pub(crate) at: Location,
}

/// A page of records, bound as `page`.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) from: ResourceId,
    pub(crate) only: Option<ExprId>,
    pub(crate) number: Option<ExprId>,
    pub(crate) size: Option<ExprId>,
    pub(crate) sort: Option<ExprId>,
    pub(crate) descending: Option<ExprId>,
    pub(crate) first: i64,
    pub(crate) at: Location,
}

/// A declared change of state.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) verb: Verb,
    pub(crate) resource: ResourceId,
    /// The record that is changed, and the name of the record afterwards.
    pub(crate) name: Arc<str>,
    pub(crate) when: Option<ExprId>,
    pub(crate) set: Vec<(usize, Shape)>,
    pub(crate) unset: Vec<usize>,
    pub(crate) at: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
    Delete,
}

impl Verb {
    /// The word that packs have for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Delete => "delete",
        }
    }
}

/// A change that no API call makes.
#[derive(Debug)]
pub(crate) struct Event {
    /// The file's name without `.event.yaml`.
    pub(crate) name: Arc<str>,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) provenance: Provenance,
    pub(crate) input: Option<Parameters>,
    pub(crate) loads: Vec<Load>,
    pub(crate) guards: Vec<EventGuard>,
    pub(crate) effects: Vec<Effect>,
    /// Scenarios have the step `send` for it.
    pub(crate) sends: bool,
    /// When it happens by itself.
    pub(crate) schedule: Option<Schedule>,
    pub(crate) at: Location,
}

/// A condition of an event with the words that refuse it.
#[derive(Debug)]
pub(crate) struct EventGuard {
    pub(crate) require: ExprId,
    pub(crate) otherwise: String,
}

/// A row that maps violations to an error.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: Option<String>,
    pub(crate) place: Option<Place>,
    pub(crate) pointer: Option<Pattern>,
    /// Any of these keywords; empty for all.
    pub(crate) keywords: Vec<String>,
    /// What options must be for it to count.
    pub(crate) wanted: Wanted,
    pub(crate) gives: Given,
    pub(crate) at: Location,
}

/// What becomes of a violation.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// An error, with what the row says about each violation.
    Error { error: ErrorId, item: Vec<(String, Shape)> },
    /// Nothing, for this reason.
    Tolerated(Arc<str>),
}

impl Row {
    /// Whether the row is for a violation, in a sandbox with these options.
    pub(crate) fn fits(&self, violation: &Violation, options: &Options) -> bool {
        if !self.wanted.holds(options) {
            return false;
        }
        if let Some(asked) = &violation.row {
            return self.name.as_ref() == Some(asked);
        }
        // A row with a name and no conditions is there for the schemas that name it.
        let open = self.place.is_none() && self.pointer.is_none() && self.keywords.is_empty();
        if open && self.name.is_some() {
            return false;
        }
        self.place.is_none_or(|place| place == violation.place)
            && self.pointer.as_ref().is_none_or(|pattern| pattern.matches(&violation.pointer))
            && (self.keywords.is_empty() || self.keywords.contains(&violation.keyword))
    }

    /// The error that it gives.
    pub(crate) fn error(&self) -> Option<ErrorId> {
        match &self.gives {
            Given::Error { error, .. } => Some(*error),
            Given::Tolerated(_) => None,
        }
    }
}

/// What a refusal of the engine itself is mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    NotFound,
    BodyMissing,
    BodySyntax,
    BodyDuplicateKey,
    BodyTooDeep,
    BodyTooLarge,
    MediaType,
    Parameter,
    RateLimit,
}

impl Refusal {
    pub(crate) const ALL: [Refusal; 9] = [
        Refusal::NotFound,
        Refusal::BodyMissing,
        Refusal::BodySyntax,
        Refusal::BodyDuplicateKey,
        Refusal::BodyTooDeep,
        Refusal::BodyTooLarge,
        Refusal::MediaType,
        Refusal::Parameter,
        Refusal::RateLimit,
    ];

    /// The word for it under `rejections:`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Refusal::NotFound => "not-found",
            Refusal::BodyMissing => "body-missing",
            Refusal::BodySyntax => "body-syntax",
            Refusal::BodyDuplicateKey => "body-duplicate-key",
            Refusal::BodyTooDeep => "body-too-deep",
            Refusal::BodyTooLarge => "body-too-large",
            Refusal::MediaType => "media-type",
            Refusal::Parameter => "parameter",
            Refusal::RateLimit => "rate-limit",
        }
    }

    /// Whether the request does not fit the contract then: of what it names, and how often it comes, the contract says
    /// nothing.
    pub(crate) fn is_misfit(self) -> bool {
        !matches!(self, Refusal::NotFound | Refusal::RateLimit)
    }

    /// The part of the request that it is about.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Refusal::NotFound | Refusal::Parameter => Place::Path.name(),
            Refusal::MediaType | Refusal::RateLimit => Place::Header.name(),
            _ => Place::Body.name(),
        }
    }

    /// The status when the pack maps it to nothing.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::RateLimit => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
