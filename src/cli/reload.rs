//! Packs read again: what the arguments say about it, the signal that asks for it, and what is said of it.

use std::io;

use serde_json::json;

use super::Exit;
use super::args::{Log, Serve, Watch};
use super::output::{coloured, err};
use super::packs;
use crate::diagnostic::{render, to_json};
use crate::reload::{self, News, Plan, Read, Told, What};
use crate::server::Server;

/// How many files are named of those that changed.
const NAMED: usize = 3;

pub(super) fn plan(arguments: &Serve, read: Vec<Read>) -> Result<Plan, Exit> {
    let told: Option<Told> = match arguments.log {
        Log::Off => None,
        Log::Text => Some(Box::new(|news| err(&text(news, coloured())))),
        Log::Json => Some(Box::new(|news| err(&line(news)))),
    };
    Ok(Plan {
        folders: packs::folders(&arguments.packs.folders)?,
        all: arguments.packs.packs.is_empty(),
        read,
        watch: match arguments.watch {
            Watch::Events => reload::Watch::Events,
            Watch::Poll => reload::Watch::Poll,
            Watch::Off => reload::Watch::Off,
        },
        told,
    })
}

/// Looks for changes whenever the process is told to hang up.
pub(super) fn on_hangup(server: &Server) -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup())?;
        let reloader = server.reloader();
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                let reloader = std::sync::Arc::clone(&reloader);
                let _ = tokio::task::spawn_blocking(move || reloader.look()).await;
            }
        });
    }
    #[cfg(not(unix))]
    let _ = server;
    Ok(())
}

fn text(news: &News<'_>, coloured: bool) -> String {
    let News::Pack { pack, what, took, diagnostics, sources, .. } = news else {
        let News::Trouble { words, .. } = news else { return String::new() };
        return format!("reload: {words}\n");
    };
    let served = |served: bool| if served { "the last good one is served" } else { "it is not served" };
    let mut text = render(diagnostics, sources, coloured);
    text.push_str(&match what {
        What::Live { files, aside, .. } => {
            let mut named = files.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            if files.len() > NAMED {
                named.push_str(&format!(" and {} more", files.len() - NAMED));
            }
            let aside = match aside {
                0 => String::new(),
                more => format!("; what does not fit any more is kept aside: {more} (GET /_standin/reload)"),
            };
            format!("reload: `{pack}` is live after {took} ms: {named}{aside}\n")
        }
        What::Mended => format!("reload: `{pack}` is what is served again\n"),
        What::Stale { errors, served: before } => {
            let plural = if *errors == 1 { "" } else { "s" };
            format!("reload: `{pack}` has {errors} error{plural}: {}\n", served(*before))
        }
        What::Gone => format!("reload: the folder of `{pack}` is gone: {}\n", served(true)),
    });
    text
}

fn line(news: &News<'_>) -> String {
    let line = match news {
        News::Trouble { at, words } => json!({ "event": "reload", "at": at.to_string(), "trouble": words }),
        News::Pack { at, pack, what, took, diagnostics, sources } => {
            let mut line = json!({
                "event": "reload", "at": at.to_string(), "pack": pack, "state": "live", "tookMillis": took,
                "diagnostics": to_json(diagnostics, sources),
            });
            match what {
                What::Live { files, seeds, aside } => {
                    line["files"] = json!(files);
                    line["seeds"] = json!(seeds);
                    line["aside"] = json!(aside);
                }
                What::Mended => {}
                What::Stale { served, .. } => {
                    line["state"] = json!("failed");
                    line["served"] = json!(served);
                }
                What::Gone => line["state"] = json!("gone"),
            }
            line
        }
    };
    format!("{line}\n")
}
