//! Documented exchanges, sent again: does the pack still say what its documentation shows?
//!
//! Must not know: sockets, the terminal. Start with [`replay`]; [`mutate`] asks whether the answers follow their inputs.

mod compare;
mod faults;
mod mutate;
mod payload;
mod prepare;
mod report;
mod vary;

pub(crate) use mutate::mutate;
pub(crate) use report::{PackReport, Result as CaseResult, junit, text, to_json};

use std::sync::Arc;

use crate::journal::{Stage, Step, Verdict};
use crate::pack::{Pack, Replay};
use crate::sandbox::Exchange;
use compare::Finding;
use prepare::Prepared;

/// Replays every example of a pack, in the order of their files, and every payload; then renders the errors that only
/// faults give.
pub(crate) fn replay(pack: &Arc<Pack>) -> Vec<CaseResult> {
    let exchanges = pack.replays.iter().map(|replay| case(pack, replay));
    exchanges.chain(payload::replay(pack)).chain(faults::render(pack)).collect()
}

/// Examples that are not replayed by themselves, each with the reason.
pub(crate) fn fragments(pack: &Pack) -> Vec<(String, String)> {
    let replayed =
        |index: usize| pack.replays.iter().any(|replay| [replay.answer, replay.request].contains(&Some(index)));
    let all = pack.examples.iter().enumerate().filter(|(index, _)| !replayed(*index));
    let all = all.map(|(_, example)| (&example.path, &example.side));
    let all = all.chain(pack.payloads.iter().map(|payload| (&payload.path, &payload.side)));
    all.filter_map(|(path, side)| {
        let reason = side.fragment.as_ref()?.value.clone();
        Some((format!("{}/{path}", pack.name), reason))
    })
    .collect()
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
    let mut findings = failures(exchange);
    for index in [replay.request, replay.answer].into_iter().flatten() {
        findings.extend(compare::headers(&pack.examples[index].side, &exchange.response));
    }
    let Some(answer) = replay.answer else {
        if !exchange.response.status.is_success() {
            findings.push(Finding::unexpected("a success", &exchange.response));
        }
        return (findings, 0);
    };
    let example = &pack.examples[answer];
    let (found, declared) = compare::answer(example, &exchange.response);
    findings.extend(found);
    (findings, declared)
}

/// Stages at which the pack itself failed.
fn failures(exchange: &Exchange) -> Vec<Finding> {
    let failed = exchange.trace.steps().filter(|step| step.verdict == Verdict::Failed);
    let finding = |step: Step<'_>| match step.stage {
        Stage::CheckResponse => Finding::Schema(step.detail.to_owned()),
        Stage::Webhooks => Finding::Told(step.detail.to_owned()),
        _ => Finding::Fault(step.detail.to_owned()),
    };
    failed.map(finding).collect()
}

fn explain(pack: &Pack, prepared: &Prepared, exchange: &Exchange) -> Vec<String> {
    let request = &prepared.request;
    let mut lines = vec![format!("sent: {} {} at {}", request.method, request.target(), prepared.at)];
    if !request.body.bytes().is_empty() {
        lines.push(format!("body: {}", String::from_utf8_lossy(request.body.bytes())));
    }
    lines.push(format!(
        "answered: {} {}",
        exchange.response.status.as_u16(),
        String::from_utf8_lossy(&exchange.response.body)
    ));
    for step in exchange.trace.steps() {
        let place = step.place.as_ref().map(|place| pack.sources.place(place)).unwrap_or_default();
        lines.push(format!("{:<15} {:<8} {} {place}", step.stage.name(), step.verdict.name(), step.detail));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{self, Files, Folders};
    use std::path::Path;

    /// Keys whose values are prose: a reader may write there what it likes.
    const PROSE: &[&str] = &["title", "description", "notes", "docs", "assumed", "assumed-body", "static", "reason"];

    fn reportei() -> Files {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = Folders { fixtures: root.join("fixtures"), schemas: root.join("schemas") };
        pack::read_all(&folders).unwrap().into_iter().find(|files| files.folder == "reportei").unwrap()
    }

    #[test]
    fn an_example_that_is_replayed_is_exercised_by_its_replay() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = Folders { fixtures: root.join("fixtures"), schemas: root.join("schemas") };
        let mut missed = Vec::new();
        let mut seen = 0;
        for files in pack::read_all(&folders).unwrap() {
            let pack = Arc::new(pack::load(&files).pack.unwrap());
            for replay in &pack.replays {
                let Some(answer) = replay.answer else { continue };
                let example = &pack.examples[answer];
                let of = pack.answers.operation(example.operation);
                let Some(place) = of.shown.iter().position(|shown| shown.example == answer) else { continue };
                seen += 1;
                let exchange = prepare::prepare(&pack, replay).unwrap().send(&pack);
                let mut counted = Vec::new();
                let unsettled = pack.answers.count(&pack, &exchange.reached, |counter| counted.push(counter));
                counted.extend(unsettled.iter().flat_map(|one| pack.answers.settle(one, &exchange.response.body)));
                if !counted.contains(&of.example(place)) {
                    missed.push(name(&pack, replay));
                }
            }
        }
        assert!(seen > 150, "{seen}");
        assert!(missed.is_empty(), "{} of {seen}:\n{}", missed.len(), missed.join("\n"));
    }

    fn findings(files: &Files) -> usize {
        let loaded = pack::load(files);
        let errors = loaded.diagnostics.len();
        match loaded.pack {
            Some(pack) if errors == 0 => replay(&Arc::new(pack)).iter().map(|result| result.findings.len()).sum(),
            _ => errors.max(1),
        }
    }

    /// The lines of a file that say something to the engine: no comments, and nothing inside blocks of prose.
    fn lines(text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        let mut prose: Option<usize> = None;
        for (number, line) in text.lines().enumerate() {
            let words = line.trim_start();
            let indent = line.len() - words.len();
            if prose.is_some_and(|outer| words.is_empty() || indent > outer)
                || words.is_empty()
                || words.starts_with('#')
                // The reason why a whole answer is as it is.
                || words.starts_with("\"\":")
            {
                continue;
            }
            prose = None;
            found.push(number);
            let key = words.trim_start_matches("- ");
            if let Some((key, value)) = key.split_once(':')
                && PROSE.contains(&key)
                && matches!(value.trim(), "|" | ">")
            {
                prose = Some(indent);
            }
        }
        found
    }

    /// The line with its first word misspelt: a `q` behind the first letter of the key or item.
    fn misspelt(line: &str) -> Option<String> {
        let at =
            line.find(|character: char| character.is_ascii_alphanumeric() || matches!(character, '/' | '"' | '='))?;
        let word = line[at..].find(|character: char| character.is_ascii_alphanumeric()).map(|more| at + more)?;
        Some(format!("{}q{}", &line[..=word], &line[word + 1..]))
    }

    #[test]
    fn breaking_any_line_is_caught() {
        let files = reportei();
        assert_eq!(findings(&files), 0);
        let mut cases: Vec<(&String, usize, String)> = Vec::new();
        for (path, bytes) in files.fixtures.iter().filter(|(path, _)| path.ends_with(".yaml")) {
            let text = std::str::from_utf8(bytes).unwrap();
            for number in lines(text) {
                let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
                let Some(broken) = misspelt(&all[number]) else { continue };
                all[number] = broken;
                cases.push((path, number, all.join("\n") + "\n"));
            }
        }
        let tried = cases.len();
        let survives = |(path, number, text): &(&String, usize, String)| {
            let mut altered = files.clone();
            altered.fixtures.insert((*path).clone(), text.clone().into_bytes());
            let line = text.lines().nth(*number).unwrap_or_default();
            (findings(&altered) == 0).then(|| format!("{path}:{}: {line}", number + 1))
        };
        let threads = std::thread::available_parallelism().map_or(2, |number| number.get().min(8));
        let survivors: Vec<String> = std::thread::scope(|scope| {
            let chunks = cases.chunks(tried.div_ceil(threads).max(1));
            let running: Vec<_> =
                chunks.map(|chunk| scope.spawn(|| chunk.iter().filter_map(survives).collect::<Vec<_>>())).collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert!(tried > 300, "{tried}");
        assert!(survivors.is_empty(), "{} of {tried} are not noticed:\n{}", survivors.len(), survivors.join("\n"));
    }
}
