use std::sync::Arc;

use crate::diagnostic::Location;

/// A stage of a request, in the order of `docs` and of the engine's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Stub,
    Route,
    Prefer,
    Authenticate,
    Limit,
    Formats,
    ParseBody,
    Choose,
    Load,
    Guards,
    BodySchema,
    Behave,
    Webhooks,
    Render,
    CheckResponse,
    Fault,
}

impl Stage {
    /// All of them, each at the place of its number.
    pub(super) const ALL: [Stage; 16] = [
        Stage::Stub,
        Stage::Route,
        Stage::Prefer,
        Stage::Authenticate,
        Stage::Limit,
        Stage::Formats,
        Stage::ParseBody,
        Stage::Choose,
        Stage::Load,
        Stage::Guards,
        Stage::BodySchema,
        Stage::Behave,
        Stage::Webhooks,
        Stage::Render,
        Stage::CheckResponse,
        Stage::Fault,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::Stub => "stub",
            Stage::Route => "route",
            Stage::Prefer => "prefer",
            Stage::Authenticate => "authenticate",
            Stage::Limit => "rate limit",
            Stage::Formats => "formats",
            Stage::ParseBody => "parse body",
            Stage::Choose => "choose",
            Stage::Load => "load",
            Stage::Guards => "guards",
            Stage::BodySchema => "body schema",
            Stage::Behave => "behave",
            Stage::Webhooks => "webhooks",
            Stage::Render => "render",
            Stage::CheckResponse => "check response",
            Stage::Fault => "fault",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// The request ended here with an answer of the API or a problem.
    Refused,
    /// Something the client should know, which changed nothing.
    Noted,
    /// The pack or the server is at fault.
    Failed,
}

impl Verdict {
    /// All of them, each at the place of its number.
    pub(super) const ALL: [Verdict; 4] = [Verdict::Passed, Verdict::Refused, Verdict::Noted, Verdict::Failed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Refused => "refused",
            Verdict::Noted => "noted",
            Verdict::Failed => "failed",
        }
    }
}

/// Words about a step, made as late as possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Detail {
    Fixed(&'static str),
    Name(Arc<str>),
    Text(Box<str>),
}

impl Detail {
    pub(crate) fn text(&self) -> &str {
        match self {
            Detail::Fixed(text) => text,
            Detail::Name(name) => name,
            Detail::Text(text) => text,
        }
    }
}

impl From<&'static str> for Detail {
    fn from(text: &'static str) -> Self {
        Detail::Fixed(text)
    }
}

impl From<&Arc<str>> for Detail {
    fn from(name: &Arc<str>) -> Self {
        Detail::Name(Arc::clone(name))
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Detail::Text(text.into_boxed_str())
    }
}

/// One stage's verdict, with the place in the pack that decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) stage: Stage,
    pub(crate) verdict: Verdict,
    pub(crate) place: Option<Location>,
    pub(crate) detail: Detail,
}

/// Why an answer is what it is, stage by stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace(Vec<Step>);

impl Trace {
    pub(crate) fn new() -> Self {
        Trace(Vec::with_capacity(12))
    }

    pub(crate) fn add(&mut self, stage: Stage, verdict: Verdict, place: Option<&Location>, detail: impl Into<Detail>) {
        self.0.push(Step { stage, verdict, place: place.cloned(), detail: detail.into() });
    }

    pub(crate) fn passed(&mut self, stage: Stage, place: Option<&Location>, detail: impl Into<Detail>) {
        self.add(stage, Verdict::Passed, place, detail);
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// How many steps say that the pack or the server is at fault.
    pub(crate) fn findings(&self) -> usize {
        self.0.iter().filter(|step| step.verdict == Verdict::Failed).count()
    }

    /// About how many bytes its texts and places have.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|step| STEP + step.detail.text().len()).sum()
    }
}

/// What a step takes without its text, packed: stage, verdict, place, length of the text.
const STEP: usize = 19;
