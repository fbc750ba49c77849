//! `/journal`: what clients sent, what they were answered, and why.

use http::Method;
use serde_json::{Value as Json, json};

use super::Later;
use super::answer::Answer;
use super::refused::Refused;
use super::visit::Visit;

/// What chooses exchanges, by the names that the control plane has for it. Those that have a field on the page come first.
const CONDITIONS: [&str; 13] = [
    "text",
    "pack",
    "operation",
    "method",
    "status",
    "unmatched",
    "finding",
    "stub",
    "contract",
    "path",
    "pathPattern",
    "since",
    "until",
];
const WITH_FIELD: usize = 7;

/// How many lines a page has.
const LINES: usize = 100;

/// Which exchanges are shown: what stands in the address.
pub(super) struct Chosen(Vec<(&'static str, String)>);

impl Chosen {
    pub(super) fn of(visit: &Visit<'_>) -> Self {
        Chosen(CONDITIONS.iter().filter_map(|name| Some((*name, visit.query(name)?))).collect())
    }

    /// As a query, without `?`.
    pub(super) fn query(&self) -> String {
        written(self.0.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// By name; null for what is not asked for.
    fn shown(&self) -> Json {
        let said = |name: &str| self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        CONDITIONS.iter().map(|name| ((*name).to_owned(), json!(said(name)))).collect::<serde_json::Map<_, _>>().into()
    }

    /// Those that a link brought, and that no field of the page has.
    fn others(&self) -> Vec<&(&'static str, String)> {
        self.0.iter().filter(|(name, _)| !CONDITIONS[..WITH_FIELD].contains(name)).collect()
    }
}

fn written<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Lines of the journal, the newest first, behind `after` where that is said.
pub(super) async fn lines(
    visit: &Visit<'_>,
    chosen: &Chosen,
    after: Option<u64>,
    limit: usize,
) -> Result<Json, Refused> {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    visit.plane.get(&format!("/journal?order=newest&limit={limit}{after}&{}", chosen.query())).await
}

fn number(visit: &Visit<'_>, name: &str) -> Option<u64> {
    visit.query(name)?.parse().ok()
}

/// The list beside an entry, which is in it wherever that is possible.
pub(super) async fn beside(visit: &Visit<'_>, chosen: &Chosen, selected: u64) -> Result<Json, Refused> {
    let after = number(visit, "after");
    let mut list = lines(visit, chosen, after, LINES).await?;
    let has =
        |list: &Json| list["records"].as_array().is_some_and(|all| all.iter().any(|line| line["entry"] == selected));
    if after.is_none() && list["next"].as_u64().is_some_and(|next| selected < next) && !has(&list) {
        list = lines(visit, chosen, Some(selected.saturating_add(1)), LINES).await?;
    }
    Ok(context(chosen, list, after, Some(selected)))
}

fn context(chosen: &Chosen, list: Json, after: Option<u64>, selected: Option<u64>) -> Json {
    json!({
        "list": list, "filter": chosen.shown(), "others": chosen.others(), "query": chosen.query(), "after": after,
        "selected": selected,
    })
}

pub(super) fn show<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let chosen = Chosen::of(visit);
        if visit.is_part() {
            let shown = match number(visit, "selected") {
                Some(selected) => beside(visit, &chosen, selected).await?,
                None => {
                    let after = number(visit, "after");
                    context(&chosen, lines(visit, &chosen, after, LINES).await?, after, None)
                }
            };
            return Ok(Answer::Part("journal-list.html", shown));
        }
        let after = number(visit, "after");
        let mut shown = context(&chosen, lines(visit, &chosen, after, LINES).await?, after, None);
        shown["operations"] = operations(visit).await?;
        Ok(Answer::Page("journal.html", shown))
    })
}

/// The operations of each pack: `[{pack, operations}]`.
async fn operations(visit: &Visit<'_>) -> Result<Json, Refused> {
    let packs = visit.plane.get("/packs").await?;
    let mut all = Vec::new();
    for name in packs["records"].as_array().into_iter().flatten().filter_map(|pack| pack["name"].as_str()) {
        let pack = visit.plane.get(&format!("/packs/{name}")).await?;
        let operations = pack["operations"].as_array().into_iter().flatten();
        let names: Vec<&str> = operations.filter_map(|one| one["id"].as_str().or(one.as_str())).collect();
        all.push(json!({ "pack": name, "operations": names }));
    }
    Ok(all.into())
}

pub(super) fn clear<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        visit.plane.send(Method::DELETE, "/journal", None).await?;
        Ok(Answer::Done { to: format!("{}/journal", visit.root()), note: "journal-cleared" })
    })
}

/// All that happened in the sandbox, as a scenario.
pub(super) fn scenario<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let name = visit.query("name");
        let pairs = [("format", "scenario")].into_iter().chain(name.iter().map(|name| ("name", name.as_str())));
        let path = format!("/log?{}", written(pairs));
        let text = visit.plane.text(&path).await?;
        let href = format!("{}/_standin{path}", visit.prefix());
        Ok(Answer::Page("journal-scenario.html", json!({ "name": name, "text": text, "href": href })))
    })
}
