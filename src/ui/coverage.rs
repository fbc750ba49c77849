//! `/coverage`: what requests have exercised of the packs, as a map.

use http::{Method, StatusCode, header};
use serde_json::{Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::visit::Visit;
use crate::exchange::Response;

/// Whose requests count, as the control plane is asked: of this sandbox, unless it is all of the server.
fn of(visit: &Visit<'_>) -> &'static str {
    if visit.query("of").as_deref() == Some("server") { "server" } else { "sandbox" }
}

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let of = of(visit);
        let mut report = visit.plane.get(&format!("/coverage?of={of}")).await?;
        let (pack, missing) = (visit.query("pack"), visit.query("show").as_deref() == Some("missing"));
        let names: Vec<Json> = packs(&mut report).map(|pack| pack["pack"].clone()).collect();
        if let (Some(chosen), Some(packs)) = (&pack, report["packs"].as_array_mut()) {
            packs.retain(|one| one["pack"] == **chosen);
        }
        packs(&mut report).for_each(mark);
        let context = json!({ "report": report, "of": of, "pack": pack, "missing": missing, "names": names });
        Ok(match visit.is_part() {
            true => Answer::Part("coverage-map.html", context),
            false => Answer::Page("coverage.html", context),
        })
    })
}

pub(super) fn download<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let report = visit.plane.text(&format!("/coverage?of={}", of(visit))).await?;
        let mut response = Response::new(StatusCode::OK).with_body("application/json", report);
        response.set(header::CONTENT_DISPOSITION, "attachment; filename=\"coverage.json\"");
        Ok(Answer::File(response))
    })
}

pub(super) fn clear<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let of = of(visit);
        visit.plane.send(Method::DELETE, &format!("/coverage?of={of}"), None).await?;
        Ok(Answer::Done { to: format!("{}/coverage?of={of}", visit.root()), note: "coverage-cleared" })
    })
}

fn packs(report: &mut Json) -> impl Iterator<Item = &mut Json> {
    report["packs"].as_array_mut().into_iter().flatten()
}

/// Says of each operation how much of it is missing, and what is assumed: that counts for nothing.
fn mark(pack: &mut Json) {
    for operation in pack["operations"].as_array_mut().into_iter().flatten() {
        let mut missing = 0;
        let mut judge = |item: &mut Json| {
            let assumed = item["contract"] == "assumed";
            let kind = match (assumed, item["hits"].as_u64().unwrap_or_default()) {
                (true, _) => "assumed",
                (false, 0) => "missing",
                (false, _) => "covered",
            };
            missing += usize::from(kind == "missing");
            item["kind"] = kind.into();
        };
        judge(operation);
        for list in ["statuses", "errors", "examples"] {
            operation[list].as_array_mut().into_iter().flatten().for_each(&mut judge);
        }
        operation["missing"] = missing.into();
        // Examples are named after their operation, which their row names already.
        let name = operation["operation"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default().to_owned();
        for example in operation["examples"].as_array_mut().into_iter().flatten() {
            let file = example["example"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            let short = file.strip_prefix(&*name).and_then(|rest| rest.strip_prefix('.')).unwrap_or(file);
            example["label"] = short.strip_suffix(".json").unwrap_or(short).into();
        }
    }
}
