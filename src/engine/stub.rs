//! A stub that answers before anything of a pack is looked at.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::Rules;
use super::fault::{GARBAGE, log_normal, unit};
use crate::exchange::{Body, Delivery, Manner, Request, millis};
use crate::expr::Draws;
use crate::journal::{Stage, Trace, Verdict};
use crate::pack::Reached;
use crate::sandbox::{Change, Controls, Exchange};
use crate::stub::{self, Asked, Delay, PassedOver, Served, Stub};

const STUB: HeaderName = HeaderName::from_static("standin-stub");
/// The name that WireMock has for it.
const MATCHED: HeaderName = HeaderName::from_static("matched-stub-id");

/// What a stub answers to a request, if there is one for it; otherwise what there is to say about those that may be for it.
pub(super) fn answer(
    controls: &Controls,
    draws: &Draws,
    request: &Request,
    rules: Rules,
) -> Result<Exchange, PassedOver> {
    // A body that was thrown away is refused by who would read it: no stub can know what was in it.
    if controls.stubs.is_empty() || matches!(request.body, Body::TooLarge { .. }) {
        return Err(PassedOver::default());
    }
    let path = request.received();
    let asked = Asked::new(request, &path, rules.json_depth);
    let served = controls.stubs.serve(&asked);
    let over = asked.passed_over();
    let Some(served) = served else { return Err(over) };
    let Served { stub, after, .. } = &served;
    let mut response = stub.answer.response().clone();
    if let Ok(id) = HeaderValue::from_str(&stub.id) {
        response.headers.insert(STUB, id.clone());
        response.headers.insert(MATCHED, id);
    }
    let mut trace = Trace::new();
    note(&mut trace, over);
    trace.passed(Stage::Stub, None, why(&served));
    let delivery = delivery(stub, draws);
    Ok(Exchange {
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
        reached: Reached::default(),
    })
}

/// Says which stubs were passed over because a condition was given up.
pub(super) fn note(trace: &mut Trace, over: PassedOver) {
    for words in over.first {
        trace.add(Stage::Stub, Verdict::Noted, None, words);
    }
    if over.more > 0 {
        trace.add(Stage::Stub, Verdict::Noted, None, format!("{} more stubs were passed over", over.more));
    }
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
            Duration::from_millis(millis(drawn))
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
