//! Which exchanges are meant: a pattern as it is written in a query or in a body, and the filter that it means.
//!
//! Both have the same names and the same meaning. A condition that no exchange could ever fulfil is a mistake: it would
//! count nothing, and look like an answer. Start with [`of_query`] and [`of_body`].

use http::Method;
use serde_json::Value as Json;

use super::Call;
use super::written::{Place, Written, never, quoted, shown, wrong};
use crate::exchange::Problem;
use crate::journal::{Filter, Text, is_called};
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
    "unmatched",
];

/// What a request must have, which a query has no words for; and where to begin, which is in a query a matter of its
/// pieces.
const SENT: [&str; 4] = ["query", "headers", "body", "after"];

/// The conditions that a query says. Where a list begins is not among them.
pub(super) fn of_query(call: &Call<'_>) -> Result<Filter, Problem> {
    Written::in_query(call, CONDITIONS).resolve(call)
}

/// The conditions that a body says.
pub(super) fn of_body(call: &Call<'_>) -> Result<Filter, Problem> {
    Written::in_body(call, &[CONDITIONS, &SENT])?.resolve(call)
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
            path_pattern: self.expression("pathPattern")?,
            pack,
            status: self.status()?,
            contract: self.among("contract", || Provenance::HEADERS.into_iter())?,
            stub: self.stub()?,
            since,
            until,
            finding: self.flag("finding")?,
            unmatched: self.flag("unmatched")?,
            query: self.pairs("query")?.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            headers: self.headers()?,
            text: self.searched()?,
            body: self.body(call.rules.json_depth),
            after: self.after()?,
        })
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

    fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match (self.said(name), self.place) {
            (None, _) => Ok(None),
            (Some(Json::Bool(flag)), Place::Body) => Ok(Some(*flag)),
            (Some(Json::String(text)), Place::Query) if text == "true" => Ok(Some(true)),
            (Some(Json::String(text)), Place::Query) if text == "false" => Ok(Some(false)),
            (Some(other), _) => Err(wrong(name, format!("it is true or false, not {}", shown(other)))),
        }
    }

    pub(super) fn searched(&self) -> Result<Option<Text>, Problem> {
        let Some(text) = self.short("text")? else { return Ok(None) };
        let why = "looking for it takes too much memory: look for a part of it";
        Text::new(text).map(Some).ok_or_else(|| wrong("text", why))
    }
}
