//! `/sandboxes` and `/reset`

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::body::{Members, invalid, members};
use super::{Answer, Call, done, no_sandbox, ok, page};
use crate::clock::Instant;
use crate::exchange::{Problem, Response};
use crate::pack::Chosen;
use crate::sandbox::{NotMade, Sandbox, SandboxId, Wish};

fn shown(call: &Call<'_>, sandbox: &Sandbox) -> Json {
    let (now, mode) = sandbox.clock(call.real);
    let urls: Json =
        sandbox.packs().iter().map(|pack| (pack.name.to_string(), json!(call.pack_url(sandbox.id(), pack)))).collect();
    let options: Json = sandbox
        .packs()
        .iter()
        .zip(sandbox.options())
        .flat_map(|(pack, options)| {
            options.iter(&pack.options).map(|(option, value)| (format!("{}.{}", pack.name, option.name), value.clone()))
        })
        .collect();
    json!({
        "id": sandbox.id().as_str(),
        "clock": { "now": now.to_string(), "mode": mode.name() },
        "seed": sandbox.seed(),
        "options": options,
        "entries": sandbox.log(|log| log.position()),
        "baseUrls": urls,
    })
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let limit = page::limit(call)?;
    let skip = usize::try_from(page::after(call)?).unwrap_or(usize::MAX);
    let all = call.registry.list();
    let records: Vec<Json> = all.iter().skip(skip).take(limit).map(|sandbox| shown(call, sandbox)).collect();
    let reached = skip.saturating_add(records.len());
    let next = (reached < all.len()).then_some(reached as u64);
    ok(&page::list(records, all.len(), next))
}

/// `{id?, clock?, seed?, options?}`
pub(super) fn create(call: &Call<'_>) -> Answer {
    let members = members(call, &["id", "clock", "seed", "options"])?;
    let wish = Wish {
        id: members.text("id")?.map(|text| SandboxId::parse(text).map_err(|why| invalid("id", why))).transpose()?,
        instant: members
            .text("clock")?
            .map(|text| Instant::parse(text).map_err(|why| invalid("clock", why)))
            .transpose()?,
        seed: members.number("seed")?,
        options: options(call, &members)?,
    };
    let name = wish.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let conflict =
        |slug, detail: String| Problem::new(slug, StatusCode::CONFLICT, "The sandbox cannot be made", detail);
    match call.registry.create(wish, call.real) {
        Ok(sandbox) => Ok(Response::json(StatusCode::CREATED, &shown(call, &sandbox))),
        Err(NotMade::Exists) => Err(conflict("sandbox-exists", format!("There is a sandbox `{name}`."))),
        Err(NotMade::Closed) => {
            Err(conflict("sandbox-closed", format!("`{name}` was deleted; ids are not used again.")))
        }
        Err(NotMade::PackName) => Err(invalid("id", format!("`{name}` is the name of a pack"))),
        Err(NotMade::Full(most)) => {
            let detail =
                format!("There are {most} sandboxes, as many as there may be. Delete one, or raise --max-sandboxes.");
            Err(Problem::new("sandboxes-full", StatusCode::TOO_MANY_REQUESTS, "There are too many sandboxes", detail))
        }
    }
}

/// `{"<pack>.<option>": value}`
fn options(call: &Call<'_>, members: &Members) -> Result<Vec<Chosen>, Problem> {
    let given = members.object("options")?.into_iter().flatten();
    given
        .map(|(path, value)| {
            let (pack, option, definition) =
                Chosen::find(call.registry.packs(), path).map_err(|why| invalid("options", why))?;
            let value = definition.read(value).map_err(|why| invalid("options", format!("`{path}`: {why}")))?;
            Ok(Chosen { pack, option, value })
        })
        .collect()
}

fn named(call: &Call<'_>) -> Result<SandboxId, Problem> {
    SandboxId::parse(call.parameter("id")).map_err(|why| Problem::bad_request("sandbox-id-invalid", format!("{why}.")))
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let id = named(call)?;
    let sandbox = call.registry.get(&id).map_err(|why| no_sandbox(&id, &why))?;
    ok(&shown(call, &sandbox))
}

pub(super) fn delete(call: &Call<'_>) -> Answer {
    let id = named(call)?;
    if id.is_default() {
        let detail = "The sandbox `default` always exists. POST /_standin/reset empties it.";
        return Err(Problem::new("sandbox-default", StatusCode::CONFLICT, "The sandbox cannot be deleted", detail));
    }
    call.registry.delete(&id).map_err(|why| no_sandbox(&id, &why))?;
    done()
}

/// Back to the seed records, the first instant, the first draws and an empty log.
pub(super) fn reset(call: &Call<'_>) -> Answer {
    members(call, &[])?;
    call.sandbox.reset(call.real);
    let (now, mode) = call.sandbox.clock(call.real);
    ok(&json!({ "sandbox": call.sandbox.id().as_str(), "clock": { "now": now.to_string(), "mode": mode.name() } }))
}
