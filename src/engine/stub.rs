//! A stub that answers before anything of a pack is looked at.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::Rules;
use super::fault::{GARBAGE, log_normal, unit};
use crate::exchange::{Delivery, Manner, Request};
use crate::expr::Draws;
use crate::journal::{Stage, Trace};
use crate::sandbox::{Change, Controls, Exchange};
use crate::stub::{self, Asked, Delay, Served, Stub};

const STUB: HeaderName = HeaderName::from_static("standin-stub");
/// The name that WireMock has for it.
const MATCHED: HeaderName = HeaderName::from_static("matched-stub-id");

/// What a stub answers to a request, if there is one for it.
pub(super) fn answer(controls: &Controls, draws: &Draws, request: &Request, rules: Rules) -> Option<Exchange> {
    if controls.stubs.is_empty() {
        return None;
    }
    let path = request.received();
    let served = controls.stubs.serve(&Asked::new(request, &path, rules.json_depth))?;
    let Served { stub, after, .. } = &served;
    let mut response = stub.answer.response().clone();
    if let Ok(id) = HeaderValue::from_str(&stub.id) {
        response.headers.insert(STUB, id.clone());
        response.headers.insert(MATCHED, id);
    }
    let mut trace = Trace::new();
    trace.passed(Stage::Stub, None, why(&served));
    let delivery = delivery(stub, draws);
    Some(Exchange {
        response,
        change: Change {
            controls: after.as_ref().map(|stubs| Controls { stubs: stubs.clone(), ..controls.clone() }),
            ..Change::default()
        },
        trace,
        operation: None,
        contract: None,
        stub: Some(stub.id.clone()),
        delivery: (delivery != Delivery::default()).then(|| Box::new(delivery)),
    })
}

/// Which stub it is, and why no other.
fn why(served: &Served) -> String {
    let Served { stub, also, .. } = served;
    let first = match (&stub.name, stub.priority) {
        (Some(name), priority) => format!("the stub `{name}`, {}, priority {priority}", stub.id),
        (None, priority) => format!("the stub {}, priority {priority}", stub.id),
    };
    match also {
        None => first,
        Some(other) if other.priority == stub.priority => {
            format!("{first}; the stub {} fits as well, and was added earlier", other.label())
        }
        Some(other) => {
            format!("{first}; the stub {} fits as well, with the priority {}", other.label(), other.priority)
        }
    }
}

fn delivery(stub: &Stub, draws: &Draws) -> Delivery {
    let drawn = match stub.answer.delay {
        Delay::None => Duration::ZERO,
        Delay::Uniform { lower, upper } => {
            let drawn = lower + (upper - lower).mul_f64(unit(draws, "stub.delay", 0));
            Duration::from_millis(u64::try_from(drawn.as_millis()).unwrap_or(u64::MAX))
        }
        Delay::LogNormal { median, sigma, most } => log_normal(median, sigma, draws, "stub.delay", 0).min(most),
    };
    let manner = match stub.answer.manner {
        stub::Manner::Whole => Manner::Whole,
        stub::Manner::Dribble { pieces, over } => Manner::Dribble { pieces, over },
        stub::Manner::Fault(stub::Fault::EmptyResponse) => Manner::Empty,
        stub::Manner::Fault(stub::Fault::ConnectionReset) => Manner::Reset,
        stub::Manner::Fault(stub::Fault::MalformedChunk) => Manner::Malformed,
        stub::Manner::Fault(stub::Fault::RandomData) => {
            Manner::Garbage(Bytes::from(draws.bytes("stub.data", 0, GARBAGE)))
        }
    };
    Delivery { delay: stub.answer.wait.saturating_add(drawn), manner }
}
