//! One API as data: resolved, checked and immutable.
//!
//! Must not know: sandboxes, requests under way, the server. Start with [`load`], which reads everything wrong with a
//! pack at once, and [`Pack`].

mod answers;
mod auth;
mod called;
mod digest;
mod example;
mod files;
mod limit;
mod operation;
mod option;
mod proof;
mod reply;
mod resolve;
mod resource;
mod route;
mod shape;
pub(crate) mod source;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

pub(crate) use answers::{Answers, Mark, Misfit, OfOperation, Reached, Shown, Unsettled};
pub(crate) use auth::{Credential, CredentialPlace, Decode, Scheme, SchemeId};
pub(crate) use called::{Called, CalledBody};
pub(crate) use digest::sha256;
pub(crate) use example::{Cause, Example, Payload, Replay};
pub(crate) use files::{Files, Folders, all as read_all, read_disk};
pub(crate) use limit::{Family, PackLimit, Policy};
pub(crate) use operation::{
    Auth, BodyRule, Effect, Event, EventGuard, Given, Guard, Line, List, Load, Operation, OperationId, Parameter,
    Parameters, ReadRule, Reads, Refusal, Row, Turn, Verb,
};
pub(crate) use option::{Chosen, Options, PackOption, Wanted};
pub(crate) use proof::{Check, Leaf};
pub(crate) use reply::{Content, ErrorId, MEDIA_TYPES, NamedError, Provenance, Reply, media_type};
pub(crate) use resource::{Field, Owner, Resource, ResourceId, Sort, Unique};
pub(crate) use route::{Candidate, Router, parameter_name, parameter_names, path_values};
pub(crate) use shape::{Each, Member, Shape};
pub(crate) use webhook::{Algorithm, Due, Encoding, KeyEncoding, Schedule, Signature, Trigger, Webhook};

use crate::clock::Format;
use crate::diagnostic::{Diagnostic, Location, Severity, SourceMap};
use crate::expr::Program;
use crate::journal::Face;
use crate::schema::Violation;

/// An API, ready to be served.
#[derive(Debug)]
pub(crate) struct Pack {
    /// Also its path prefix and host label.
    pub(crate) name: Arc<str>,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    /// Path prefixes under which every operation is reached too; the empty one is always there.
    pub(crate) mounts: Vec<String>,
    /// The pack's own time format first.
    pub(crate) formats: Vec<Format>,
    pub(crate) options: Vec<PackOption>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) schemes: Vec<Scheme>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) errors: Vec<NamedError>,
    pub(crate) rejections: BTreeMap<Refusal, ErrorId>,
    pub(crate) rows: Vec<Row>,
    pub(crate) limits: Vec<PackLimit>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) events: Vec<Event>,
    pub(crate) webhooks: Vec<Webhook>,
    pub(crate) examples: Vec<Example>,
    pub(crate) replays: Vec<Replay>,
    /// What can be covered of it.
    pub(crate) answers: Answers,
    pub(crate) payloads: Vec<Payload>,
    /// Headers of every answer.
    pub(crate) headers: Vec<(http::HeaderName, Shape)>,
    pub(crate) tables: Arc<Value>,
    pub(crate) router: Router,
    pub(crate) seeds: Vec<Seed>,
    pub(crate) program: Program,
    pub(crate) sources: Arc<SourceMap>,
    /// What showing its entries needs.
    pub(crate) face: Arc<Face>,
    /// The files that it was read from, each with its SHA-256.
    pub(crate) digests: Vec<(String, String)>,
    /// Keys and pointers of examples that stay what they are.
    pub(crate) constants: Vec<String>,
    /// What the numbers mean by which records remember that they have passed a check.
    pub(crate) checks: Vec<String>,
    /// How records are shown where that depends on the record alone: the schema that it fits, and the shape.
    pub(crate) renderings: Vec<(String, Shape)>,
}

/// A record that every sandbox starts with, as the wire spells it.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) resource: ResourceId,
    /// By field; `None` for what its default fills.
    pub(crate) values: Vec<Option<Value>>,
    pub(crate) at: Location,
}

/// Takes prefixes off a path, with whether there was one.
fn within<'p>(mounts: &[String], path: &'p str) -> impl Iterator<Item = (&'p str, bool)> + use<'p> {
    let fits = |prefix: &&String| path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/'));
    let prefixes: Vec<usize> = mounts.iter().filter(fits).map(String::len).collect();
    prefixes.into_iter().map(move |length| (&path[length..], length > 0))
}

/// What stands in a path for parameters that have the names of secrets, still percent-encoded.
pub(crate) fn secrets_in_path<'p>(face: &Face, path: &'p str) -> Vec<&'p str> {
    let mut found = Vec::new();
    for template in &face.secret_paths {
        let given = within(&face.mounts, path).find_map(|(rest, _)| path_values(template, rest));
        let pairs = parameter_names(template).into_iter().zip(given.into_iter().flatten());
        found.extend(pairs.filter(|(name, _)| is_one_of(&face.secrets, name)).map(|(_, value)| value));
    }
    found
}

/// Whether a name is one of these, which are in small letters: APIs write one name in several cases.
pub(crate) fn is_one_of(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Pack {
    pub(crate) fn resource(&self, id: ResourceId) -> &Resource {
        &self.resources[id.0]
    }

    pub(crate) fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.0]
    }

    pub(crate) fn scheme(&self, id: SchemeId) -> &Scheme {
        &self.schemes[id.0]
    }

    pub(crate) fn error(&self, id: ErrorId) -> &NamedError {
        &self.errors[id.0]
    }

    pub(crate) fn error_named(&self, name: &str) -> Option<ErrorId> {
        self.errors.iter().position(|error| *error.name == *name).map(ErrorId)
    }

    pub(crate) fn resource_named(&self, name: &str) -> Option<ResourceId> {
        self.resources.iter().position(|resource| &*resource.name == name).map(ResourceId)
    }

    pub(crate) fn event_named(&self, name: &str) -> Option<&Event> {
        self.events.iter().find(|event| *event.name == *name)
    }

    pub(crate) fn webhook_named(&self, name: &str) -> Option<&Webhook> {
        self.webhooks.iter().find(|webhook| *webhook.name == *name)
    }

    /// Takes a mount prefix off a path: `/api/items` is `/items`. The empty prefix always fits, so it comes last.
    /// With each rest comes whether a prefix was taken off.
    pub(crate) fn within<'p>(&self, path: &'p str) -> impl Iterator<Item = (&'p str, bool)> {
        within(&self.mounts, path)
    }

    /// Gives operations and replies their numbers, and what can be covered its counters.
    fn number(&mut self) {
        for (place, operation) in self.operations.iter_mut().enumerate() {
            operation.number = OperationId(place);
        }
        let own = self.operations.iter_mut().map(|operation| &mut operation.replies);
        for replies in own.chain(self.errors.iter_mut().map(|error| &mut error.replies)) {
            replies.iter_mut().enumerate().for_each(|(place, reply)| reply.number = place);
        }
        self.answers = Answers::of(self);
    }

    /// The same pack, which keeps texts that it has in common with an earlier one only once.
    pub(crate) fn sharing(mut self, before: &Pack) -> Self {
        let (sources, own) = self.sources.sharing(&before.sources);
        self.set_sources(Arc::new(sources), own);
        self
    }

    fn set_sources(&mut self, sources: Arc<SourceMap>, own: usize) {
        self.face = Arc::new(Face { sources: Arc::clone(&sources), own, ..(*self.face).clone() });
        self.sources = sources;
    }

    /// The paths of files that are others than those of an earlier pack.
    pub(crate) fn files_changed_since(&self, before: &Pack) -> Vec<String> {
        let only = |these: &Pack, those: &Pack| -> Vec<String> {
            let known: BTreeMap<&str, &str> =
                those.digests.iter().map(|(path, sum)| (path.as_str(), sum.as_str())).collect();
            let other = |(path, sum): &&(String, String)| known.get(path.as_str()) != Some(&sum.as_str());
            these.digests.iter().filter(other).map(|(path, _)| path.clone()).collect()
        };
        let mut files = only(self, before);
        files.append(&mut only(before, self));
        files.sort();
        files.dedup();
        files
    }

    /// The row that counts for a violation: the first that fits.
    pub(crate) fn row(&self, violation: &Violation, options: &Options) -> Option<&Row> {
        self.rows.iter().find(|row| row.fits(violation, options))
    }

    /// The first known credential of each scheme that a caller needs. What stands in one place is read by every scheme
    /// that looks there. The error is a scheme for which none is known.
    pub(crate) fn known_credentials(&self, auth: &Auth) -> Result<Vec<&Credential>, &Scheme> {
        let needed = auth.needed();
        let first = |scheme: SchemeId| self.credentials.iter().find(|credential| credential.scheme == scheme);
        let mut found = Vec::new();
        for scheme in &needed {
            let place = &self.scheme(*scheme).place;
            let shared = || needed.iter().any(|other| self.scheme(*other).place == *place && first(*other).is_some());
            match first(*scheme) {
                Some(credential) => found.push(credential),
                None if shared() => {}
                None => return Err(self.scheme(*scheme)),
            }
        }
        Ok(found)
    }

    /// The same pack without one row of its table of violations: what `check --mutate` compares with.
    pub(crate) fn without_row(mut self, row: usize) -> Self {
        if row < self.rows.len() {
            self.rows.remove(row);
        }
        self
    }
}

/// What came of reading a pack: the pack unless it has errors, and everything there is to say about it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) pack: Option<Pack>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into. Empty when the pack holds them itself.
    pub(crate) sources: SourceMap,
}

impl Loaded {
    pub(crate) fn sources(&self) -> &SourceMap {
        self.pack.as_ref().map_or(&self.sources, |pack| &pack.sources)
    }

    pub(crate) fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }
}

/// Reads, links and judges a pack. Every mistake is found in one go.
pub(crate) fn load(files: &Files) -> Loaded {
    resolve::pack(files)
}
