//! `--rate-limit`: how often callers may call.

use std::sync::Arc;

use clap::ValueEnum as _;
use serde_json::{Value as Json, json};

use super::Exit;
use super::args::RateLimitHeaders;
use super::serve::usage;
use crate::engine::{self, Mistake};
use crate::pack::{Pack, Policy};
use crate::sandbox::Limits;

/// Reads `PACK=QUOTA/WINDOW` and `PACK=none`. A pack that is not named has the limits of its documentation.
pub(super) fn read(given: &[String], headers: RateLimitHeaders, packs: &[Arc<Pack>]) -> Result<Limits, Exit> {
    let headers = headers.to_possible_value().map(|value| value.get_name().to_owned());
    let (mut rules, mut texts, mut unlimited): (Vec<Json>, Vec<&String>, Vec<String>) = Default::default();
    for text in given {
        let written = || usage(&format!("--rate-limit {text}: it is written PACK=QUOTA/WINDOW, or PACK=none"));
        let (pack, limit) = text.split_once('=').ok_or_else(written)?;
        if limit == "none" {
            engine::limits_at_start(packs, &[], &[pack.to_owned()])
                .map_err(|mistakes| usage(&format!("--rate-limit {text}: {}", told(&mistakes))))?;
            unlimited.push(pack.to_owned());
            continue;
        }
        let (quota, window) = limit.split_once('/').ok_or_else(written)?;
        let quota: Json = quota.parse::<u64>().map_or_else(|_| quota.into(), Json::from);
        let before = rules.iter().filter(|rule| rule["pack"] == pack).count();
        let name = match before {
            0 => Policy::UNNAMED.to_owned(),
            _ => format!("{}-{}", Policy::UNNAMED, before + 1),
        };
        rules.push(json!({ "pack": pack, "name": name, "quota": quota, "window": window, "headers": headers }));
        texts.push(text);
    }
    if let Some(text) = texts.iter().zip(&rules).find(|(_, rule)| unlimited.iter().any(|name| rule["pack"] == **name)) {
        return Err(usage(&format!("--rate-limit {}: the pack has `none` too", text.0)));
    }
    engine::limits_at_start(packs, &rules, &unlimited).map_err(|mistakes| {
        let lines = mistakes.iter().map(|mistake| {
            let mut parts = mistake.pointer.split('/').skip(2);
            let text = parts.next().and_then(|index| texts.get(index.parse::<usize>().ok()?));
            let member = parts.next().map(|member| format!("`{member}`: ")).unwrap_or_default();
            format!("--rate-limit {}: {member}{}", text.map_or("", |text| text.as_str()), mistake.message)
        });
        usage(&lines.collect::<Vec<_>>().join("\n"))
    })
}

/// What is wrong, without its place.
fn told(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| mistake.message.as_str()).collect::<Vec<_>>().join("; ")
}
