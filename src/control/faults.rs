//! `/faults`: what is to go wrong.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::body::{members, object};
use super::settings::{NotSet, set};
use super::{Answer, Call, done, ok};
use crate::engine::{self, Setting};
use crate::exchange::{Problem, Response};

/// The rules, each with how often it has applied.
pub(super) fn list(call: &Call<'_>) -> Answer {
    ok(&shown(call))
}

fn shown(call: &Call<'_>) -> Json {
    engine::faults_shown(&call.sandbox.controls().faults)
}

pub(super) fn put(call: &Call<'_>) -> Answer {
    let given = members(call, &["faults"])?.all();
    set(call, |_| Ok(Setting::Faults(given.into())))?;
    list(call)
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    set(call, |_| Ok(Setting::NoFaults))?;
    done()
}

/// Adds a rule behind the others.
pub(super) fn add(call: &Call<'_>) -> Answer {
    let rule = object(call)?;
    change(call, |rules| {
        rules.push(rule.into());
        Ok(())
    })?;
    Ok(Response::json(StatusCode::CREATED, &shown(call)))
}

/// Puts a rule in the place of another. It goes on from the `applied` that it says.
pub(super) fn put_one(call: &Call<'_>) -> Answer {
    let rule = object(call)?;
    change(call, |rules| {
        let place = place(call, rules.len())?;
        rules[place] = rule.into();
        Ok(())
    })?;
    list(call)
}

pub(super) fn delete_one(call: &Call<'_>) -> Answer {
    change(call, |rules| {
        rules.remove(place(call, rules.len())?);
        Ok(())
    })?;
    done()
}

/// Changes the rules that there are in one step: what applies meanwhile is not forgotten.
fn change(call: &Call<'_>, change: impl FnOnce(&mut Vec<Json>) -> Result<(), Problem>) -> Result<(), Problem> {
    set(call, |controls| {
        let mut shown = engine::faults_shown(&controls.faults);
        let mut rules = match shown["faults"].take() {
            Json::Array(rules) => rules,
            _ => Vec::new(),
        };
        change(&mut rules).map_err(NotSet::Unknown)?;
        Ok(Setting::Faults(json!({ "faults": rules })))
    })
}

/// The rule that the path names, by its number from 1 as traces tell it.
fn place(call: &Call<'_>, count: usize) -> Result<usize, Problem> {
    let said = call.parameter("rule");
    let number = said.parse::<usize>().ok().filter(|number| (1..=count).contains(number));
    number.map(|number| number - 1).ok_or_else(|| {
        let there = match count {
            0 => "there are no rules".to_owned(),
            1 => "there is one rule, 1".to_owned(),
            _ => format!("the rules are 1 to {count}"),
        };
        Problem::not_found("fault-unknown", format!("There is no rule `{said}`: {there}."))
    })
}
