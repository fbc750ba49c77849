//! Which exchanges are meant: a pattern as it is written in a query or in a body, and the filter that it means.
//!
//! Both have the same names and the same meaning. A condition that no exchange could ever fulfil is a mistake: it would
//! count nothing, and look like an answer. Start with [`of_query`] and [`of_body`].

use std::fmt::Display;

use http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value as Json};

use super::{Call, body, page};
use crate::clock::Instant;
use crate::diagnostic::{did_you_mean, shortened};
use crate::exchange::Problem;
use crate::journal::{BodyPattern, Filter, PathPattern, PatternFault, StatusFilter, Text, is_called};
use crate::pack::Provenance;

/// Names that a query can have; a body has those of [`SENT`], too.
pub(super) const CONDITIONS: &[&str] = &[
    "operation",
    "method",
    "path",
    "pathPattern",
    "pack",
    "status",
    "contract",
    "stub",
    "since",
    "until",
    "text",
    "finding",
];

/// What a request must have, which a query has no words for; and where to begin, which is in a query a matter of its
/// pieces.
const SENT: [&str; 4] = ["query", "headers", "body", "after"];

/// The most characters of a text or an expression that is looked for.
const LONGEST: usize = 200;

/// The most pairs or headers that are asked for at once.
const MOST: usize = 32;

/// How many characters of a pattern are repeated to whoever sent it.
const QUOTED: usize = 80;

/// The conditions of `GET /journal`.
pub(super) fn of_query(call: &Call<'_>) -> Result<Filter, Problem> {
    let said = |name: &&str| call.query(name).map(|value| ((*name).to_owned(), Json::from(value)));
    let written = Written { members: CONDITIONS.iter().filter_map(said).collect(), place: Place::Query };
    Ok(Filter { after: page::after(call)?, ..written.resolve(call)? })
}

/// The conditions that a body says.
pub(super) fn of_body(call: &Call<'_>) -> Result<Filter, Problem> {
    let known: Vec<&str> = CONDITIONS.iter().copied().chain(SENT).collect();
    let written = Written { members: body::members(call, &known)?.all(), place: Place::Body };
    written.resolve(call)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Everything is a text.
    Query,
    Body,
}

/// A pattern as it is written.
struct Written {
    members: Map<String, Json>,
    place: Place,
}

impl Written {
    fn resolve(&self, call: &Call<'_>) -> Result<Filter, Problem> {
        let packs = &call.sandbox.ground().packs;
        let names = || packs.iter().map(|pack| &*pack.name);
        let pack = self.among("pack", names)?;
        let theirs = packs.iter().filter(|other| pack.as_deref().is_none_or(|name| *other.name == *name));
        let operations: Vec<&str> =
            theirs.flat_map(|pack| &pack.operations).map(|operation| &*operation.name).collect();
        let operation = self.text("operation")?;
        if let Some(wanted) = operation.filter(|wanted| !operations.iter().any(|name| is_called(name, wanted))) {
            let shorts = operations.iter().filter_map(|name| name.rsplit('/').next());
            return Err(never("operation", wanted, operations.iter().copied().chain(shorts)));
        }
        let (since, until) = (self.instant("since")?, self.instant("until")?);
        if let (Some(since), Some(until)) = (since, until)
            && until <= since
        {
            let why = format!("it is {until}, which is not after `since`, {since}: no instant is between them");
            return Err(wrong("until", why));
        }
        Ok(Filter {
            operation: operation.map(str::to_owned),
            method: self.method()?,
            path: self.path()?,
            path_pattern: self.path_pattern()?,
            pack,
            status: self.status()?,
            contract: self.among("contract", || Provenance::HEADERS.into_iter())?,
            stub: self.stub()?,
            since,
            until,
            finding: self.finding()?,
            query: self.pairs("query")?.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            headers: self.headers()?,
            text: self.searched()?,
            body: self.body(call.rules.json_depth),
            after: self.after()?,
        })
    }

    /// A member that says something. Null says nothing, except as a body.
    fn said(&self, name: &str) -> Option<&Json> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.said(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, format!("it is a text, not {}", shown(other)))),
        }
    }

    /// A text that must be one of those that exist.
    fn among<'n, N: Iterator<Item = &'n str>>(
        &self,
        name: &str,
        known: impl Fn() -> N,
    ) -> Result<Option<String>, Problem> {
        match self.text(name)? {
            Some(wanted) if !known().any(|one| one == wanted) => Err(never(name, wanted, known())),
            wanted => Ok(wanted.map(str::to_owned)),
        }
    }

    /// The id of a stub, which need not be there any more.
    fn stub(&self) -> Result<Option<String>, Problem> {
        let read = |text: &str| uuid::Uuid::try_parse(text).map(|id| id.to_string());
        let stub = self.text("stub")?.map(|text| {
            read(text)
                .map_err(|_| wrong("stub", format!("`{}` is not the id of a stub, which is a UUID", quoted(text))))
        });
        stub.transpose()
    }

    fn method(&self) -> Result<Option<String>, Problem> {
        match self.text("method")? {
            Some(text) if Method::from_bytes(text.as_bytes()).is_err() => {
                let why = format!("`{}` is not a method: write one such as `GET`", quoted(text));
                Err(wrong("method", why))
            }
            text => Ok(text.map(str::to_owned)),
        }
    }

    fn path(&self) -> Result<Option<String>, Problem> {
        let why = match self.text("path")? {
            Some(path) if !path.starts_with('/') => "it begins with `/`, as paths within a pack do",
            Some(path) if path.contains(['?', '#', ' ']) => {
                "a path has no `?`, `#` or space: write it as it was sent, without its query"
            }
            path => return Ok(path.map(str::to_owned)),
        };
        Err(wrong("path", why))
    }

    /// A text of a length that can be looked for.
    fn short(&self, name: &str) -> Result<Option<&str>, Problem> {
        let text = self.text(name)?;
        match text.map(|text| text.chars().count()) {
            Some(count) if !(1..=LONGEST).contains(&count) => {
                Err(wrong(name, format!("it has 1 to {LONGEST} characters, not {count}")))
            }
            _ => Ok(text),
        }
    }

    fn path_pattern(&self) -> Result<Option<PathPattern>, Problem> {
        let Some(text) = self.short("pathPattern")? else { return Ok(None) };
        PathPattern::parse(text).map(Some).map_err(|fault| match fault {
            PatternFault::Syntax { column, words } => {
                let why = format!("`{}` is wrong at character {column}: {words}", quoted(text));
                wrong("pathPattern", why).with("column", column.into())
            }
            PatternFault::TooBig => {
                let why = format!("`{}` takes too much memory: repeat less, or less often", quoted(text));
                wrong("pathPattern", why)
            }
        })
    }

    fn status(&self) -> Result<Option<StatusFilter>, Problem> {
        let text = match self.said("status") {
            None => return Ok(None),
            Some(Json::Number(number)) => number.to_string(),
            Some(_) => self.text("status")?.unwrap_or_default().to_owned(),
        };
        match StatusFilter::parse(&text) {
            None => {
                let why = format!("it is a number from 100 to 599 or a class such as `4xx`, not `{}`", quoted(&text));
                Err(wrong("status", why))
            }
            status => Ok(status),
        }
    }

    fn instant(&self, name: &str) -> Result<Option<Instant>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        Instant::parse(text).map(Some).map_err(|_| {
            let plus = match self.place {
                Place::Query if text.contains(' ') => " (in a query a `+` is written `%2B`)",
                _ => "",
            };
            wrong(name, format!("`{}` is not an instant: write it like 2024-10-01T17:15:12Z{plus}", quoted(text)))
        })
    }

    fn finding(&self) -> Result<Option<bool>, Problem> {
        match (self.said("finding"), self.place) {
            (None, _) => Ok(None),
            (Some(Json::Bool(flag)), Place::Body) => Ok(Some(*flag)),
            (Some(Json::String(text)), Place::Query) if text == "true" => Ok(Some(true)),
            (Some(Json::String(text)), Place::Query) if text == "false" => Ok(Some(false)),
            (Some(other), _) => Err(wrong("finding", format!("it is true or false, not {}", shown(other)))),
        }
    }

    fn searched(&self) -> Result<Option<Text>, Problem> {
        let Some(text) = self.short("text")? else { return Ok(None) };
        let why = "looking for it takes too much memory: look for a part of it";
        Text::new(text).map(Some).ok_or_else(|| wrong("text", why))
    }

    /// An object of texts.
    fn pairs(&self, name: &str) -> Result<Vec<(&str, &str)>, Problem> {
        let members = match self.said(name) {
            None => return Ok(Vec::new()),
            Some(Json::Object(members)) if members.len() <= MOST => members,
            Some(Json::Object(members)) => {
                return Err(wrong(name, format!("it has {} members: at most {MOST}", members.len())));
            }
            Some(other) => {
                let why = format!("it is an object such as {{\"name\": \"value\"}}, not {}", shown(other));
                return Err(wrong(name, why));
            }
        };
        let pair = |(key, value): (&'_ String, &'_ Json)| match value {
            Json::String(_) => Ok(()),
            other => {
                let place = format!("{name}.{}", quoted(key));
                Err(wrong(&place, format!("it is sent as a text: write \"…\", not {}", shown(other))))
            }
        };
        members.iter().try_for_each(pair)?;
        Ok(members.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default())).collect())
    }

    fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Problem> {
        let header = |(name, value): (&str, &str)| {
            let place = || format!("headers.{}", quoted(name));
            let known = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| wrong(&place(), "no header can have this name: write one such as `content-type`"))?;
            let value =
                HeaderValue::from_bytes(value.as_bytes()).ok().filter(|_| value.trim() == value).ok_or_else(|| {
                    wrong(&place(), "no header can have this value: it is one line, with no space around it")
                })?;
            Ok((known, value))
        };
        self.pairs("headers")?.into_iter().map(header).collect()
    }

    /// Any JSON, null included.
    fn body(&self, depth: usize) -> Option<BodyPattern> {
        self.members.get("body").map(|wanted| BodyPattern { wanted: wanted.clone(), depth })
    }

    fn after(&self) -> Result<u64, Problem> {
        match self.said("after") {
            None => Ok(0),
            Some(value) => value
                .as_u64()
                .ok_or_else(|| wrong("after", format!("it is the number of an entry, not {}", shown(value)))),
        }
    }
}

/// The problem for a condition that cannot be used.
fn wrong(name: &str, why: impl Display) -> Problem {
    Problem::bad_request("filter-invalid", format!("`{name}`: {why}.")).with("filter", name.into())
}

/// The problem for a name of something that does not exist.
fn never<'n>(filter: &str, wanted: &str, known: impl Iterator<Item = &'n str>) -> Problem {
    let meant = did_you_mean(wanted, known);
    Problem::bad_request("filter-invalid", format!("There is no {filter} `{}`.{meant}", quoted(wanted)))
        .with("filter", filter.into())
}

pub(super) fn quoted(text: &str) -> String {
    shortened(text, QUOTED)
}

fn shown(value: &Json) -> String {
    quoted(&value.to_string())
}
