use super::packed::{Packer, Unpacker};
use crate::diagnostic::{FileId, Location};

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

/// One stage's verdict, with the place in the pack that decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step<'t> {
    pub(crate) stage: Stage,
    pub(crate) verdict: Verdict,
    pub(crate) place: Option<Location>,
    pub(crate) detail: &'t str,
}

/// Why an answer is what it is, stage by stage. Steps are written one behind the other and read when somebody asks: nearly
/// nobody does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    steps: Packer,
    /// How many steps say that the pack or the server is at fault.
    findings: u32,
    /// An operation was found.
    routed: bool,
}

/// Room for the steps of a usual exchange.
const ROOM: usize = 448;

impl Trace {
    pub(crate) fn new() -> Self {
        Trace { steps: Packer(Vec::with_capacity(ROOM)), findings: 0, routed: false }
    }

    /// The trace that was [`packed`](Trace::packed).
    pub(super) fn of(packed: &[u8]) -> Self {
        let mut trace = Trace { steps: Packer(packed.to_vec()), ..Trace::default() };
        for step in Trace::read(packed) {
            trace.findings += u32::from(step.verdict == Verdict::Failed);
            trace.routed |= (step.stage, step.verdict) == (Stage::Route, Verdict::Passed);
        }
        trace
    }

    pub(super) fn packed(&self) -> &[u8] {
        &self.steps.0
    }

    pub(crate) fn add(&mut self, stage: Stage, verdict: Verdict, place: Option<&Location>, detail: impl AsRef<str>) {
        self.findings += u32::from(verdict == Verdict::Failed);
        self.routed |= (stage, verdict) == (Stage::Route, Verdict::Passed);
        let to = &mut self.steps;
        to.bytes([stage as u8, verdict as u8, u8::from(place.is_some())]);
        if let Some(Location { file, range }) = place {
            // No file of a pack is 4 GiB long.
            let [start, end] = [range.start, range.end].map(|end| u32::try_from(end).unwrap_or(u32::MAX));
            [file.0, start, end].into_iter().for_each(|number| to.number(number));
        }
        to.text(detail.as_ref());
    }

    pub(crate) fn passed(&mut self, stage: Stage, place: Option<&Location>, detail: impl AsRef<str>) {
        self.add(stage, Verdict::Passed, place, detail);
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        Trace::read(self.packed())
    }

    /// How many steps say that the pack or the server is at fault.
    pub(crate) fn findings(&self) -> u32 {
        self.findings
    }

    /// Whether an operation was found.
    pub(crate) fn is_routed(&self) -> bool {
        self.routed
    }

    /// The steps of a trace that was [`packed`](Trace::packed).
    pub(super) fn read(packed: &[u8]) -> impl Iterator<Item = Step<'_>> {
        let mut from = Unpacker(packed);
        std::iter::from_fn(move || {
            if from.is_empty() {
                return None;
            }
            let (stage, verdict) = (Stage::ALL.get(from.byte()), Verdict::ALL.get(from.byte()));
            let place = (from.byte() == 1).then(|| {
                let [file, start, end] = [from.number(), from.number(), from.number()];
                Location::new(FileId(file), start as usize..end as usize)
            });
            Some(Step { stage: *stage?, verdict: *verdict?, place, detail: from.text() })
        })
    }
}
