//! Conditions as they are written, in a query or in a body, read by name. What they are about is somebody else's
//! business.

use std::fmt::Display;

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value as Json};

use super::{Call, body};
use crate::clock::Instant;
use crate::diagnostic::{did_you_mean, shortened};
use crate::exchange::Problem;
use crate::journal::{BodyPattern, PathPattern, PatternFault, StatusFilter};

/// The most characters of a text or an expression that is looked for.
const LONGEST: usize = 200;

/// The most pairs or headers that are asked for at once.
const MOST: usize = 32;

/// How many characters of a pattern are repeated to whoever sent it.
const QUOTED: usize = 80;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Everything is a text.
    Query,
    Body,
}

/// A pattern as it is written.
pub(super) struct Written {
    members: Map<String, Json>,
    pub(super) place: Place,
}

impl Written {
    /// Those of a query that have one of these names.
    pub(super) fn in_query(call: &Call<'_>, names: &[&str]) -> Written {
        let said = |name: &&str| call.query(name).map(|value| ((*name).to_owned(), Json::from(value)));
        Written { members: names.iter().filter_map(said).collect(), place: Place::Query }
    }

    /// Those of a body, which may have no others.
    pub(super) fn in_body(call: &Call<'_>, names: &[&[&str]]) -> Result<Written, Problem> {
        Ok(Written { members: body::members(call, &names.concat())?.all(), place: Place::Body })
    }

    /// A member that says something. Null says nothing, except as a body.
    pub(super) fn said(&self, name: &str) -> Option<&Json> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.said(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, format!("it is a text, not {}", shown(other)))),
        }
    }

    /// A text that must be one of those that exist.
    pub(super) fn among<'n, N: Iterator<Item = &'n str>>(
        &self,
        name: &str,
        known: impl Fn() -> N,
    ) -> Result<Option<String>, Problem> {
        match self.text(name)? {
            Some(wanted) if !known().any(|one| one == wanted) => Err(never(name, wanted, known())),
            wanted => Ok(wanted.map(str::to_owned)),
        }
    }

    /// A text of a length that can be looked for.
    pub(super) fn short(&self, name: &str) -> Result<Option<&str>, Problem> {
        let text = self.text(name)?;
        match text.map(|text| text.chars().count()) {
            Some(count) if !(1..=LONGEST).contains(&count) => {
                Err(wrong(name, format!("it has 1 to {LONGEST} characters, not {count}")))
            }
            _ => Ok(text),
        }
    }

    pub(super) fn expression(&self, name: &str) -> Result<Option<PathPattern>, Problem> {
        let Some(text) = self.short(name)? else { return Ok(None) };
        PathPattern::parse(text).map(Some).map_err(|fault| match fault {
            PatternFault::Syntax { column, words } => {
                let why = format!("`{}` is wrong at character {column}: {words}", quoted(text));
                wrong(name, why).with("column", column.into())
            }
            PatternFault::TooBig => {
                let why = format!("`{}` takes too much memory: repeat less, or less often", quoted(text));
                wrong(name, why)
            }
        })
    }

    pub(super) fn status(&self) -> Result<Option<StatusFilter>, Problem> {
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

    pub(super) fn instant(&self, name: &str) -> Result<Option<Instant>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        Instant::parse(text).map(Some).map_err(|_| {
            let plus = match self.place {
                Place::Query if text.contains(' ') => " (in a query a `+` is written `%2B`)",
                _ => "",
            };
            wrong(name, format!("`{}` is not an instant: write it like 2024-10-01T17:15:12Z{plus}", quoted(text)))
        })
    }

    /// An object of texts.
    pub(super) fn pairs(&self, name: &str) -> Result<Vec<(&str, &str)>, Problem> {
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

    pub(super) fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Problem> {
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
    pub(super) fn body(&self, depth: usize) -> Option<BodyPattern> {
        self.members.get("body").map(|wanted| BodyPattern { wanted: wanted.clone(), depth })
    }

    pub(super) fn after(&self) -> Result<u64, Problem> {
        match self.said("after") {
            None => Ok(0),
            Some(value) => value
                .as_u64()
                .ok_or_else(|| wrong("after", format!("it is the number of an entry, not {}", shown(value)))),
        }
    }
}

/// The problem for a condition that cannot be used.
pub(super) fn wrong(name: &str, why: impl Display) -> Problem {
    Problem::bad_request("filter-invalid", format!("`{name}`: {why}.")).with("filter", name.into())
}

/// The problem for a name of something that does not exist.
pub(super) fn never<'n>(filter: &str, wanted: &str, known: impl Iterator<Item = &'n str>) -> Problem {
    let meant = did_you_mean(wanted, known);
    Problem::bad_request("filter-invalid", format!("There is no {filter} `{}`.{meant}", quoted(wanted)))
        .with("filter", filter.into())
}

pub(super) fn quoted(text: &str) -> String {
    shortened(text, QUOTED)
}

pub(super) fn shown(value: &Json) -> String {
    quoted(&value.to_string())
}
