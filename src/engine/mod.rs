//! One request in, one exchange out. PURE: no I/O, no waiting, no real clock, no lock, and nothing is changed.
//!
//! Each stage of `respond` is a function of that name in a file of that name and writes its line into the trace. Must
//! not know: which API it plays, sockets, sandboxes other than the moment it is given. Start with [`handle`].

mod authenticate;
mod behave;
mod choose;
mod event;
mod fault;
mod fill;
mod guard;
mod input;
mod limit;
mod mistake;
mod near_miss;
mod plan;
mod prefer;
mod reject;
mod render;
mod repair;
mod route;
mod scope;
mod settings;
mod sign;
mod state;
mod strict;
mod stub;
mod validate;
mod webhook;

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use crate::diagnostic::Location;
use crate::exchange::{Request, Response};
use crate::expr::{EvalFault, Scope};
use crate::journal::Trace;
use crate::pack::{ErrorId, Mark, Misfit, Operation, Pack, Reached, Refusal, Reply, Turn};
use crate::sandbox::{Change, Exchange, Moment, Visibility};
use crate::schema::Violation;

pub(crate) use event::{DEEDS, EventFault, fire, fits};
pub(crate) use fault::shown as faults_shown;
pub(crate) use limit::{at_start as limits_at_start, shown as limits_shown};
pub(crate) use mistake::Mistake;
pub(crate) use near_miss::{astray, near_misses};
pub(crate) use plan::{Ask, NotPlanned, Plan, plan};
pub(crate) use repair::{Repair, repair};
pub(crate) use settings::{Setting, controls, dumped, set, told};
pub(crate) use sign::{Heard, proof};
pub(crate) use state::{Edit, StateFault, change, edit, shown};

const OPERATION: HeaderName = HeaderName::from_static("standin-operation");
const CONTRACT: HeaderName = HeaderName::from_static("standin-contract");

/// What holds for every request to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The most levels of objects and arrays in a JSON body.
    pub(crate) json_depth: usize,
    /// Answers that the pack assumes, and those that do not fit their schema, are not sent.
    pub(crate) strict: bool,
}

/// One request under way: what it may look at, and what is known of it so far.
pub(crate) struct Call<'a> {
    pub(crate) pack: &'a Arc<Pack>,
    pub(crate) moment: &'a Moment<'a>,
    pub(crate) request: &'a Arc<Request>,
    pub(crate) rules: Rules,
    /// What the API is asked in its query; what is said there about the answer is taken out.
    pub(crate) query: Option<Cow<'a, str>>,
    /// The preferences of the client that were followed, as a header has them.
    pub(crate) applied: String,
    pub(crate) scope: Scope,
    pub(crate) visibility: Visibility,
    /// Who calls, where limits count that.
    caller: Option<Arc<str>>,
    admission: Option<Box<limit::Admission>>,
    /// What of the request did not fit the contract.
    misfits: Vec<Misfit>,
    pub(crate) trace: Trace,
}

/// A refusal that is a normal answer.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// The server's own words: nothing answers this method and path, or the answer is not sent.
    Problem(Response),
    /// An error that the pack names.
    Named(ErrorId),
    /// A refusal of the engine, which the pack may map to an error; with its reason in words.
    Refused(Refusal, String),
    /// Mismatches with the request's schemas.
    Invalid(Vec<Violation>),
    /// The pack has no answer for what happened.
    Fault(String),
}

impl From<EvalFault> for Rejection {
    fn from(fault: EvalFault) -> Self {
        Rejection::Fault(fault.to_string())
    }
}

/// Which operation a request is for, as far as that is known.
#[derive(Default)]
pub(crate) struct Meant<'a> {
    pub(crate) operation: Option<&'a Operation>,
    /// Those that it could be, where there are several.
    pub(crate) candidates: Vec<&'a Operation>,
}

impl Meant<'_> {
    /// Whether it is, or could still be, the operation with this id.
    fn may_be(&self, id: &str) -> bool {
        match self.operation {
            Some(operation) => *operation.name == *id,
            None => self.candidates.iter().any(|operation| *operation.name == *id),
        }
    }
}

/// An answer with its provenance and what it does.
pub(crate) struct Outcome {
    pub(crate) response: Response,
    pub(crate) contract: &'static str,
    pub(crate) change: Change,
    /// Which of the pack's answers it is.
    pub(crate) given: Option<Mark>,
}

/// Answers one request.
pub(crate) fn handle(pack: &Arc<Pack>, moment: &Moment<'_>, request: &Arc<Request>, rules: Rules) -> Exchange {
    let over = match stub::answer(moment.controls, &moment.draws, request, rules) {
        Ok(exchange) => return exchange,
        Err(over) => over,
    };
    let mut call = Call::begin(pack, moment, request, rules);
    stub::note(&mut call.trace, over);
    let mut meant = Meant::default();
    let mut outcome = match respond(&mut call, &mut meant) {
        Ok(outcome) => outcome,
        Err(rejection) => reject::rejection(&mut call, meant.operation, rejection),
    };
    prefer::confirm(&call, &mut outcome.response);
    let undeclared = outcome.given.is_none();
    let (mut outcome, delivery) = fault::inject(&mut call, &meant, outcome);
    limit::settle(&mut call, &mut outcome);
    let operation = meant.operation;
    let mut response = outcome.response;
    if let Some(operation) = operation {
        response.headers.insert(OPERATION, operation.header.clone());
    }
    response.headers.insert(CONTRACT, HeaderValue::from_static(outcome.contract));
    Exchange {
        response,
        change: outcome.change,
        trace: call.trace,
        operation: operation.map(|operation| Arc::clone(&operation.name)),
        contract: Some(outcome.contract),
        stub: None,
        delivery,
        reached: Reached {
            operation: operation.map(|operation| operation.number),
            candidates: match operation {
                Some(_) => Vec::new(),
                None => meant.candidates.iter().map(|operation| operation.number).collect(),
            },
            given: outcome.given,
            undeclared: undeclared && outcome.given.is_none(),
            misfits: call.misfits,
        },
    }
}

/// What an error that only faults give would answer to a request, in one of its cases; its condition is evaluated and
/// does not count.
pub(crate) fn fault_case(pack: &Arc<Pack>, moment: &Moment<'_>, request: &Arc<Request>, case: &Reply) -> Exchange {
    let mut call = Call::begin(pack, moment, request, Rules { json_depth: 0, strict: false });
    let held = case.when.map_or(Ok(true), |when| pack.program.holds(when, &call.scope));
    let outcome = match held.map_err(Rejection::from).and_then(|_| render::answer(&mut call, case)) {
        Ok(response) => {
            Outcome { response, contract: case.provenance.header(), change: Change::default(), given: None }
        }
        Err(rejection) => reject::rejection(&mut call, None, rejection),
    };
    let Outcome { response, change, contract, .. } = outcome;
    Exchange {
        response,
        change,
        trace: call.trace,
        operation: None,
        contract: Some(contract),
        stub: None,
        delivery: None,
        reached: Reached::default(),
    }
}

fn respond<'a>(call: &mut Call<'a>, meant: &mut Meant<'a>) -> Result<Outcome, Rejection> {
    let found = route::find(call)?;
    match found.candidates.as_slice() {
        [only] => meant.operation = Some(only.operation),
        several => meant.candidates = several.iter().map(|found| found.operation).collect(),
    }
    if let Some(picked) = prefer::answer(call, &found, meant)? {
        return Ok(picked);
    }
    authenticate::identify(call, &found)?;
    limit::admit(call)?;
    input::formats(call, &found)?;
    let body = input::body(call, &found)?;
    let chosen = choose::candidate(call, &found)?;
    meant.operation = Some(chosen);
    let body = input::spelling(call, chosen, body)?;
    guard::load(call, chosen, Turn::BeforeBody)?;
    guard::check(call, chosen, Turn::BeforeBody)?;
    validate::body(call, chosen, body.as_deref())?;
    guard::load(call, chosen, Turn::AfterBody)?;
    guard::check(call, chosen, Turn::AfterBody)?;
    let mut change = behave::apply(call, chosen)?;
    webhook::after_request(call, &mut change)?;
    let (response, reply) = render::response(call, chosen)?;
    Ok(Outcome { response, contract: reply.provenance.header(), change, given: Some(Mark::own(reply)) })
}

impl<'a> Call<'a> {
    fn begin(pack: &'a Arc<Pack>, moment: &'a Moment<'a>, request: &'a Arc<Request>, rules: Rules) -> Self {
        let scope = scope::begin(pack, moment, request);
        Call {
            pack,
            moment,
            request,
            rules,
            query: request.query.as_deref().map(Cow::Borrowed),
            applied: String::new(),
            scope,
            visibility: Visibility::default(),
            caller: None,
            admission: None,
            misfits: Vec::new(),
            trace: Trace::new(),
        }
    }

    /// The place of an operation, for a trace.
    fn at(operation: &Operation) -> Option<&Location> {
        Some(&operation.at)
    }
}
