//! `/faults`: what is to go wrong.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Map, Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::form::Form;
use super::refused::Refused;
use super::visit::Visit;
use crate::exchange::Problem;

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let rules = rules(visit).await?;
        if visit.is_part() {
            return Ok(Answer::Part("faults-list.html", json!({ "rules": rules })));
        }
        let mut context = choices(visit).await?;
        context["rules"] = rules;
        // Where a page of an operation leads here, the form is about it.
        let target = visit.query("operation").map(|id| format!("operation:{id}"));
        context["fill"] = fill(&json!({}), target);
        Ok(Answer::Page("faults.html", context))
    })
}

pub(super) fn rule<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let rules = rules(visit).await?;
        let number = visit.parameter("rule");
        let wanted = number.parse::<u64>().ok();
        let same = |rule: &&Json| wanted.is_some() && rule["number"].as_u64() == wanted;
        let found = rules.as_array().and_then(|rules| rules.iter().find(same));
        let Some(found) = found else {
            let detail = format!("There is no rule `{number}`: it was removed, or never was.");
            return Err(Problem::not_found("fault-unknown", detail).into());
        };
        let mut context = choices(visit).await?;
        context["number"] = found["number"].clone();
        context["was"] = found["was"].clone();
        context["fill"] = fill(&found["rule"], None);
        Ok(Answer::Page("fault.html", context))
    })
}

pub(super) fn add<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let rule = read(&visit.form()?);
        visit.plane.send(Method::POST, "/faults", Some(&rule)).await?;
        Ok(done(visit, "fault-added"))
    })
}

pub(super) fn change<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let form = visit.form()?;
        let before = still(visit, &form).await?;
        let mut rule = read(&form);
        rule["applied"] = before["applied"].clone();
        let path = format!("/faults/{}", visit.parameter("rule"));
        visit.plane.send(Method::PUT, &path, Some(&rule)).await?;
        Ok(done(visit, "fault-changed"))
    })
}

pub(super) fn remove<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        still(visit, &visit.form()?).await?;
        let path = format!("/faults/{}", visit.parameter("rule"));
        visit.plane.send(Method::DELETE, &path, None).await?;
        Ok(done(visit, "fault-removed"))
    })
}

pub(super) fn clear<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::DELETE, "/faults", None).await?;
        Ok(done(visit, "faults-cleared"))
    })
}

pub(super) fn json<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let text = visit.plane.get("/faults").await?;
        Ok(Answer::Page("settings-json.html", json!({ "what": "faults", "text": text })))
    })
}

pub(super) fn put<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let all = visit.form()?.json("JSON")?;
        visit.plane.send(Method::PUT, "/faults", Some(&all)).await?;
        Ok(done(visit, "faults-set"))
    })
}

fn done(visit: &Visit<'_>, note: &'static str) -> Answer {
    Answer::Done { to: format!("{}/faults", visit.root()), note }
}

/// The rules with their numbers, and each as a form sends it back: by that it is known again.
async fn rules(visit: &Visit<'_>) -> Result<Json, Refused> {
    let shown = visit.plane.get("/faults").await?;
    let rules = shown["faults"].as_array().into_iter().flatten().enumerate().map(|(index, rule)| {
        let error = &rule["error"];
        let kind = match () {
            () if !error.is_null() => "error",
            () if !rule["fault"].is_null() => "fault",
            () if !rule["dribble"].is_null() => "dribble",
            () => "latency",
        };
        json!({ "number": index + 1, "rule": rule, "was": bare(rule).to_string(), "kind": kind })
    });
    Ok(rules.collect())
}

/// A rule without how often it has applied.
fn bare(rule: &Json) -> Json {
    let mut rule = rule.clone();
    if let Some(members) = rule.as_object_mut() {
        members.shift_remove("applied");
    }
    rule
}

/// The rule that a form is about, where it is still what its page showed: rules are known by their numbers, and those
/// change when somebody else takes one away.
async fn still(visit: &Visit<'_>, form: &Form) -> Result<Json, Refused> {
    let number = visit.parameter("rule");
    let mut shown = visit.plane.get("/faults").await?;
    let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let rule = index.and_then(|index| shown["faults"].get_mut(index)).map(Json::take).unwrap_or_default();
    if bare(&rule) == form.json("was")? {
        return Ok(rule);
    }
    let detail =
        format!("Rule {number} is not what this page shows: somebody has changed the rules. Load the page again.");
    Err(Problem::new("page-outdated", StatusCode::CONFLICT, "The page is out of date", detail).into())
}

/// What a rule can be about, and which errors there are.
async fn choices(visit: &Visit<'_>) -> Result<Json, Refused> {
    let packs = visit.plane.get("/packs").await?;
    let mut targets = Vec::new();
    let mut errors: BTreeMap<String, (Vec<u64>, Vec<String>)> = BTreeMap::new();
    for pack in packs["records"].as_array().into_iter().flatten() {
        let name = pack["name"].as_str().unwrap_or_default();
        let pack = visit.plane.get(&format!("/packs/{name}")).await?;
        let operations = pack["operations"].as_array().into_iter().flatten().map(
            |operation| json!({ "id": operation["id"], "method": operation["method"], "path": operation["path"] }),
        );
        targets.push(json!({ "name": name, "title": pack["title"], "operations": operations.collect::<Json>() }));
        for error in pack["errors"].as_array().into_iter().flatten() {
            let entry = errors.entry(error["name"].as_str().unwrap_or_default().to_owned()).or_default();
            let statuses = error["answers"].as_array().into_iter().flatten().filter_map(|one| one["status"].as_u64());
            entry.0.extend(statuses);
            entry.1.push(name.to_owned());
        }
    }
    let errors = errors.into_iter().map(|(name, (mut statuses, packs))| {
        statuses.sort_unstable();
        statuses.dedup();
        json!({ "name": name, "statuses": statuses, "packs": packs })
    });
    Ok(json!({ "targets": targets, "errors": errors.collect::<Json>() }))
}

/// What stands in the form for a rule.
fn fill(rule: &Json, target: Option<String>) -> Json {
    let text = |value: &Json| match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let named = |prefix: &str, value: &Json| value.as_str().map(|name| format!("{prefix}:{name}"));
    let target = target.or_else(|| named("operation", &rule["operation"])).or_else(|| named("pack", &rule["pack"]));
    let dribble = rule["dribble"].is_object().then(|| "dribble".to_owned());
    let what = named("error", &rule["error"]).or_else(|| named("fault", &rule["fault"])).or(dribble);
    let latency = &rule["latency"];
    json!({
        "target": target.unwrap_or_default(),
        "what": what.unwrap_or_default(),
        "when": text(&rule["when"]),
        "pieces": text(&rule["dribble"]["pieces"]),
        "over": text(&rule["dribble"]["over"]),
        "latency": if latency.is_object() { String::new() } else { text(latency) },
        "median": text(&latency["median"]),
        "sigma": text(&latency["sigma"]),
        "most": text(&latency["most"]),
        "share": text(&rule["share"]),
        "count": text(&rule["count"]),
    })
}

/// The rule that a form describes. Whether it can be is for the control plane to say.
fn read(form: &Form) -> Json {
    let mut rule = Map::new();
    if let Some((kind, name)) = form.text("target").split_once(':') {
        rule.insert(kind.to_owned(), name.into());
    }
    let put = |rule: &mut Map<String, Json>, name: &str| {
        if let Some(value) = form.number(name) {
            rule.insert(name.to_owned(), value);
        }
    };
    put(&mut rule, "share");
    put(&mut rule, "count");
    let mut part = |name: &str, members: &[&str]| {
        let mut made = Map::new();
        members.iter().for_each(|member| put(&mut made, member));
        if !made.is_empty() {
            rule.insert(name.to_owned(), made.into());
        }
    };
    part("latency", &["median", "sigma", "most"]);
    part("dribble", &["pieces", "over"]);
    if let Some(latency) = form.given("latency") {
        rule.insert("latency".to_owned(), latency.into());
    }
    match form.text("what").split_once(':') {
        Some((kind, name)) => {
            rule.insert(kind.to_owned(), name.into());
        }
        // One that nobody has described is refused with words about what it needs.
        None if form.text("what") == "dribble" => {
            rule.entry("dribble").or_insert_with(|| json!({}));
        }
        None => {}
    }
    if let Some(when) = form.given("when") {
        rule.insert("when".to_owned(), when.into());
    }
    rule.into()
}
