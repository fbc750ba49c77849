//! `standin routes`

use std::fmt::Write as _;

use serde_json::json;

use super::Exit;
use super::args::{ListFormat, Routes};
use super::output::out;
use super::packs;
use crate::pack::Pack;

pub(super) fn run(arguments: &Routes) -> Exit {
    let all = match packs::read(&arguments.packs) {
        Ok(all) => all,
        Err(exit) => return exit,
    };
    let mut exit = Exit::Good;
    let mut good = Vec::new();
    for loaded in packs::load(&all) {
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
    let lines =
        || operations().flat_map(|(pack, operation)| operation.lines().map(move |line| (pack, operation, line)));
    let path = |pack: &Pack, template: &str| format!("/{}{template}", pack.name);
    let width = lines().map(|(pack, _, line)| path(pack, &line.template).len()).max().unwrap_or(0);
    let names = operations().map(|(_, operation)| operation.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (pack, operation, line) in lines() {
        let option = match line.wanted.is_empty() {
            true => String::new(),
            false => format!("  with {}", line.wanted.words(&pack.options)),
        };
        let _ = writeln!(
            out,
            "{:<7} {:<width$}  {:<names$}  {}{option}",
            line.method.as_str(),
            path(pack, &line.template),
            operation.name,
            operation.provenance.header()
        );
    }
    out
}

fn json(packs: &[Pack]) -> serde_json::Value {
    let listed = packs.iter().flat_map(|pack| {
        pack.operations.iter().map(move |operation| {
            let also = operation.also.iter().map(|line| line.to_json(&pack.options));
            json!({
                "pack": &*pack.name,
                "operation": &*operation.name,
                "title": &*operation.title,
                "method": operation.method.as_str(),
                "path": &*operation.template,
                "also": also.collect::<Vec<_>>(),
                "option": operation.wanted.to_json(&pack.options),
                "at": pack.sources.place(&operation.at),
                "contract": operation.provenance.to_json(),
            })
        })
    });
    listed.collect()
}
