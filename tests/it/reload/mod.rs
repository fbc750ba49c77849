//! Packs are edited while they are served.

mod counted;
mod edits;
mod failures;
mod load;
mod records;
mod watching;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server::{Answer, JSON, Server, eventually, standin};
use crate::support::{copy, replace, repository};

const FIRST: (&str, &str) = ("Authorization", "Bearer first-token");
const LAMP: &str = "0f6a1c7e-52c4-4b7e-9b1d-3f0a5a7c1e01";
const TABLE: &str = "5c8e2b90-1d4f-4f6a-a3b7-c61e9d0f7702";

/// A small pack in a folder of its own.
struct Shop {
    folder: TempDir,
}

impl Shop {
    fn new() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        copy(&repository("tests/cases/diagnostics/base"), folder.path());
        Shop { folder }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the pack.
    fn file(&self, path: &str) -> PathBuf {
        self.root().join("fixtures/shop").join(path)
    }

    #[track_caller]
    fn edit(&self, path: &str, old: &str, new: &str) {
        replace(&self.file(path), old, new);
    }

    fn write(&self, path: &str, text: &str) {
        crate::support::write(&self.root().join("fixtures/shop"), path, text);
    }

    fn serve(&self, more: &[&str]) -> Server {
        self.serve_with("off", more)
    }

    fn serve_with(&self, log: &str, more: &[&str]) -> Server {
        let mut command = standin();
        command.current_dir(self.root()).args(["serve", "--port", "0", "--freeze", "--log", log]).args(more);
        Server::spawn(command)
    }
}

/// What is known of a pack's files.
#[track_caller]
fn standing(server: &Server, pack: &str) -> Json {
    let state = server.control("GET", "/reload", None).expect(200).json();
    let mut packs = state["packs"].as_array().unwrap().iter();
    packs.find(|known| known["pack"] == pack).cloned().unwrap_or_default()
}

/// The same, once it fits.
fn once(server: &Server, pack: &str, fits: impl Fn(&Json) -> bool) -> Json {
    eventually("the pack to stand so", || Some(standing(server, pack)).filter(|standing| fits(standing)))
}

fn once_it_is(server: &Server, state: &str) -> Json {
    once(server, "shop", |standing| standing["state"] == state)
}

/// Looks now. Gives the packs that changed.
#[track_caller]
fn look(server: &Server) -> Json {
    server.control("POST", "/reload", None).expect(200).json()["changed"].clone()
}

#[track_caller]
fn get(server: &Server, path: &str) -> Answer {
    server.call("GET", &format!("/shop{path}"), &[FIRST], "")
}

/// The list of items, once it fits.
fn listed(server: &Server, fits: impl Fn(&Json) -> bool) -> Json {
    eventually("the list of items", || Some(get(server, "/items").expect(200).json()).filter(|list| fits(list)))
}

fn create(server: &Server, sandbox: &str, name: &str, price: i64) -> Answer {
    let body = json!({ "name": name, "price": price }).to_string();
    server.call("POST", &format!("{sandbox}/shop/items"), &[FIRST, JSON], body)
}

/// The records of a resource of the default sandbox.
#[track_caller]
fn records(server: &Server, resource: &str) -> Vec<Json> {
    let path = format!("/state/shop/{resource}?secrets=show");
    server.control("GET", &path, None).expect(200).json()["records"].as_array().unwrap().clone()
}
