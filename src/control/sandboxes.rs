//! `/sandboxes` and `/reset`

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::body::{Members, invalid, members};
use super::clock::clock_shown;
use super::{Answer, Call, Later, clock, done, ended, no_sandbox, ok, page, snapshots};
use crate::clock::Instant;
use crate::exchange::{Problem, Response};
use crate::journal::Log;
use crate::pack::Chosen;
use crate::sandbox::{Back, NotMade, Origin, Sandbox, SandboxId, Wish, snapshot_name};

fn shown(call: &Call<'_>, sandbox: &Sandbox) -> Json {
    let (now, mode) = sandbox.clock(call.real);
    let ground = sandbox.ground();
    let urls: Json =
        ground.packs.iter().map(|pack| (pack.name.to_string(), json!(call.pack_url(sandbox.id(), pack)))).collect();
    let options: Json = ground
        .packs
        .iter()
        .zip(&*ground.options)
        .flat_map(|(pack, options)| options.by_path(pack).map(|(path, value)| (path, value.clone())))
        .collect();
    json!({
        "id": sandbox.id().as_str(),
        "clock": clock_shown(now, mode),
        "seed": ground.seed,
        "options": options,
        "entries": sandbox.log(Log::position),
        "snapshots": sandbox.snapshots().len(),
        "idleSeconds": sandbox.idle(call.real).max(0) / 1_000_000,
        "baseUrls": urls,
    })
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let all = call.registry.list(call.real);
    page::counted(call, all.len(), |place| Some(shown(call, all.get(place)?)))
}

/// `{id?, from?, clock?, mode?, seed?, options?}`
pub(super) fn create(call: Call<'_>) -> Later<'_> {
    Box::pin(async move { made(&call).await })
}

async fn made(call: &Call<'_>) -> Answer {
    let members = members(call, &["id", "from", "clock", "mode", "seed", "options"])?;
    let wish = Wish {
        id: members.text("id")?.map(|text| SandboxId::parse(text).map_err(|why| invalid("id", why))).transpose()?,
        instant: members
            .text("clock")?
            .map(|text| Instant::parse(text).map_err(|why| invalid("clock", why)))
            .transpose()?,
        mode: clock::mode(&members)?,
        seed: members.number("seed")?,
        options: options(call, &members)?,
        from: members.text("from")?.map(origin).transpose()?,
    };
    let name = wish.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let conflict =
        |slug, detail: String| Problem::new(slug, StatusCode::CONFLICT, "The sandbox cannot be made", detail);
    let (instant, mode) = if wish.from.is_some() { (wish.instant, wish.mode) } else { (None, None) };
    match call.registry.create(wish, call.real) {
        Ok(sandbox) if let Some(instant) = instant => {
            // A fork goes to the instant as its time is advanced, or set back.
            clock::to(call, &sandbox, instant, mode).await?;
            Ok(Response::json(StatusCode::CREATED, &shown(call, &sandbox)))
        }
        Ok(sandbox) if mode.is_some() => {
            sandbox.set_clock(None, mode, call.real);
            Ok(Response::json(StatusCode::CREATED, &shown(call, &sandbox)))
        }
        Ok(sandbox) => Ok(Response::json(StatusCode::CREATED, &shown(call, &sandbox))),
        Err(NotMade::Exists) => Err(conflict("sandbox-exists", format!("There is a sandbox `{name}`."))),
        Err(NotMade::Closed(how)) => {
            Err(conflict("sandbox-closed", format!("`{name}` {}; ids are not used again.", ended(how))))
        }
        Err(NotMade::Origin(id, why)) => Err(no_sandbox(&id, &why)),
        Err(NotMade::Snapshot(known)) => Err(snapshots::unknown(known.iter().map(String::as_str))),
        Err(NotMade::PackName) => Err(invalid("id", format!("`{name}` is the name of a pack"))),
        Err(NotMade::Full(most)) => {
            let detail =
                format!("There are {most} sandboxes, as many as there may be. Delete one, or raise --max-sandboxes.");
            Err(Problem::new("sandboxes-full", StatusCode::TOO_MANY_REQUESTS, "There are too many sandboxes", detail))
        }
    }
}

/// `alice`, or `alice@paid` for one of its snapshots.
fn origin(text: &str) -> Result<Origin, Problem> {
    let (sandbox, snapshot) = text.split_once('@').map_or((text, None), |(sandbox, name)| (sandbox, Some(name)));
    let bad = |why: String| invalid("from", format!("{why}; it is written `sandbox` or `sandbox@snapshot`"));
    let snapshot = snapshot.map(snapshot_name).transpose().map_err(bad)?;
    Ok(Origin { sandbox: SandboxId::parse(sandbox).map_err(bad)?, snapshot })
}

/// `{"<pack>.<option>": value}`
fn options(call: &Call<'_>, members: &Members) -> Result<Vec<Chosen>, Problem> {
    let packs = call.registry.packs();
    let given = members.object("options")?.into_iter().flatten();
    given
        .map(|(path, value)| {
            let (pack, definition) = Chosen::find(&packs, path).map_err(|why| invalid("options", why))?;
            let value = definition.read(value).map_err(|why| invalid("options", format!("`{path}`: {why}")))?;
            Ok(definition.choose(pack, value))
        })
        .collect()
}

fn named(call: &Call<'_>) -> Result<SandboxId, Problem> {
    SandboxId::parse(call.parameter("id")).map_err(|why| Problem::bad_request("sandbox-id-invalid", format!("{why}.")))
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let id = named(call)?;
    let sandbox = call.registry.get(&id, call.real).map_err(|why| no_sandbox(&id, &why))?;
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
    let Back { now, mode, .. } = call.sandbox.reset(call.real);
    ok(&json!({ "sandbox": call.sandbox.id().as_str(), "clock": clock_shown(now, mode) }))
}
