//! Documented exchanges, sent again: does the pack still say what its documentation shows?
//!
//! Must not know: sockets, the terminal. Start with [`replay`]; [`mutate`] asks whether the answers follow their inputs.

mod compare;
mod mutate;
mod prepare;
mod report;
mod vary;

pub(crate) use mutate::mutate;
pub(crate) use report::{PackReport, Result as CaseResult, junit, text, to_json};

use std::sync::Arc;

use crate::journal::{Stage, Verdict};
use crate::pack::{Pack, Replay};
use crate::sandbox::Exchange;
use compare::Finding;
use prepare::Prepared;

/// Replays every example of a pack, in the order of their files.
pub(crate) fn replay(pack: &Arc<Pack>) -> Vec<CaseResult> {
    pack.replays.iter().map(|replay| case(pack, replay)).collect()
}

fn case(pack: &Arc<Pack>, replay: &Replay) -> CaseResult {
    let name = name(pack, replay);
    match prepare::prepare(pack, replay) {
        Err(reason) => CaseResult { name, findings: vec![reason], declared: 0, notes: Vec::new() },
        Ok(prepared) => {
            let exchange = prepared.send(pack);
            let (findings, declared) = judge(pack, replay, &exchange);
            let notes = if findings.is_empty() { Vec::new() } else { explain(pack, &prepared, &exchange) };
            CaseResult { name, findings: findings.iter().map(Finding::to_string).collect(), declared, notes }
        }
    }
}

/// The path of the answer, or of the request where there is no answer.
pub(crate) fn name(pack: &Pack, replay: &Replay) -> String {
    let index = replay.answer.or(replay.request).unwrap_or(0);
    format!("{}/{}", pack.name, pack.examples[index].path)
}

/// What is wrong with an answer, and how many differences were declared.
fn judge(pack: &Pack, replay: &Replay, exchange: &Exchange) -> (Vec<Finding>, usize) {
    let mut findings: Vec<Finding> = exchange
        .trace
        .steps()
        .iter()
        .filter(|step| step.verdict == Verdict::Failed)
        .map(|step| match step.stage {
            Stage::CheckResponse => Finding::Schema(step.detail.text().to_owned()),
            _ => Finding::Fault(step.detail.text().to_owned()),
        })
        .collect();
    let Some(answer) = replay.answer else {
        if !exchange.response.status.is_success() {
            let body = String::from_utf8_lossy(&exchange.response.body).into_owned();
            findings.push(Finding::Status { expected: "a success".to_owned(), actual: exchange.response.status.as_u16(), body });
        }
        return (findings, 0);
    };
    let example = &pack.examples[answer];
    let (found, declared) = compare::answer(example, &exchange.response);
    findings.extend(found);
    (findings, declared)
}

fn explain(pack: &Pack, prepared: &Prepared, exchange: &Exchange) -> Vec<String> {
    let request = &prepared.request;
    let mut lines = vec![format!("sent: {} {} at {}", request.method, request.target(), prepared.at)];
    if !request.body.bytes().is_empty() {
        lines.push(format!("body: {}", String::from_utf8_lossy(request.body.bytes())));
    }
    lines.push(format!("answered: {} {}", exchange.response.status.as_u16(), String::from_utf8_lossy(&exchange.response.body)));
    for step in exchange.trace.steps() {
        let place = step.place.as_ref().map(|place| pack.sources.place(place)).unwrap_or_default();
        lines.push(format!("{:<15} {:<8} {} {place}", step.stage.name(), step.verdict.name(), step.detail.text()));
    }
    lines
}
