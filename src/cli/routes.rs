//! `standin routes`

use std::fmt::Write as _;

use serde_json::json;

use super::Exit;
use super::args::{ListFormat, Routes};
use super::output::out;
use super::packs;
use crate::pack::{self, Pack};

pub(super) fn run(arguments: &Routes) -> Exit {
    let all = match packs::read(&arguments.packs) {
        Ok(all) => all,
        Err(exit) => return exit,
    };
    let mut exit = Exit::Good;
    let mut good = Vec::new();
    for files in &all {
        let loaded = pack::load(files);
        if !packs::tell(&loaded) {
            exit = Exit::Broken;
        }
        good.extend(loaded.pack);
    }
    match arguments.format {
        ListFormat::Text => out(&text(&good)),
        ListFormat::Json => out(&format!("{:#}\n", json(&good))),
    }
    exit
}

fn text(packs: &[Pack]) -> String {
    let operations = || packs.iter().flat_map(|pack| pack.operations.iter().map(move |operation| (pack, operation)));
    let path = |pack: &Pack, template: &str| format!("/{}{template}", pack.name);
    let width = operations().map(|(pack, operation)| path(pack, &operation.template).len()).max().unwrap_or(0);
    let names = operations().map(|(_, operation)| operation.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (pack, operation) in operations() {
        let _ = writeln!(
            out,
            "{:<7} {:<width$}  {:<names$}  {}",
            operation.method.as_str(),
            path(pack, &operation.template),
            operation.name,
            operation.provenance.header()
        );
    }
    out
}

fn json(packs: &[Pack]) -> serde_json::Value {
    let listed = packs.iter().flat_map(|pack| {
        pack.operations.iter().map(move |operation| {
            json!({
                "pack": &*pack.name,
                "operation": &*operation.name,
                "title": &*operation.title,
                "method": operation.method.as_str(),
                "path": &*operation.template,
                "at": pack.sources.place(&operation.at),
                "contract": operation.provenance.to_json(),
            })
        })
    });
    listed.collect()
}
